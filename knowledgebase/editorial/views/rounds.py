"""One text before the commissions: its page, and what members and chairs do there. Every deed is one verb."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.urls import resolve
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from knowledgebase import rendering
from knowledgebase.editorial import reviews
from knowledgebase.editorial.desk import Part, Viewer, admin_url, due_in_words, part, place_of, progress
from knowledgebase.editorial.desk_forms import (
    CommentForm,
    DecisionForm,
    DeskForm,
    RecuseForm,
    ReviewForm,
    RevokeForm,
    anchors_of,
)
from knowledgebase.editorial.differences import Difference, differences
from knowledgebase.editorial.norms import readability_of
from knowledgebase.editorial.refusals import AlreadyDone, MoveRefused, NotAllowed
from knowledgebase.models import (
    EDITABLE,
    Comment,
    Commission,
    Criterion,
    Decision,
    Review,
    ReviewRound,
    Version,
)

from .frame import at_the_desk, show

Deed = Callable[[dict[str, Any]], object]


@dataclass(frozen=True)
class Panel:
    """What one seat of the viewer sees and may do in a round."""

    part: Part
    forms: dict[str, DeskForm]
    own: Review | None
    colleagues: list[Review]
    earlier: Decision | None


@dataclass(frozen=True)
class Comparison:
    """What differs from another content of the text; `since` says from which."""

    since: str
    differences: list[Difference]


def _round(pk: int) -> ReviewRound:
    return get_object_or_404(ReviewRound.objects.select_related("version__item", "opened_by"), pk=pk)


@require_safe
@at_the_desk
def round_detail(request: HttpRequest, viewer: Viewer, pk: int) -> HttpResponse:
    return _page(request, viewer, _round(pk))


def _page(
    request: HttpRequest, viewer: Viewer, round: ReviewRound, form: DeskForm | None = None, *, status: int = 200
) -> HttpResponse:
    """The page of a round; a form that was refused stands in it with what was typed."""
    model = Version.model_for(round.version.item.kind)
    anchors = anchors_of(round, model)
    found = reviews.standings([round])[round.pk]
    given = list(reviews.visible_reviews(round, to=viewer.user).prefetch_related("answers"))
    panels = list(_panels(viewer, round, found, given, anchors, form))
    shown = form is None or any(form in panel.forms.values() for panel in panels)
    words = dict(anchors)
    comments = list(reviews.visible_comments(round, to=viewer.user))
    leads = {seat.commission_id for seat in viewer.seats if seat.is_leading}
    context = {
        "round": round,
        "version": round.version,
        "item": round.version.item,
        "title": round.content["title"],
        "question": round.content.get("question", ""),
        "lead": round.content.get("answer") or round.content.get("lead", ""),
        "change": _change(round),
        "progress": progress(round, found, viewer),
        "place": place_of(round.version, round),
        "due": due_in_words(round.due_on),
        "is_overdue": round.due_on < timezone.localdate(),
        "edit_url": admin_url(round.version),
        "panels": panels,
        "reports": [] if viewer.seats else given,
        "decisions": _decisions(viewer, round),
        "comparisons": list(_comparisons(viewer, round, model)),
        "text": _text(request, round, model),
        "comments": [(comment, _about(comment, words), _resolves(viewer, comment, leads)) for comment in comments],
        "rounds": round.version.rounds.exclude(pk=round.pk).defer("content"),
        "refused": None if shown else form,
    }
    return show(request, "redactie/round.html", viewer, context, status=status)


def _panels(
    viewer: Viewer,
    round: ReviewRound,
    found: list[reviews.Standing],
    given: list[Review],
    anchors: list[tuple[str, str]],
    form: DeskForm | None,
) -> Iterator[Panel]:
    for seat in viewer.seats:
        commission = seat.commission
        own_part = part(round, seat, next(standing for standing in found if standing.commission == commission))
        of_commission = [review for review in given if review.commission_id == commission.pk]
        forms: list[DeskForm] = []
        if own_part.may_review:
            forms.append(ReviewForm(commission=commission, criteria=_criteria(commission)))
        if own_part.may_recuse:
            forms.append(RecuseForm(commission=commission))
        if own_part.may_comment:
            forms.append(CommentForm(commission=commission, anchors=anchors))
        if own_part.may_decide:
            forms.append(DecisionForm(commission=commission, round=round))
        if own_part.may_revoke:
            forms.append(RevokeForm(commission=commission))
        by_name = {shown.name: shown for shown in forms}
        if form is not None and form.commission == commission and form.name in by_name:
            by_name[form.name] = form
        yield Panel(
            own_part,
            by_name,
            own=next((review for review in of_commission if review.membership.user_id == viewer.user.pk), None),
            colleagues=[review for review in of_commission if review.membership.user_id != viewer.user.pk],
            earlier=_earlier(round, own_part),
        )


def _earlier(round: ReviewRound, own_part: Part) -> Decision | None:
    """The approval that may be confirmed in one press, also before the members have reviewed again."""
    may = own_part.seat in own_part.standing.deciding and own_part.standing.decision is None and round.is_open
    return reviews.confirmable(round, own_part.commission) if may else None


def _criteria(commission: Commission) -> list[Criterion]:
    return list(commission.criteria.filter(is_active=True))


def _decisions(viewer: Viewer, round: ReviewRound) -> list[Decision]:
    """What was decided, revoked decisions included; while the round is open only by one's own commission."""
    decisions = round.decisions.select_related("commission", "membership__user", "decided_by", "confirms__round")
    if round.is_open:
        decisions = decisions.filter(commission__in=[seat.commission_id for seat in viewer.seats])
    return list(decisions.order_by("-commission__code", "decided_at"))


