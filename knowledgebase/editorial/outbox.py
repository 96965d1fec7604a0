"""Send what waits in the outbox: urgent messages alone and at once, the others in one digest per person per day.

A sender claims the messages of one person under a lock, commits, sends, and writes down how it went. When it dies in
between, its claim runs out and the messages are sent again: rather twice than never.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from smtplib import (
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPHeloError,
    SMTPRecipientsRefused,
    SMTPResponseException,
)

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from knowledgebase.models import OutboxMessage, User

from .mails import Line, NoLongerApplies, line_of, mail_of

CLAIM = timedelta(minutes=30)
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=5), timedelta(hours=12)
MOST_ATTEMPTS = 12  # in about four days


@dataclass
class Sent:
    """What a run of the outbox did. `errors` are sentences for who runs it."""

    mails: int = 0
    skipped: int = 0
    failed: int = 0
    waiting: int = 0
    errors: tuple[str, ...] = ()


class ServerUnreachable(Exception):
    """The mail server takes nothing now: trying the next person would fail alike."""


def send_due() -> Sent:
    """Send everything that is due; safe to run twice at the same time."""
    sent = Sent()
    with override(settings.LANGUAGE_CODE):
        if settings.EMAIL_IS_ON:
            people = list(OutboxMessage.objects.due().order_by().values_list("recipient", flat=True).distinct())
            for user_id in people:
                try:
                    _send_to(user_id, sent)
                except ServerUnreachable as error:
                    sent.errors += (str(error),)
                    break
    sent.waiting = OutboxMessage.objects.due().count()
    return sent


def _send_to(user_id: int, sent: Sent) -> None:
    batches = _claim(user_id)
    for number, batch in enumerate(batches):
        try:
            _send(batch, sent)
        except ServerUnreachable:
            _release([message for later in batches[number + 1 :] for message in later])
            raise


def _claim(user_id: int) -> list[list[OutboxMessage]]:
    """What is due for one person, taken for this sender: urgent messages one by one, then the digest."""
    with transaction.atomic():
        # The lock on the person keeps a second sender from making a second digest of the rest.
        person = User.objects.select_for_update(no_key=True, skip_locked=True).filter(pk=user_id).first()
        if person is None:
            return []
        messages = list(OutboxMessage.objects.due().filter(recipient=person).select_related("item"))
        if any(not message.is_urgent for message in messages):
            retried = OutboxMessage.objects.waiting().filter(recipient=person, is_urgent=False, attempts__gt=0)
            taken = {message.pk for message in messages}
            idle = retried.filter(claimed_until=None).exclude(pk__in=taken).select_related("item")
            messages += idle  # one digest a day, also after one that failed
        until = timezone.now() + CLAIM
        for message in messages:
            message.recipient = person
            message.claimed_until, message.attempts = until, message.attempts + 1
        OutboxMessage.objects.bulk_update(messages, ["claimed_until", "attempts"])
    digest = [message for message in messages if not message.is_urgent]
    return [*([message] for message in messages if message.is_urgent), *([digest] if digest else [])]


def _send(batch: list[OutboxMessage], sent: Sent) -> None:
    person = batch[0].recipient
    if not person.is_active or not person.email:
        why = _("The account is closed.") if not person.is_active else _("The account has no mail address.")
        _skip(batch, why, sent)
        return
    told: list[tuple[OutboxMessage, Line]] = []
    for message in batch:
        try:
            told.append((message, line_of(message)))
        except NoLongerApplies as reason:
            _skip([message], str(reason), sent)
        except Exception as error:  # noqa: BLE001  # one message that cannot be written keeps no other from being sent
            _failed([message], error, sent)
    messages = [message for message, _line in told]
    if not messages:
        return
    try:
        mail_of(person, [line for _message, line in told]).send()
    except Exception as error:  # whatever a mail server, an address or a library does
        _failed(messages, error, sent)
        if _is_about_the_server(error):
            raise ServerUnreachable(f"{type(error).__name__}: {error}") from error
        return
    now = timezone.now()
    OutboxMessage.objects.filter(pk__in=[message.pk for message in messages]).update(
        sent_at=now, claimed_until=None, last_error=""
    )
    sent.mails += 1


def _is_about_the_server(error: Exception) -> bool:
    if isinstance(error, (SMTPConnectError, SMTPHeloError, SMTPAuthenticationError)):
        return True
    return isinstance(error, OSError) and not isinstance(error, (SMTPResponseException, SMTPRecipientsRefused))


def _failed(messages: Iterable[OutboxMessage], error: Exception, sent: Sent) -> None:
    now = timezone.now()
    for message in messages:
        message.claimed_until = None
        message.last_error = f"{type(error).__name__}: {error}"[:500]
        message.due_at = now + min(FIRST_WAIT * 2 ** (message.attempts - 1), LONGEST_WAIT)
        if message.attempts >= MOST_ATTEMPTS:
            message.skipped_at = now
        message.save(update_fields=["claimed_until", "last_error", "due_at", "skipped_at"])
        sent.failed += 1
        sent.errors += (f"{message}: {message.last_error}",)


def _skip(messages: Iterable[OutboxMessage], why: str, sent: Sent) -> None:
    for message in messages:
        message.skipped_at, message.last_error, message.claimed_until = timezone.now(), why, None
        message.save(update_fields=["skipped_at", "last_error", "claimed_until"])
        sent.skipped += 1


def _release(messages: Iterable[OutboxMessage]) -> None:
    for message in messages:
        message.claimed_until, message.attempts = None, message.attempts - 1
        message.save(update_fields=["claimed_until", "attempts"])
