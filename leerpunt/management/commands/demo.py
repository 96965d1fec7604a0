import os
import signal
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from io import StringIO
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections, transaction

from knowledgebase.editorial import guards
from knowledgebase.models import Item
from knowledgebase.search.checks import is_outdated
from leerpunt import demonstration
from leerpunt.accounts import DEMO_PASSWORD

PATIENCE = 10  # seconds that a program gets to end


class Command(BaseCommand):
    help = "Prepare the demonstration site and serve it; a second start keeps what was edited."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--reset", action="store_true", help="Start over: throw the demonstration database away.")
        parser.add_argument("--no-serve", action="store_true", help="Only prepare.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("This prepares a demonstration. Start it with `make demo` (LEERPUNT_MODE=demo).")
        chosen = os.environ.get("DEMO_PASSWORD", "")
        if options["reset"]:
            self.reset()
        call_command("migrate", verbosity=0)
        self.prepare(chosen)
        call_command("collectstatic", interactive=False, verbosity=0)
        self.stdout.write(f"\nLeerpunt staat op http://127.0.0.1:{options['port']}/")
        self.stdout.write(f"Aanmelden: http://127.0.0.1:{options['port']}/aanmelden/")
        self.stdout.write("Accounts: " + ", ".join(demonstration.ACCOUNTS))
        self.stdout.write(password_line(chosen or DEMO_PASSWORD) + "\n")
        self.stdout.flush()
        if not options["no_serve"]:
            connections.close_all()
            sys.exit(self.serve(options["port"]))

    def reset(self) -> None:
        database = settings.DATABASES["default"]
        if database["ENGINE"].endswith("sqlite3"):
            for suffix in ("", "-wal", "-shm"):
                path = settings.VAR / f"demo.sqlite3{suffix}"
                path.unlink(missing_ok=True)
        else:
            with guards.door("the demonstration starts over"):
                call_command("flush", interactive=False, verbosity=0)

    def prepare(self, chosen: str) -> None:
        """The accounts, and at the first start the texts and the work: all of it, or nothing when it is broken off."""
        with transaction.atomic():
            demonstration.make_accounts(chosen or DEMO_PASSWORD, chosen=bool(chosen))
            demonstration.seat_accounts()
            if Item.objects.exists():
                call_command("render_texts", verbosity=0, stdout=StringIO())
                if is_outdated():
                    call_command("rebuild_search", stdout=StringIO())
            else:
                self.stdout.write("De demonstratie wordt klaargezet …")
                self.stdout.flush()
                call_command("load_texts", "--by=redacteur", "--demo", stdout=self.stdout)
                demonstration.play()

    def serve(self, port: int) -> int:
        """The server, and next to it what happens by the clock; both end together. Returns how the server ended."""
        server = [
            sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port),
            "--workers", "2", "--blocking-threads", "4", "--no-ws", "--log-level", "warning",
            "leerpunt.wsgi:application",
        ]  # fmt: skip
        return run_together(server, [sys.executable, "manage.py", "run_jobs", "--loop"])


def password_line(password: str) -> str:
    """Which password opens the accounts, only where it is true."""
    opened = demonstration.accounts_with(password)
    if len(opened) == len(demonstration.ACCOUNTS):
        return f"Wachtwoord: {password}"
    if not opened:
        return "Wachtwoord: dat van een vorige start. Kies een nieuw met DEMO_PASSWORD=… make demo."
    return f"Wachtwoord van {', '.join(opened)}: {password}. De andere accounts kozen een eigen wachtwoord."


def run_together(main: Sequence[str], beside: Sequence[str]) -> int:
    """Run two programs until the first one ends, or until this one is told to stop. Returns the first one's answer.

    Of the second one only errors are shown.
    """
    programs: list[subprocess.Popen[bytes]] = []
    told: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        told.append(number)
        for program in programs:
            program.terminate()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        # Sessions of their own: the terminal's Ctrl+C reaches this program alone, which tells both once.
        for command, said in ((main, None), (beside, subprocess.DEVNULL)):
            program = subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=said, start_new_session=True)  # noqa: S603
            programs.append(program)
            if told:
                break
        if told:
            program.terminate()
        answer = programs[0].wait()
    finally:
        for program in programs:
            program.terminate()
        for program in programs:
            try:
                program.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                program.kill()
        for number, handler in before.items():
            signal.signal(number, handler)
    return 0 if told else answer
