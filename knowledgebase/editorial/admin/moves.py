"""The buttons that move a version: each asks first, on a page of its own, and posts to one verb."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from knowledgebase.editorial import reviews, transitions
from knowledgebase.editorial.findings import findings
from knowledgebase.editorial.forms import LockedForm, ScheduleForm, SubmitForm, WithdrawForm
from knowledgebase.editorial.permissions import may_publish, may_write
from knowledgebase.editorial.refusals import AlreadyDone, MoveRefused
from knowledgebase.editorial.transitions import approval_gaps, check_edge, withdrawing_role
from knowledgebase.models import PUBLIC_ONCE, User, Version

State = Version.State
EDITORS = gettext_noop("Only editors do this.")
CHIEF = gettext_noop("Only the editor in chief does this.")
WITHDRAWERS = gettext_noop("Only the editor in chief and the chairs of the commissions withdraw a text.")


@dataclass(frozen=True)
class Move:
    """One button: `check` raises MoveRefused in a state where it does not exist, `deed` calls the verb."""

    name: str
    path: str
    label: str
    who: str
    may: Callable[[User, Any], bool]
    check: Callable[[Any], None]
    deed: Callable[[Any, User, LockedForm], tuple[Any, str]]  # the version to go on with, and what to say
    form: type[LockedForm] = LockedForm
    context: Callable[[Any], dict[str, Any]] = field(default=lambda _version: {})
    is_done: Callable[[Any, Any], bool] = field(default=lambda _version, _form: False)  # for a second press

    @property
    def template(self) -> str:
        return f"admin/editorial/{self.name}.html"

    def is_possible(self, version: Any, by: User) -> bool:
        """Whether the button stands on the page of a version."""
        try:
            self.check(version)
        except MoveRefused:
            return False
        return self.may(by, version)


def _towards(to: str) -> Callable[[Any], None]:
    return lambda version: check_edge(version, to)


def _planned(version: Any) -> None:
    if version.state != State.APPROVED or version.publish_at is None:
        raise AlreadyDone(_("No publication is planned: nothing was changed."))


def _public(version: Any) -> None:
    if version.state != State.PUBLISHED:
        raise MoveRefused(_("Only a published version is confirmed again."))
    if version.rounds.open().exists():
        raise AlreadyDone(_("The commissions were asked already: nothing was changed."))


def _kept(version: Any) -> None:
    if version.state not in {*PUBLIC_ONCE, State.DISCARDED} or version.state == State.PUBLISHED:
        raise MoveRefused(_("Only an older version is restored. Use “New version” for the published one."))


def _writes(user: User, _version: Any) -> bool:
    return may_write(user)


def _publishes(user: User, _version: Any) -> bool:
    return may_publish(user)


def _submit(version: Any, by: User, form: Any) -> tuple[Any, str]:
    reason = form.cleaned_data.get("readability_reason", "")
    round = transitions.submit(version, by=by, remark=form.cleaned_data["remark"], readability_reason=reason)
    message = _("Submitted: both commissions answer before %(date)s.")
    return version, message % {"date": date_format(round.due_on, "DATE_FORMAT")}


def _recall(version: Any, by: User, _form: Any) -> tuple[Any, str]:
    return transitions.recall(version, by=by), _("Recalled: the text is a draft again.")


def _discard(version: Any, by: User, _form: Any) -> tuple[Any, str]:
    transitions.discard(version, by=by)
    kept = version.round_no > 0
    return (version if kept else None), _("Version %(number)s was thrown away.") % {"number": version.number}


def _restore(version: Any, by: User, _form: Any) -> tuple[Any, str]:
    known = version.item.versions.open().first()
    draft = transitions.begin(version.item, by=by, based_on=version)
    if known is not None:
        return draft, _("This text already has a draft: version %(number)s. Nothing was copied.") % {
            "number": draft.number
        }
    return draft, _("Version %(number)s is a draft that says what version %(old)s said.") % {
        "number": draft.number,
        "old": version.number,
    }


def _publish(version: Any, by: User, _form: Any) -> tuple[Any, str]:
    return transitions.publish(version, by=by), _("Published: readers see this version now.")


def _schedule(version: Any, by: User, form: Any) -> tuple[Any, str]:
    at = form.cleaned_data["at"]
    planned = transitions.schedule(version, by=by, at=at)
    when = date_format(timezone.localtime(at), "DATETIME_FORMAT")
    return planned, _("Planned: the text will be published at %(moment)s.") % {"moment": when}


def _unschedule(version: Any, by: User, _form: Any) -> tuple[Any, str]:
    return transitions.unschedule(version, by=by), _("The plan was cancelled. The text stays approved.")


def _withdraw(version: Any, by: User, form: Any) -> tuple[Any, str]:
    reason, note = form.cleaned_data["reason"], form.cleaned_data["note"]
    gone = transitions.withdraw(version, by=by, reason=reason, note=note)
    return gone, _("Withdrawn: the address of the text now says why.")


def _revalidate(version: Any, by: User, _form: Any) -> tuple[Any, str]:
    round = reviews.start_revalidation(version, by=by)
    message = _("The chairs of both commissions were asked to confirm the text before %(date)s.")
    return version, message % {"date": date_format(round.due_on, "DATE_FORMAT")}


MOVES = (
    Move(
        "submit", "indienen", gettext_noop("Check and submit …"), EDITORS, _writes, _towards(State.IN_REVIEW), _submit,
        form=SubmitForm, context=lambda version: {"findings": findings(version)},
    ),
    Move(
        "recall", "terughalen", gettext_noop("Recall …"), gettext_noop("Only who submitted a text recalls it."),
        lambda user, version: may_write(user) and version.submitted_by_id == user.pk, _towards(State.DRAFT), _recall,
    ),
    Move(
        "publish", "publiceren", gettext_noop("Publish …"), CHIEF, _publishes, _towards(State.PUBLISHED), _publish,
        context=lambda version: {"problems": approval_gaps(version)},
    ),
    Move(
        "schedule", "plannen", gettext_noop("Plan …"), CHIEF, _publishes, _towards(State.PUBLISHED), _schedule,
        form=ScheduleForm, is_done=lambda version, form: version.publish_at == form.cleaned_data.get("at", ""),
    ),
    Move("unschedule", "niet-meer-plannen", gettext_noop("Cancel the plan …"), CHIEF, _publishes, _planned, _unschedule),
    Move(
        "revalidate", "opnieuw-voorleggen", gettext_noop("Have it confirmed …"), CHIEF, _publishes, _public, _revalidate
    ),
    Move(
        "withdraw", "intrekken", gettext_noop("Withdraw …"), WITHDRAWERS,
        lambda user, _version: bool(withdrawing_role(user)), _towards(State.WITHDRAWN), _withdraw, form=WithdrawForm,
    ),
    Move("restore", "herstellen", gettext_noop("Restore as a new draft …"), EDITORS, _writes, _kept, _restore),
    Move("discard", "weggooien", gettext_noop("Throw away …"), EDITORS, _writes, _towards(State.DISCARDED), _discard),
)  # fmt: skip