def _comparisons(viewer: Viewer, round: ReviewRound, model: type[Version]) -> Iterator[Comparison]:
    if round.kind == ReviewRound.Kind.REVALIDATION:
        return  # the text is the one that is public
    version = round.version
    rounds = ReviewRound.objects.filter(version__item=version.item_id)
    public = Version.objects.published().filter(item=version.item_id).exclude(pk=version.pk).first()
    if public is not None:
        before = rounds.filter(version=public.pk, number=public.round_no).first()
        yield Comparison(
            _("the published version %(number)s") % {"number": public.number},
            differences(before.content if before else None, round.content, model=model),
        )
    for seat in viewer.seats:
        last = rounds.filter(
            version=version.pk, number__lt=round.number, decisions__commission=seat.commission_id
        ).order_by("-number").first()  # fmt: skip
        if last is not None:
            yield Comparison(
                _("the last decision of the %(commission)s, in round %(number)s")
                % {"commission": seat.commission, "number": last.number},
                differences(last.content, round.content, model=model),
            )
    if not viewer.seats:
        last = rounds.filter(version=version.pk, number__lt=round.number).order_by("-number").first()
        if last is not None:
            yield Comparison(
                _("round %(number)s") % {"number": last.number},
                differences(last.content, round.content, model=model),
            )


def _text(request: HttpRequest, round: ReviewRound, model: type[Version]) -> dict[str, Any]:
    """The text of the round: as readers will see it, or field by field when editors may have changed it since."""
    version = round.version
    try:
        if round.is_open or (version.state not in EDITABLE and version.content_hash == round.content_hash):
            frozen = model._default_manager.select_related("item").get(pk=version.pk)
            return {"html": _as_published(request, frozen), "scores": readability_of(frozen)}
        fields = {field.name: field for field in model._meta.concrete_fields}
        said = [(fields[name], round.content.get(name, "")) for name in model.markdown_fields]
        html = [(field.verbose_name, rendering.render(words)) for field, words in said if words]
        return {"fields": [(label, mark_safe(text)) for label, text in html]}  # noqa: S308  # cleaned by nh3
    except rendering.TextTooComplex as problem:
        return {"problem": str(problem)}


def _change(round: ReviewRound) -> list[tuple[str, str]]:
    """What the editors say that they changed since the version before, in words."""
    found = []
    fields = {field.name: field for field in Version._meta.concrete_fields}
    for name in ("change_type", "conclusion_changed", "change_note"):
        field = fields[name]
        if value := round.content.get(name):
            found.append((str(field.verbose_name), str(dict(field.flatchoices).get(value, value))))
    return found


def _as_published(request: HttpRequest, version: Any) -> str:
    """The page that readers will see, without its head: made by the view of its public address."""
    match = resolve(version.item.get_absolute_url())
    view = match.func.view_class()  # type: ignore[attr-defined]  # addresses of texts lead to class-based views
    view.setup(request, *match.args, **match.kwargs)
    kwargs = {name: value for name, value in match.kwargs.items() if name != "slug"}
    return render_to_string(view.body_template, view.get_context_data(version=version, **kwargs), request)


def _about(comment: Comment, words: dict[str, str]) -> str:
    """The part of the text that a comment is about, in words; a part that is gone by its field."""
    if not comment.field:
        return _("The text as a whole")
    key = f"{comment.field}:{comment.target_uid}" if comment.target_uid else comment.field
    return words.get(key) or _("A part that is no longer in the text")


def _resolves(viewer: Viewer, comment: Comment, leads: set[int]) -> bool:
    seated = any(seat.commission_id == comment.commission_id for seat in viewer.seats)
    own = seated and comment.author_id == viewer.user.pk
    return comment.resolved_at is None and (own or comment.commission_id in leads)


# -- deeds


def _commission(request: HttpRequest) -> Commission:
    return get_object_or_404(Commission, code=request.POST.get("commission", ""))


def _perform(
    request: HttpRequest, viewer: Viewer, round: ReviewRound, form: DeskForm, deed: Deed, *, done: str
) -> HttpResponse:
    """Do it and go back to the round; or show the page again with why it was refused and what was typed."""
    status = 422
    commission = form.commission
    if commission and not any(seat.commission_id == commission.pk for seat in viewer.seats):
        form.refuse(NotAllowed(
            _("You have no seat in the %(commission)s now. Members of one commission never act for the other.")
            % {"commission": commission}
        ))  # fmt: skip
        status = 403
    elif form.is_valid():
        try:
            deed(form.cleaned_data)
        except AlreadyDone as refusal:
            messages.info(request, str(refusal))
            return redirect("desk-round", round.pk)
        except MoveRefused as refusal:
            form.refuse(refusal)
            status = 403 if isinstance(refusal, NotAllowed) else 422
        else:
            messages.success(request, done)
            return redirect("desk-round", round.pk)
    return _page(request, viewer, _round(round.pk), form, status=status)


