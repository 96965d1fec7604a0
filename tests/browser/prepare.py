"""Fills the database and the static folder of a test site; runs with its settings. `python -m tests.browser.prepare`"""

import sys

import django
from django.core.management import call_command

WITHDRAWN = "zittenblijven-hangt-af-van-het-systeem"
CHANGED = "huiswerk"
REASON = "De studie waarop deze tekst rust, is ingetrokken."


def main(*, demo: bool) -> None:
    django.setup()
    from knowledgebase.editorial.transitions import withdraw
    from knowledgebase.models import Version
    from practices import facets
    from tests.factories import make_user, make_version, publish_all

    call_command("migrate", verbosity=0)
    make_user("redacteur", role="redacteur")
    editor = make_user("eindredacteur", role="eindredacteur")
    call_command("load_texts", "--by=redacteur", *(["--demo"] if demo else []))
    publish_all([draft.specific() for draft in Version.objects.select_related("item")])
    facets.rebuild()
    withdraw(Version.objects.published().get(item__slug=WITHDRAWN), by=editor, reason=REASON)
    old = Version.objects.published().get(item__slug=CHANGED).specific()
    make_version(
        old.item, state="published", in_short=f"{old.in_short}\n- Spreek af hoelang.", lead=f"Kort: {old.lead}"
    )
    call_command("collectstatic", interactive=False, verbosity=0)


if __name__ == "__main__":
    main(demo="--demo" in sys.argv)
