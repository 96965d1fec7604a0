"""What tests are about, made by plain functions: `make_practice(state="published", ratings=[rating(effect="0.48")])`.

Whatever is not asked for is the least that is needed to be complete, so that a text made here can be published.
Published versions went through `transitions.publish`, withdrawn ones through `transitions.withdraw`.
"""

from collections.abc import Iterable
from datetime import date
from itertools import count
from typing import Any
from unittest.mock import patch

from django.contrib.auth.models import Group

from knowledgebase.editorial.transitions import publish, withdraw
from knowledgebase.editorial.versions import start_draft
from knowledgebase.models import (
    Concept,
    ConceptLabel,
    ConceptLink,
    Item,
    ItemLink,
    Scheme,
    Source,
    SourceLink,
    User,
    Version,
)
from practices import facets
from practices.models import EvidenceRating, ExternalVerdict

State = Version.State
_numbers = count(1)
CHANGE = {"change_type": "taal", "conclusion_changed": "nee", "change_note": "De taal is eenvoudiger."}


def make_user(username: str = "", *, role: str = "", password: str | None = None, **fields: Any) -> User:
    """An account; with a role it may enter the admin."""
    username = username or f"{role or 'iemand'}-{next(_numbers)}"
    user = User.objects.create_user(username, password=password, **{"is_staff": bool(role)} | fields)
    if role:
        user.groups.add(Group.objects.get(name=role))
    return user


def anybody() -> User:
    """The account behind texts of which nobody asks who wrote them."""
    return User.objects.get_or_create(username="iemand")[0]


def make_concept(scheme: str = Scheme.LEVEL, slug: str = "lager", name: str = "", **fields: Any) -> Concept:
    """A concept with its preferred label; the one there is, if it exists already."""
    concept, created = Concept.objects.get_or_create(scheme=scheme, slug=slug, defaults=fields)
    if created:
        label = name or slug.replace("-", " ").capitalize()
        ConceptLabel.objects.create(concept=concept, label=label, relation="pref", weight=100)
    return Concept.objects.get(pk=concept.pk)


def make_term(slug: str, *labels: str, definition: str = "Een woord.") -> Concept:
    """A glossary term; the first label is the preferred one."""
    names = labels or (slug,)
    concept = make_concept(Scheme.TERM, slug, names[0], definition=definition)
    for label in names[1:]:
        ConceptLabel.objects.create(concept=concept, label=label)
    return concept


def make_source(key: str = "", **fields: Any) -> Source:
    """A meta-analysis by Jansen from 2020 without a DOI, if nothing else is asked; the one there is under its key."""
    number = next(_numbers)
    defaults = {
        "kind": Source.Kind.META_ANALYSIS,
        "title": f"A meta-analysis ({number})",
        "authors": [{"family": "Jansen", "given": "J."}],
        "year": 2020,
        "grade": Source.Grade.A,
    } | fields
    return Source.objects.get_or_create(key=key or f"jansen-{number}", defaults=defaults)[0]


def make_item(kind: str = Item.Kind.PRACTICE, slug: str = "", **fields: Any) -> Item:
    """An identity without a text."""
    slug = slug or f"{kind}-{next(_numbers)}"
    return Item.objects.create(**{"kind": kind, "slug": slug, "key": slug} | fields)


def rating(effect: str | None = None, **fields: Any) -> dict[str, Any]:
    """Fields of a rating: of one synthesis with an effect size, else unknown with reasons."""
    reasons = {
        "unknown_reason": "Er is nog geen betrouwbaar cijfer.",
        "strength_reason": "Dat weten we nog niet.",
        "cost_reason": "We vonden geen prijs.",
    }
    basis = {"basis": "unknown"} if effect is None else {"basis": "synthesis", "effect": effect, "metric": "d"}
    return {"context_key": "overall"} | reasons | basis | fields


def verdict(months: int | None = None, **fields: Any) -> dict[str, Any]:
    """Fields of a verdict of the EEF on everybody."""
    return {
        "issuer": "EEF",
        "context_key": "overall",
        "months": months,
        "edition": "2021",
        "url": "https://educationendowmentfoundation.org.uk/",
        "seen_on": date(2026, 10, 5),
        "confidence": "corroborated",
    } | fields


