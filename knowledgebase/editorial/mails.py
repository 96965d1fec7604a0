"""What a message of the outbox says, whether it still holds, and the mail that carries it: plain text and HTML."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from email.utils import formataddr, parseaddr
from typing import Any
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.formats import date_format
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext as _
from django.utils.translation import override

from knowledgebase.models import Commission, Item, OutboxMessage, ReviewRound, User, Version

from .reviews import asked_to_decide, standing, still_to_review

Kind = OutboxMessage.Kind
State = Version.State
LINKS_WAIT = timedelta(days=1)  # who asked for a password longer ago has asked again, or forgot


class NoLongerApplies(Exception):
    """What a message says is no longer so; the argument says why, for who reads the outbox."""


@dataclass(frozen=True)
class Line:
    """One message in words. `details` are facts to keep, each with its name."""

    subject: str
    text: str
    action: str
    url: str
    quote: str = ""
    details: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class About:
    """What a message is about: the version and the round that its data name, as they are now."""

    message: OutboxMessage
    version: Version
    round: ReviewRound | None

    @property
    def title(self) -> str:
        return self.version.title

    @property
    def due(self) -> str:
        return day(self.round.due_on) if self.round else ""

    @property
    def is_revalidation(self) -> bool:
        return self.round is not None and self.round.kind == ReviewRound.Kind.REVALIDATION

    @property
    def reason(self) -> str:
        return str(self.message.data.get("reason", ""))


def day(on: date) -> str:
    return date_format(on, "j F Y")


def absolute(path: str) -> str:
    return f"{settings.SITE_URL}{path}"


def line_of(message: OutboxMessage) -> Line:
    """The words of a message, from how things are now. Raises NoLongerApplies."""
    if message.kind in ACCOUNT:
        return ACCOUNT[message.kind](message)
    versions = Version.objects.select_related("item")
    version = versions.filter(item=message.item_id, number=message.data.get("version")).first()
    if version is None:
        raise NoLongerApplies(_("This version is gone."))
    number = message.data.get("round")
    round = version.rounds.filter(number=number).first() if number is not None else None
    return WORDS[message.kind](About(message, version, round))


def _waits_for(about: About, seats_of: Callable[[ReviewRound, Commission], Iterable[Any]]) -> None:
    """Raises NoLongerApplies unless the round is open and somebody with a seat of the recipient is awaited."""
    if about.round is None or not about.round.is_open:
        raise NoLongerApplies(_("The round is closed."))
    awaited = {seat.user_id for commission in Commission.objects.all() for seat in seats_of(about.round, commission)}
    if about.message.recipient_id not in awaited:
        raise NoLongerApplies(_("Nothing is asked of this person any more."))


def _only_if(holds: bool, why: str) -> None:
    if not holds:
        raise NoLongerApplies(why)


def _desk(subject: str, text: str, about: About, **more: Any) -> Line:
    path = reverse("desk-round", args=[about.round.pk]) if about.round else reverse("desk")
    return Line(subject % {"title": about.title}, text, _("Open the desk"), absolute(path), **more)


def _admin(subject: str, text: str, about: About, **more: Any) -> Line:
    return Line(subject % {"title": about.title}, text, _("Open the text"), absolute(_admin_path(about)), **more)


def _public(subject: str, text: str, about: About, **more: Any) -> Line:
    path = about.version.get_absolute_url()
    return Line(subject % {"title": about.title}, text, _("See the page"), absolute(path), **more)


def _admin_path(about: About) -> str:
    """The page in the admin of the text with its versions."""
    kind = about.version.item.kind
    proxies = (model for model in apps.get_models() if model._meta.concrete_model is Item and model is not Item)
    model = next(model for model in proxies if model._default_manager.kind == kind)  # type: ignore[attr-defined]  # a KindManager
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[about.version.item_id])


# -- the commissions


def _review(about: About) -> Line:
    _waits_for(about, still_to_review)
    text = _("This text waits for your recommendation, until %(due)s.") % {"due": about.due}
    return _desk(_("Your review is asked: %(title)s"), text, about)


def _revalidate(about: About) -> Line:
    _waits_for(about, still_to_review)
    _only_if(not _decides(about), _("This person is asked to decide."))
    text = _("The commissions look again at this published text. You may advise your chair until %(due)s.")
    return _desk(_("Does this still hold? %(title)s"), text % {"due": about.due}, about)


def _decides(about: About) -> bool:
    round, who = about.round, about.message.recipient_id
    return round is not None and any(
        seat.user_id == who for commission in Commission.objects.all() for seat in asked_to_decide(round, commission)
    )


def _decide(about: About) -> Line:
    _waits_for(about, asked_to_decide)
    text = (
        _("The review date of this published text has come. Say for your commission, before %(due)s, whether it holds.")
        if about.is_revalidation
        else _("The recommendations are there. Record the decision of your commission; the round ends on %(due)s.")
    )
    return _desk(_("Your decision is asked: %(title)s"), text % {"due": about.due}, about)


def _due_soon(about: About) -> Line:
    return _deadline(about, _("Before %(due)s: %(title)s"))


def _overdue(about: About) -> Line:
    return _deadline(about, _("Past its date, %(due)s: %(title)s"))


def _deadline(about: About, subject: str) -> Line:
    decides = about.message.data.get("task") == "decide"
    _waits_for(about, asked_to_decide if decides else still_to_review)
    text = _("The decision of your commission is still awaited.") if decides else _("Your review is still awaited.")
    return _desk(subject.replace("%(due)s", about.due), text, about)


def _recalled(about: About) -> Line:
    """Only who was asked needs to hear that nothing is asked any more."""
    asked = OutboxMessage.objects.filter(
        kind=Kind.REVIEW, recipient=about.message.recipient_id, item=about.message.item_id, sent_at__isnull=False,
        data__version=about.version.number, data__round=about.message.data.get("round"),
    )  # fmt: skip
    _only_if(asked.exists(), _("This person was never asked."))
    return _desk(
        _("Recalled: %(title)s"), _("The editors took the text back to change it. You need do nothing."), about
    )


def _recused(about: About) -> Line:
    _only_if(about.round is not None and about.round.is_open, _("The round is closed."))
    text = _("A member of your commission stepped back from this round. Watch the quorum.")
    return _desk(_("A member stepped back: %(title)s"), text, about)


# -- the editors


def _changes(about: About) -> Line:
    if about.is_revalidation:
        _only_if(about.version.state == State.PUBLISHED, _("This version is no longer public."))
        text = _("A commission says that this published text no longer holds as it is. Make a new version.")
    else:
        current = about.round is not None and about.version.round_no == about.round.number
        _only_if(current and about.version.state == State.CHANGES_REQUESTED, _("The text was submitted again."))
        text = _("The commissions ask for changes. You find their reports and comments with the text.")
    return _admin(_("Changes are asked: %(title)s"), text, about)


def _publish(about: About) -> Line:
    current = about.round is not None and about.version.round_no == about.round.number
    _only_if(current and about.version.state == State.APPROVED, _("The text no longer waits for publication."))
    text = _("Both commissions approved version %(number)s. Publish it now or choose a date.")
    return _admin(_("Ready to publish: %(title)s"), text % {"number": about.version.number}, about)


def _revoked(about: About) -> Line:
    text = _("A commission took its decision on version %(number)s back, for this reason:")
    return _admin(
        _("An approval was revoked: %(title)s"), text % {"number": about.version.number}, about, quote=about.reason
    )


def _comment(about: About) -> Line:
    is_open = about.version.state in {State.IN_REVIEW, State.CHANGES_REQUESTED, State.APPROVED, State.DRAFT}
    _only_if(is_open, _("This version is no longer open."))
    return _admin(_("New comments: %(title)s"), _("A commission commented on the text."), about)


def _published(about: About) -> Line:
    _only_if(about.version.state != State.WITHDRAWN, _("The text was withdrawn meanwhile."))
    text = _("Version %(number)s is public.") % {"number": about.version.number}
    return _public(_("Published: %(title)s"), text, about)


def _withdrawn(about: About) -> Line:
    text = _("This text is no longer public. Readers see this reason:")
    return _public(_("Withdrawn: %(title)s"), text, about, quote=about.reason)


def _failed(about: About) -> Line:
    planned = about.version.state == State.APPROVED and about.version.publish_at is not None
    _only_if(planned, _("No publication is planned any more."))
    text = _(
        "The planned publication failed. The site keeps trying until you change the plan. This is what went wrong:"
    )
    return _admin(_("Not published: %(title)s"), text, about, quote=about.reason)


def _stuck(about: About) -> Line:
    commission = Commission.objects.get(code=about.message.data["commission"])
    round = about.round
    if round is None or standing(round, commission).state != "ready" or asked_to_decide(round, commission):
        raise NoLongerApplies(_("Somebody may decide now, or has decided."))
    text = _(
        "The chair and the deputy chair of the %(commission)s cannot decide on this text: they wrote in it, stepped back,"
        " decided for the other commission, or the seats are empty. Ask the administrator for a deputy chair who can."
    )
    return _admin(_("Nobody may decide: %(title)s"), text % {"commission": commission}, about)


def _stale(about: About) -> Line:
    _only_if(about.version.state == State.PUBLISHED, _("This version is no longer public."))
    _only_if(not about.version.item.versions.open().exists(), _("A new version is being written."))
    text = _("The review date has come, but the commissions cannot confirm this version: %(reason)s")
    return _admin(_("A new version is needed: %(title)s"), text % {"reason": about.reason}, about)


# -- about no text: the audit trail, and accounts


def _heads(message: OutboxMessage) -> Line:
    data = message.data
    details = (
        (_("Up to"), str(data["until"])),
        (_("Chains"), str(data["chains"])),
        (_("Events"), str(data["events"])),
        (_("Digest"), str(data["digest"])),
    )
    text = _(
        "Keep this mail. With it anybody can show later that nothing in the audit trail before this moment was changed"
        " or removed: the administrator runs verify_audit with these values."
    )
    subject = _("Audit trail up to %(day)s") % {"day": day(date.fromisoformat(str(data["day"])))}
    return Line(subject, text, _("Open the desk"), absolute(reverse("desk")), details=details)


def _password_url(user: User) -> str:
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    return absolute(reverse("password_reset_confirm", args=[uid, default_token_generator.make_token(user)]))


def _reset(message: OutboxMessage) -> Line:
    _only_if(message.due_at > timezone.now() - LINKS_WAIT, _("This was asked too long ago."))
    text = _(
        "Somebody, probably you, asked for a new password for the account “%(name)s”. The link works once, for three"
        " days. Was it not you? Then do nothing: your password stays as it is."
    )
    return Line(
        _("Choose a new password"), text % {"name": message.recipient.get_username()}, _("Choose a new password"),
        _password_url(message.recipient),
    )  # fmt: skip


def _invite(message: OutboxMessage) -> Line:
    _only_if(message.recipient.last_login is None, _("This person has logged in already."))
    text = _(
        "You have an account, with the name “%(name)s”. Choose a password to begin. The link works once, for three days;"
        " after that, ask for a new one on the login page."
    )
    return Line(
        _("Your account for Leerpunt"), text % {"name": message.recipient.get_username()}, _("Choose a password"),
        _password_url(message.recipient),
    )  # fmt: skip


ACCOUNT: dict[str, Callable[[OutboxMessage], Line]] = {Kind.HEADS: _heads, Kind.RESET: _reset, Kind.INVITE: _invite}
WORDS: dict[str, Callable[[About], Line]] = {
    Kind.REVIEW: _review,
    Kind.REVALIDATE: _revalidate,
    Kind.DECIDE: _decide,
    Kind.DUE_SOON: _due_soon,
    Kind.OVERDUE: _overdue,
    Kind.RECALLED: _recalled,
    Kind.RECUSED: _recused,
    Kind.CHANGES: _changes,
    Kind.PUBLISH: _publish,
    Kind.REVOKED: _revoked,
    Kind.COMMENT: _comment,
    Kind.PUBLISHED: _published,
    Kind.WITHDRAWN: _withdrawn,
    Kind.FAILED: _failed,
    Kind.STUCK: _stuck,
    Kind.STALE: _stale,
}


# -- the mail


def mail_of(person: User, lines: list[Line]) -> EmailMultiAlternatives:
    """One mail to one person: a single line on its own, or a digest. Lines that say the same are said once."""
    lines = list(dict.fromkeys(lines))
    with override(settings.LANGUAGE_CODE):
        subject = lines[0].subject if len(lines) == 1 else _("Leerpunt: %(count)s messages") % {"count": len(lines)}
        context = {
            "subject": subject,
            "name": person.first_name or person.get_username(),
            "lines": lines,
            "site_url": settings.SITE_URL,
        }
        text = render_to_string("mail/message.txt", context)
        html = render_to_string("mail/message.html", context)
    mail = EmailMultiAlternatives(
        " ".join(subject.split()),
        text,
        to=[formataddr((person.get_full_name(), person.email))],
        headers={"Auto-Submitted": "auto-generated", "List-Id": f"Leerpunt <{_list_id()}>"},
    )
    mail.attach_alternative(html, "text/html")
    return mail


def _list_id() -> str:
    host = urlsplit(settings.SITE_URL).hostname or parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    return f"meldingen.{host}"
