"""A mail server of our own: what arrives is kept, and it refuses whom a test says."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy

from aiosmtpd.controller import Controller


class Inbox:
    """What arrived, in order. `refuse` holds addresses that are refused, `close` ends every conversation."""

    def __init__(self):
        self.mails = []
        self.refuse = set()
        self.busy = False

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):  # noqa: N802  # aiosmtpd's name
        if address in self.refuse:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_MAIL(self, server, session, envelope, address, mail_options):  # noqa: N802  # aiosmtpd's name
        if self.busy:
            return "421 come back later"
        envelope.mail_from = address
        envelope.mail_options.extend(mail_options)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802  # aiosmtpd's name
        mail = message_from_bytes(envelope.content, policy=policy.default)
        self.mails.append((envelope.rcpt_tos, mail))
        return "250 OK"

    @property
    def subjects(self):
        """(recipient, subject) of every mail, in alphabetical order."""
        return sorted((to, str(mail["Subject"])) for recipients, mail in self.mails for to in recipients)

    def text(self, number=-1):
        return self.mails[number][1].get_body(("plain",)).get_content()

    def html(self, number=-1):
        return self.mails[number][1].get_body(("html",)).get_content()


@contextmanager
def mail_server(settings) -> Iterator[Inbox]:
    """A server on a free port of this machine, to which Django sends."""
    inbox = Inbox()
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_IS_ON = "127.0.0.1", port, True
    try:
        yield inbox
    finally:
        controller.stop()