def make_version(
    item: Item,
    *,
    state: str = State.DRAFT,
    by: User | None = None,
    concepts: Iterable[Concept] = (),
    sources: Iterable[Source] = (),
    related: Iterable[Item] = (),
    ratings: Iterable[dict[str, Any]] = (),
    verdicts: Iterable[dict[str, Any]] = (),
    **fields: Any,
) -> Any:
    """The next version of an item with its children, as the model of its kind, brought to `state`."""
    by = by or anybody()
    version = start_draft(item, by=by)
    for name, value in ((CHANGE if version.number > 1 else {}) | fields).items():
        setattr(version, name, value)
    version.save()
    for order, concept in enumerate(concepts):
        ConceptLink.objects.create(version=version, concept=concept, order=order)
    for order, source in enumerate(sources):
        SourceLink.objects.create(version=version, source=source, order=order)
    for order, other in enumerate(related):
        ItemLink.objects.create(version=version, item=other, order=order)
    for model, rows in ((EvidenceRating, ratings), (ExternalVerdict, verdicts)):
        for order, row in enumerate(rows):
            child = model(version=version, order=order, **row)
            if model is EvidenceRating and child.basis == "synthesis" and child.source is None:
                child.source = make_source("jansen-2020")
            child.clean()
            child.save()
    return bring_to(version, state, by=by)


def bring_to(version: Any, state: str, *, by: User | None = None) -> Any:
    """The version in that state, through the door that leads there."""
    by = by or anybody()
    if state in {State.PUBLISHED, State.SUPERSEDED, State.WITHDRAWN}:
        version = publish(version, by=by)
    if state == State.WITHDRAWN:
        version = withdraw(version, by=by, reason="De studie erachter is ingetrokken.")
    elif state == State.SUPERSEDED:
        publish(make_version(version.item, by=by), by=by)
        version.refresh_from_db()
    elif state not in {State.DRAFT, State.PUBLISHED}:
        # No verb leads there yet: these states come with the review rounds.
        Version.objects.filter(pk=version.pk).update(state=state)
        version.refresh_from_db()
    return version


def make_practice(slug: str = "", *, state: str = State.PUBLISHED, **fields: Any) -> Any:
    """A version of a new practice: published, for teachers in lager onderwijs, gain and cost unknown with a reason."""
    item = make_item(Item.Kind.PRACTICE, slug)
    fields = {
        "title": item.slug.replace("-", " ").capitalize(),
        "lead": "Je doet dit met je klas.",
        "in_short": "- Het kost weinig tijd.",
        "when_not": "Dat weet nog niemand.",
        "concepts": [make_concept(Scheme.LEVEL, "lager"), make_concept(Scheme.AUDIENCE, "leerkracht")],
        "sources": [make_source("jansen-2020")],
        "ratings": [rating()],
    } | fields
    return make_version(item, state=state, **fields)


def make_practices(count: int, prefix: str = "praktijk", **fields: Any) -> list[Any]:
    """Many published practices, `praktijk-01` and so on; the index is made once at the end, which is far quicker."""
    with patch("practices.facets.put"):
        made = [make_practice(f"{prefix}-{number:02}", **fields) for number in range(1, count + 1)]
    facets.rebuild()
    return made


def make_summary(slug: str = "", *, state: str = State.PUBLISHED, **fields: Any) -> Any:
    """A version of a new research summary."""
    item = make_item(Item.Kind.SUMMARY, slug)
    fields = {
        "title": item.slug.replace("-", " ").capitalize(),
        "question": "Helpt dit?",
        "answer": "Soms.",
        "key_findings": "- Soms helpt het.",
        "concepts": [make_concept(Scheme.LEVEL, "lager")],
        "sources": [make_source("jansen-2020")],
    } | fields
    return make_version(item, state=state, **fields)


def make_theme(slug: str = "", *, state: str = State.PUBLISHED, **fields: Any) -> Any:
    """A version of the introduction to a theme, with the theme's concept."""
    item = make_item(Item.Kind.THEME, slug)
    fields = {
        "title": item.slug.replace("-", " ").capitalize(),
        "body": "Dit thema gaat over leren.",
        "concept": make_concept(Scheme.THEME, item.slug),
    } | fields
    return make_version(item, state=state, **fields)


def make_page(slug: str = "", *, state: str = State.PUBLISHED, **fields: Any) -> Any:
    """A version of a page about the portal."""
    item = make_item(Item.Kind.PAGE, slug)
    fields = {"title": item.slug.replace("-", " ").capitalize(), "body": "Dit is een pagina."} | fields
    return make_version(item, state=state, **fields)