@require_POST
@at_the_desk
def review(request: HttpRequest, viewer: Viewer, pk: int) -> HttpResponse:
    round, commission = _round(pk), _commission(request)
    form = ReviewForm(request.POST, commission=commission, criteria=_criteria(commission))

    def deed(data: dict[str, Any]) -> object:
        return reviews.submit_review(
            round,
            commission=commission,
            by=viewer.user,
            seen=request.POST.get("seen", ""),
            recommendation=data["recommendation"],
            interest=data["interest"],
            interest_text=data["interest_text"],
            body=data["body"],
            answers=form.answers(),
        )

    return _perform(request, viewer, round, form, deed, done=_("Thank you: your review is recorded."))


@require_POST
@at_the_desk
def recuse(request: HttpRequest, viewer: Viewer, pk: int) -> HttpResponse:
    round, commission = _round(pk), _commission(request)

    def deed(data: dict[str, Any]) -> object:
        return reviews.recuse(round, commission=commission, by=viewer.user, reason=data["reason"])

    form = RecuseForm(request.POST, commission=commission)
    return _perform(request, viewer, round, form, deed, done=_("You stepped back from this round."))


@require_POST
@at_the_desk
def decide(request: HttpRequest, viewer: Viewer, pk: int) -> HttpResponse:
    round, commission = _round(pk), _commission(request)

    def deed(data: dict[str, Any]) -> object:
        return reviews.decide(round, commission=commission, by=viewer.user, seen=request.POST.get("seen", ""), **data)

    form = DecisionForm(request.POST, commission=commission, round=round)
    return _perform(request, viewer, round, form, deed, done=_("The decision of your commission is recorded."))


@require_POST
@at_the_desk
def confirm(request: HttpRequest, viewer: Viewer, pk: int) -> HttpResponse:
    round, commission = _round(pk), _commission(request)

    def deed(_data: dict[str, Any]) -> object:
        return reviews.confirm_earlier(round, commission=commission, by=viewer.user, seen=request.POST.get("seen", ""))

    form = DeskForm(request.POST, commission=commission)
    return _perform(request, viewer, round, form, deed, done=_("The earlier approval holds for this text as well."))


@require_POST
@at_the_desk
def close_early(request: HttpRequest, viewer: Viewer, pk: int) -> HttpResponse:
    round, commission = _round(pk), _commission(request)

    def deed(_data: dict[str, Any]) -> object:
        return reviews.close_early(round, commission=commission, by=viewer.user)

    form = DeskForm(request.POST, commission=commission)
    return _perform(
        request, viewer, round, form, deed, done=_("The round is closed: the text is back with the editors.")
    )


@require_POST
@at_the_desk
def comment(request: HttpRequest, viewer: Viewer, pk: int) -> HttpResponse:
    round, commission = _round(pk), _commission(request)
    anchors = anchors_of(round, Version.model_for(round.version.item.kind))
    form = CommentForm(request.POST, commission=commission, anchors=anchors)

    def deed(data: dict[str, Any]) -> object:
        field, uid = form.target()
        return reviews.comment(
            round, commission=commission, by=viewer.user, field=field, target_uid=uid, body=data["body"],
            quote=data["quote"], is_blocking=data["is_blocking"],
        )  # fmt: skip

    return _perform(request, viewer, round, form, deed, done=_("Your comment is recorded: the editors see it."))


@require_POST
@at_the_desk
def resolve_comment(request: HttpRequest, viewer: Viewer, pk: int) -> HttpResponse:
    """Settle a comment, and go back to the round at which it was read."""
    found = get_object_or_404(Comment.objects.select_related("version__item", "round", "commission"), pk=pk)
    read_at = request.POST.get("round", "")
    rounds = ReviewRound.objects.filter(
        version=found.version_id, pk=int(read_at) if read_at.isdecimal() and len(read_at) < 19 else 0
    )
    round = rounds.first() or found.round

    def deed(_data: dict[str, Any]) -> object:
        return reviews.resolve(found, by=viewer.user)

    form = DeskForm(request.POST, commission=found.commission)
    return _perform(request, viewer, round, form, deed, done=_("The comment is settled."))


@require_POST
@at_the_desk
def revoke(request: HttpRequest, viewer: Viewer, pk: int) -> HttpResponse:
    decision = get_object_or_404(Decision.objects.select_related("round__version__item", "commission"), pk=pk)

    def deed(data: dict[str, Any]) -> object:
        return reviews.revoke(decision, by=viewer.user, reason=data["reason"])

    form = RevokeForm(request.POST, commission=decision.commission)
    return _perform(request, viewer, decision.round, form, deed, done=_("The decision is revoked."))
