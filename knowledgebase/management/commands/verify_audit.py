from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.dateparse import parse_datetime

from knowledgebase.editorial import audit, integrity
from knowledgebase.models import AuditEvent


class Command(BaseCommand):
    help = (
        "Recompute the audit trail and the texts. Names the first broken link of every chain and every version that is"
        " not what was approved, and then exits with 1."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--until", metavar="MOMENT", help="With --digest: the moment in the mail to the chairs.")
        parser.add_argument("--digest", help="The digest in the mail to the chairs.")

    def handle(self, *args: Any, **options: Any) -> None:
        found = self.broken_chains() + self.changed_texts()
        if options["until"] or options["digest"]:
            found += self.other_heads(options["until"] or "", options["digest"] or "")
        if found:
            raise CommandError(f"{found} faults. deploy/README.md says what to do.", returncode=1)
        self.stdout.write("The audit trail and the texts are whole.")

    def broken_chains(self) -> int:
        broken = list(audit.broken_links())
        for link in broken:
            chain = f"{link.item.kind}/{link.item.slug}" if link.item else "the site"
            self.stderr.write(f"{chain}, event {link.seq}: {link.why}")
        chains = AuditEvent.objects.order_by().values("item").distinct().count()
        self.stdout.write(f"{AuditEvent.objects.count()} events in {chains} chains, {len(broken)} broken.")
        return len(broken)

    def changed_texts(self) -> int:
        content = integrity.check_content()
        for mismatch in content.mismatches:
            self.stderr.write(str(mismatch))
        for name in content.dated:
            self.stdout.write(
                f"{name} cites a source whose record was edited since: look whether it needs a new version."
            )
        self.stdout.write(
            f"{content.versions} versions in {content.rounds} rounds, {len(content.mismatches)} not what was judged."
        )
        return len(content.mismatches)

    def other_heads(self, until: str, digest: str) -> int:
        try:
            moment = parse_datetime(until)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None or not digest:
            raise CommandError("Give --until and --digest as they stand in the mail, as in 2026-11-22T00:00:00+01:00.")
        heads = audit.heads(until=moment)
        if heads.digest == digest.strip().lower():
            self.stdout.write(f"The digest is that of the {heads.events} events up to {until}.")
            return 0
        self.stderr.write(f"The digest of the {heads.events} events up to {until} is {heads.digest}, not {digest}.")
        return 1
