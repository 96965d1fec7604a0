"""What tests are about, made by plain functions: `make_practice(state="published", ratings=[rating(effect="0.48")])`.

Whatever is not asked for is the least that is needed to be complete, so that a text made here can be published.
Versions come to their state along legal moves only: the commissions' part is written by `approve` in a few rows, the
rest goes through the verbs of `transitions`.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

from django.contrib.auth.models import Group
from django.utils import timezone

from knowledgebase import rendering, search
from knowledgebase.editorial.transitions import publish, withdraw
from knowledgebase.editorial.versions import canonical, hash_of, start_draft
from knowledgebase.models import (
    Commission,
    Concept,
    ConceptLabel,
    ConceptLink,
    Decision,
    EffectSize,
    Item,
    ItemLink,
    Membership,
    ReviewRound,
    Scheme,
    SelectedEffect,
    Selection,
    SiteState,
    Source,
    SourceLink,
    Study,
    User,
    Version,
    VersionContributor,
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
    """The account behind texts of which nobody asks who wrote and published them."""
    user, created = User.objects.get_or_create(username="iemand")
    if created:
        user.groups.add(Group.objects.get(name="eindredacteur"))
    return user


def commission(code: str = "user") -> Commission:
    return Commission.objects.get(code=code)


def make_member(code: str = "user", username: str = "", *, role: str = "member", **fields: Any) -> Membership:
    """A seat in a commission, with an account of its own."""
    user = make_user(username or f"{role}-{code}-{next(_numbers)}")
    return Membership.objects.create(commission=commission(code), user=user, role=role, **fields)


def chair(code: str = "user") -> Membership:
    """The chair of a commission; the one there is, if the seat is filled."""
    seats = Membership.objects.active().filter(commission__code=code, role=Membership.Role.CHAIR)
    return seats.select_related("user", "commission").first() or make_member(code, f"chair-{code}", role="chair")


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


def make_study(label: str = "", **fields: Any) -> Study:
    """A study from 2020 of which nothing else is known, in the synthesis jansen-2020 if no other is asked."""
    number = next(_numbers)
    fields = {"key": f"studie-{number}", "label": label or f"Studie {number}", "year": 2020} | fields
    return Study.objects.create(**{"synthesis": fields.pop("synthesis", None) or make_source("jansen-2020")} | fields)


def make_effect(
    effect: float = 0.3, variance: float = 0.05, *, study: Study | None = None, **fields: Any
) -> EffectSize:
    """An effect as a source gives it, of a study of its own if none is given."""
    by = fields.pop("created_by", None) or anybody()
    return EffectSize.objects.create(
        study=study or make_study(), effect=effect, variance=variance, created_by=by, **fields
    )


def select(version: Any, *effects: Any, **fields: Any) -> Selection:
    """A selection of a version with its effects; an effect with a reason, as a pair, is left out."""
    chosen = Selection.objects.create(version=version, **fields)
    rows = [row if isinstance(row, tuple) else (row, "") for row in effects]
    SelectedEffect.objects.bulk_create(
        SelectedEffect(
            version_id=version.pk, selection=chosen.uid, effect=effect, included=not reason, reason=reason, order=order
        )
        for order, (effect, reason) in enumerate(rows)
    )
    return chosen


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
    effects: Sequence[Any] = (),
    selection: dict[str, Any] | None = None,
    **fields: Any,
) -> Any:
    """The next version of an item with its children, as the model of its kind, brought to `state`.

    `effects` are the study rows that it rests on, as `select` takes them; `selection` says how they are pooled.
    """
    by = by or anybody()
    version = start_draft(item, by=by)
    for name, value in ((CHANGE if version.number > 1 else {}) | fields).items():
        setattr(version, name, value)
    version.save()
    VersionContributor.objects.get_or_create(version=version, user=by)
    for order, concept in enumerate(concepts):
        ConceptLink.objects.create(version=version, concept=concept, order=order)
    for order, source in enumerate(sources):
        SourceLink.objects.create(version=version, source=source, order=order)
    for order, other in enumerate(related):
        ItemLink.objects.create(version=version, item=other, order=order)
    if effects:
        select(version, *effects, **selection or {})
    for model, rows in ((EvidenceRating, ratings), (ExternalVerdict, verdicts)):
        for order, row in enumerate(rows):
            child = model(version=version, order=order, **row)
            if model is EvidenceRating and child.basis == "synthesis" and child.source is None:
                child.source = make_source("jansen-2020")
            child.clean()
            child.save()
    if effects:
        version.derive()
    return bring_to(version, state, by=by)


def in_review(version: Any, *, by: User | None = None) -> ReviewRound:
    """Lay a version before the commissions without the audit trail and the mails of `submit`. Returns the round."""
    content = canonical(version)
    round = ReviewRound.objects.create(
        version_id=version.pk,
        number=version.round_no + 1,
        content_hash=hash_of(content),
        content=content,
        opened_by=by or anybody(),
        due_on=date(2099, 1, 1),
    )
    version.state, version.round_no, version.content_hash = State.IN_REVIEW, round.number, round.content_hash
    version.submitted_at, version.submitted_by = round.opened_at, round.opened_by
    version.save(update_fields=["state", "round_no", "content_hash", "submitted_at", "submitted_by"])
    return round


def decision(round: ReviewRound, code: str, *, outcome: str = Decision.Outcome.APPROVE, **fields: Any) -> Decision:
    """What a commission decided, without the reviews that come before it."""
    made = _decision(round, chair(code), outcome=outcome, **fields)
    made.save()
    return made


def _decision(round: ReviewRound, seat: Membership, **fields: Any) -> Decision:
    return Decision(
        **{
            "round": round,
            "commission": seat.commission,
            "membership": seat,
            "outcome": Decision.Outcome.APPROVE,
            "content_hash": round.content_hash,
            "decided_by": seat.user,
            "quorum_needed": 2,
            "quorum_reached": 2,
            "rationale": "De commissie vindt de tekst in orde.",
        }
        | fields
    )


def approve(version: Any, *, by: User | None = None) -> Any:
    """The version, approved by both commissions."""
    round = in_review(version, by=by) if version.is_editable else version.rounds.open().get()
    for code in Commission.Code.values:
        decision(round, code)
    round.closed_at, round.outcome = round.opened_at, ReviewRound.Outcome.APPROVED
    round.save(update_fields=["closed_at", "outcome"])
    version.state = State.APPROVED
    version.save(update_fields=["state"])
    return version


def bring_to(version: Any, state: str, *, by: User | None = None) -> Any:
    """The version in that state, through the doors that lead there."""
    publisher = anybody()
    if state == State.IN_REVIEW:
        in_review(version, by=by)
    elif state == State.CHANGES_REQUESTED:
        round = in_review(version, by=by)
        decision(round, "user", outcome=Decision.Outcome.CHANGES)
        round.closed_at, round.outcome = round.opened_at, ReviewRound.Outcome.CHANGES
        round.save(update_fields=["closed_at", "outcome"])
        version.state = state
        version.save(update_fields=["state"])
    elif state == State.DISCARDED:
        version.state = state
        version.save(update_fields=["state"])
    elif state != State.DRAFT:
        version = approve(version, by=by)
    if state in {State.PUBLISHED, State.SUPERSEDED, State.WITHDRAWN}:
        version = publish(version, by=publisher)
    if state == State.WITHDRAWN:
        version = withdraw(version, by=publisher, reason="De studie erachter is ingetrokken.")
    elif state == State.SUPERSEDED:
        publish(approve(make_version(version.item, by=by)), by=publisher)
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
    """Many published practices, `praktijk-01` and so on; published together, which is far quicker."""
    slugs = [f"{prefix}-{number:02}" for number in range(1, count + 1)]
    made = publish_all([make_practice(slug, state=State.DRAFT, **fields) for slug in slugs])
    facets.rebuild()
    return made


def publish_all(drafts: Sequence[Any], *, moments: Sequence[datetime] = ()) -> list[Any]:
    """First drafts along the legal moves to publication, a table at a time: approved by both, rendered, in search.

    Without the audit trail and the messages of the verbs, and without the index of the overview. `moments` is when
    each was published; else now, one after the other.
    """
    publisher, now = anybody(), timezone.now()
    contents = [canonical(draft) for draft in drafts]
    rounds = ReviewRound.objects.bulk_create(
        ReviewRound(
            version_id=draft.pk, number=1, content=content, content_hash=hash_of(content), opened_by=publisher,
            due_on=date(2099, 1, 1),
        )
        for draft, content in zip(drafts, contents, strict=True)
    )  # fmt: skip
    for draft, round in zip(drafts, rounds, strict=True):
        draft.state, draft.round_no, draft.content_hash = State.IN_REVIEW, 1, round.content_hash
        draft.submitted_at, draft.submitted_by = round.opened_at, publisher
    fields = ["state", "round_no", "content_hash", "submitted_at", "submitted_by"]
    Version.objects.bulk_update(drafts, fields, batch_size=50)
    seats = [chair(code) for code in Commission.Code.values]
    Decision.objects.bulk_create(_decision(round, seat) for round in rounds for seat in seats)
    versions = Version.objects.filter(pk__in=[draft.pk for draft in drafts])
    ReviewRound.objects.filter(version__in=versions).update(closed_at=now, outcome=ReviewRound.Outcome.APPROVED)
    versions.update(state=State.APPROVED)
    for place, draft in enumerate(drafts):
        draft.state, draft.published_by = State.PUBLISHED, publisher
        draft.published_at = moments[place] if moments else now + timedelta(microseconds=place)
    Version.objects.bulk_update(drafts, ["state", "published_by", "published_at"], batch_size=50)
    for draft in drafts:
        rendering.store(draft)
    for kind in {draft.item.kind for draft in drafts}:
        search.index_kind(kind, [draft.item_id for draft in drafts if draft.item.kind == kind])
    SiteState.touch()
    return list(drafts)


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
