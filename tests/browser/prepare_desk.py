"""Fills the database of a test site for the desk: a text in every state, and a seat of every kind to log in with."""

import django
from django.core.management import call_command

PASSWORD = "leerpunt-demo"  # the demonstration's own, which its settings let in


def main() -> None:
    django.setup()
    call_command("migrate", verbosity=0)
    _fill()
    call_command("collectstatic", interactive=False, verbosity=0)


def _fill() -> None:
    from datetime import date

    from knowledgebase.editorial import guards, reviews
    from knowledgebase.models import Criterion, ReviewRound, VersionContributor
    from tests.factories import (
        approve,
        chair,
        commission,
        decision,
        in_review,
        make_member,
        make_practice,
        make_source,
        make_summary,
        make_user,
        make_version,
        rating,
    )

    for role in ("redacteur", "eindredacteur", "beheerder"):
        make_user(role, role=role, password=PASSWORD, first_name="Rosa", last_name=role.capitalize())
    make_user("niemand", password=PASSWORD)
    names = {"user": ("An", "Bart", "Chris"), "scientific": ("Dina", "Els", "Fatih")}
    seats = {}
    for code, (first, *others) in names.items():
        seats[code] = [chair(code), *(make_member(code, name.lower()) for name in others)]
        for seat, name in zip(seats[code], (first, *others), strict=True):
            seat.user.first_name, seat.user.last_name = name, "Peeters"
            seat.user.set_password(PASSWORD)
            seat.user.save()

    def advise(round: ReviewRound, seat: object, *, recommendation: str = "approve", body: str = "") -> None:
        asked = Criterion.objects.filter(commission=seat.commission, is_active=True)
        reviews.submit_review(
            round, commission=seat.commission, by=seat.user, seen=round.content_hash, recommendation=recommendation,
            interest="none", body=body, answers=[reviews.Answer(criterion, "yes") for criterion in asked],
        )  # fmt: skip

    text = {
        "in_short": "- Je geeft feedback op de taak, niet op de leerling.\n- Het kost weinig tijd. [@jansen-2020]",
        "when_not": "Feedback zonder tijd om te verbeteren helpt niet.",
        "what_it_is": "Je zegt wat goed gaat, en wat de volgende stap is.",
        "ratings": [rating("0.48", ci_low="0.40", ci_high="0.55", strength=4)],
        "sources": [make_source("jansen-2020")],
    }
    public = make_practice("feedback", title="Feedback geven", **text)
    second = make_version(public.item, state="draft")
    second.what_it_is += " Je doet dat snel na de taak."
    second.save()
    first_round = in_review(second)
    decision(first_round, "user", outcome="changes", rationale="Leg de volgende stap uit met een voorbeeld.")
    decision(first_round, "scientific", outcome="changes", rationale="Noem de tegenspraak tussen de studies.")
    first_round.closed_at, first_round.outcome = first_round.opened_at, "changes"
    first_round.save()
    second.state = "changes_requested"
    second.save()
    second.what_it_is += " Een voorbeeld: “Je alinea begint sterk. Voeg nog een bewijs toe.”"
    second.save()
    round = in_review(second)
    reviews.comment(
        round, commission=commission("user"), by=seats["user"][1].user, field="what_it_is",
        quote="de volgende stap", body="Zeg ook hoe je dat in een grote klas doet.", is_blocking=True,
    )  # fmt: skip
    ready = in_review(make_practice("herhalen", state="draft", title="Gespreid herhalen", **text))
    advise(ready, seats["user"][1])
    advise(ready, seats["user"][2], recommendation="changes", body="Het tweede voorbeeld is onduidelijk.")
    late = in_review(make_summary("zittenblijven", state="draft", title="Wat doet zittenblijven?"))
    with guards.door("an overdue round for the tests"):
        ReviewRound.objects.filter(pk=late.pk).update(due_on=date(2026, 1, 5))
    stuck = in_review(make_practice("huiswerk", state="draft", title="Huiswerk", **text))
    VersionContributor.objects.create(version_id=stuck.version_id, user=seats["scientific"][0].user)
    again = make_practice("klassikaal", title="Klassikaal overhoren", **text)
    reviews.start_revalidation(again)
    approve(make_practice("lezen", state="draft", title="Hardop lezen", **text))
    make_practice("spelling", state="changes_requested", title="Spelling oefenen", **text)


if __name__ == "__main__":
    main()
