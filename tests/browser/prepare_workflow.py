"""Fills the database of a test site for the workflow: the demonstration's accounts with their seats, and no text yet."""

import django
from django.core.management import call_command

SOURCE, LEVEL, AUDIENCE = "jansen-2020", "Lager onderwijs", "Leerkrachten"


def main() -> None:
    django.setup()
    from knowledgebase.models import Scheme
    from leerpunt.accounts import DEMO_PASSWORD
    from leerpunt.demonstration import make_accounts, seat_accounts
    from tests.factories import make_concept, make_source

    call_command("migrate", verbosity=0)
    make_accounts(DEMO_PASSWORD, chosen=False)
    seat_accounts()
    make_concept(Scheme.LEVEL, "lager", LEVEL)
    make_concept(Scheme.AUDIENCE, "leerkrachten", AUDIENCE)
    make_source(SOURCE, title="Lezen met een maatje")
    call_command("collectstatic", interactive=False, verbosity=0)


if __name__ == "__main__":
    main()
