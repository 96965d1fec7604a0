import os
import sys
from argparse import ArgumentParser
from io import StringIO
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from knowledgebase.models import Item, User
from leerpunt.accounts import DEMO_PASSWORD

ACCOUNTS = {
    "beheerder": "beheerder",
    "eindredacteur": "eindredacteur",
    "redacteur": "redacteur",
    "voorzitter-gebruikers": "voorzitter",
    "lid-gebruikers-1": "lid",
    "lid-gebruikers-2": "lid",
    "voorzitter-wetenschap": "voorzitter",
    "lid-wetenschap-1": "lid",
    "lid-wetenschap-2": "lid",
}


class Command(BaseCommand):
    help = "Prepare the demonstration site and serve it; a second start keeps what was edited."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--reset", action="store_true", help="Start over: throw the demonstration database away.")
        parser.add_argument("--no-serve", action="store_true", help="Only prepare.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("This prepares a demonstration. Start it with `make demo` (LEERPUNT_MODE=demo).")
        password = os.environ.get("DEMO_PASSWORD") or DEMO_PASSWORD
        if options["reset"]:
            self.reset()
        call_command("migrate", verbosity=0)
        if not Item.objects.exists():
            self.stdout.write("De demonstratie wordt klaargezet …")
            self.make_accounts(password)
            call_command("load_texts", "--by=redacteur", "--publish-by=eindredacteur", "--demo")
        else:
            self.make_accounts(password)
            call_command("render_texts", verbosity=0, stdout=StringIO())
        call_command("collectstatic", interactive=False, verbosity=0)
        self.stdout.write(f"\nLeerpunt staat op http://127.0.0.1:{options['port']}/")
        self.stdout.write(f"Aanmelden: http://127.0.0.1:{options['port']}/aanmelden/ (wachtwoord: {password})")
        self.stdout.write("Accounts: " + ", ".join(ACCOUNTS) + "\n")
        self.stdout.flush()
        if not options["no_serve"]:
            self.serve(options["port"])

    def reset(self) -> None:
        database = settings.DATABASES["default"]
        if database["ENGINE"].endswith("sqlite3"):
            for suffix in ("", "-wal", "-shm"):
                path = settings.VAR / f"demo.sqlite3{suffix}"
                path.unlink(missing_ok=True)
        else:
            call_command("flush", interactive=False, verbosity=0)

    def make_accounts(self, password: str) -> None:
        """The role accounts. An account that exists keeps its password, unless DEMO_PASSWORD now says another."""
        chosen = "DEMO_PASSWORD" in os.environ
        for username, role in ACCOUNTS.items():
            user, created = User.objects.get_or_create(username=username, defaults={"is_staff": True})
            if created or (chosen and not user.check_password(password)):
                user.set_password(password)
                user.save(update_fields=["password"])
            user.groups.set([Group.objects.get(name=role)])

    def serve(self, port: int) -> None:
        arguments = [
            sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port),
            "--workers", "2", "--blocking-threads", "4", "--no-ws", "--log-level", "warning",
            "leerpunt.wsgi:application",
        ]  # fmt: skip
        os.execvp(arguments[0], arguments)  # noqa: S606  # the server takes this process's place
