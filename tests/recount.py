"""Texts that rest on study rows, as the tests of their pages need them."""

from knowledgebase.models import Scheme
from tests.factories import make_concept, make_effect, make_practice, make_study, make_summary, rating

EFFECTS = (0.1, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.8, 0.9, 1.4)


def study_rows(count=12, *, measure="g", per_study=1, **fields):
    """Effects of studies that know their level, subject, country, year and design, one after the other different."""
    levels = [make_concept(Scheme.LEVEL, slug) for slug in ("lager", "secundair")]
    subjects = [make_concept(Scheme.SUBJECT, slug) for slug in ("wiskunde", "nederlands")]
    made = []
    for number in range(count):
        known = {
            "label": f"Studie {number + 1:02}",
            "year": 1990 + number,
            "country": ("BE", "NL", "US")[number % 3],
            "level": levels[number % 2],
            "subject": subjects[number // 6 % 2],
            "design": ("randomised", "quasi")[number % 2],
            "pupils": 40 + number,
        } | fields
        study = make_study(**known)
        made += [
            make_effect(
                EFFECTS[number % len(EFFECTS)] + 0.05 * place,
                0.02 + 0.002 * number,
                study=study,
                measure=measure,
                outcome="toets" if place == 0 else "werkstuk",
                n1=20,
                n2=20 + number,
                moderators={"feedback": ("ja", "nee")[number % 2], "weken": number + 1},
            )
            for place in range(per_study)
        ]
    return made


def studied_practice(slug="schrijven", *, effects=None, selection=None, **fields):
    """A practice whose overall rating rests on study rows, in months."""
    own = rating(basis="studies", unknown_reason="", strength_reason="", conversion="maanden-2021")
    rows = study_rows() if effects is None else effects
    chosen = {"months": True, "moderators": ["feedback", "weken"]} | (selection or {})
    return make_practice(slug, **{"effects": rows, "selection": chosen, "ratings": [own]} | fields)


def studied_summary(slug="aanwezig", *, effects=None, selection=None, **fields):
    """A research summary with correlations, without months."""
    rows = study_rows(measure="z") if effects is None else effects
    chosen = {"months": False, "measure": "z"} | (selection or {})
    return make_summary(slug, **{"effects": rows, "selection": chosen} | fields)
