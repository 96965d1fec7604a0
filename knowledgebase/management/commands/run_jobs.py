import signal
import sys
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import Error, close_old_connections, connections
from django.utils import timezone

from knowledgebase.editorial import jobs


class Command(BaseCommand):
    help = (
        "Do what is due: planned publications, overdue rounds, review dates, reminders, mails. Exits with 1 when"
        " something failed; what failed is tried again by the next run."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--loop", action="store_true", help="Go on until the process is told to stop.")
        parser.add_argument("--every", type=int, default=60, metavar="SECONDS", help="How long --loop waits.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["loop"]:
            if not self.run_once():
                sys.exit(1)
            return
        stop = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stop.set())
        while not stop.is_set():
            self.run_once()
            close_old_connections()
            stop.wait(max(1, options["every"]))
        self.stdout.write("Stopped.")

    def run_once(self) -> bool:
        """Whether nothing failed. A database that is away is a failure, not the end."""
        fine = True
        self.stdout.write(f"{timezone.localtime():%Y-%m-%d %H:%M:%S}")
        try:
            for report in jobs.run():
                self.stdout.write(f"  {report.job}: {report.done}")
                for failure in report.failures:
                    self.stderr.write(f"  {report.job}: {failure}")
                fine = fine and not report.failures
        except Error as error:
            self.stderr.write(f"  The database failed: {error}")
            connections.close_all()
            fine = False
        self.stdout.flush()
        return fine
