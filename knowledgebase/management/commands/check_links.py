from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from knowledgebase.link_checks import Checker, Outcome, in_turn
from knowledgebase.models import LinkCheck, Source

State = LinkCheck.State


class Command(BaseCommand):
    help = (
        "Ask whether the links of sources still work, one site at a time and slowly, and keep what was found for the "
        "list of sources in the admin. A site that refuses programs is “not checkable”, not dead. Exits with 1 when a "
        "link is dead."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("keys", nargs="*", help="Only these sources (their keys).")
        parser.add_argument("--days", type=int, default=7, help="Leave alone what was checked less than this ago.")
        parser.add_argument("--most", type=int, help="Check at most this many links.")
        parser.add_argument("--delay", type=float, default=2, help="Seconds between two requests to one site.")
        parser.add_argument("--timeout", type=float, default=15, help="Seconds to wait for an answer.")
        parser.add_argument("--retries", type=int, default=2, help="How often to ask again what did not answer.")

    def handle(self, *args: Any, **options: Any) -> None:
        sources = self.due(options["keys"], days=options["days"])[: options["most"]]
        checker = self.checker(**{name: options[name] for name in ("delay", "timeout", "retries")})
        links: dict[str, list[Source]] = {}
        for source in sources:
            links.setdefault(source.link, []).append(source)
        found: dict[str, Outcome] = {}
        for url in in_turn(links):
            found[url] = checker.check(url)
            for source in links[url]:
                self.tell(source, found[url])
            if found[url].status is not None:  # else the fault may be our own network: see below
                self.keep(links[url], url, found[url])
        if found and all(outcome.status is None for outcome in found.values()):
            raise CommandError("No site answered at all. Is there a network? Nothing was kept.", returncode=2)
        for url, outcome in found.items():
            if outcome.status is None:
                self.keep(links[url], url, outcome)
        counts = {state: sum(outcome.state == state for outcome in found.values()) for state in State}
        summary = ", ".join(f"{count} {state.value}" for state, count in counts.items())
        self.stdout.write(f"{len(found)} links: {summary}.")
        if counts[State.DEAD]:
            raise CommandError(f"{counts[State.DEAD]} dead links.", returncode=1)

    def checker(self, **options: Any) -> Checker:
        return Checker(**options)

    def due(self, keys: list[str], *, days: int) -> list[Source]:
        """The sources with a link to check now, those that were never checked first."""
        sources = Source.objects.select_related("link_check")
        if keys:
            sources = sources.filter(key__in=keys)
            if unknown := set(keys) - {source.key for source in sources}:
                raise CommandError(f"There is no source {', '.join(sorted(unknown))}.")
        since = timezone.now() - timedelta(days=days)
        linked = [source for source in sources if source.link]
        if not keys:
            linked = [s for s in linked if not (check := s.checked_link) or check.checked_at < since]
        never = [source for source in linked if source.checked_link is None]
        return [*never, *sorted((s for s in linked if s.checked_link), key=lambda s: s.link_check.checked_at)]

    def tell(self, source: Source, outcome: Outcome) -> None:
        if outcome.state == State.WORKS:
            return
        more = " ".join(filter(None, (str(outcome.status or ""), outcome.why, outcome.moved_to)))
        self.stdout.write(f"{source.key} {outcome.state}: {source.link} ({more})")

    def keep(self, sources: list[Source], url: str, outcome: Outcome) -> None:
        for source in sources:
            LinkCheck.objects.update_or_create(
                source=source,
                defaults={
                    "url": url,
                    "state": outcome.state,
                    "status": outcome.status,
                    "moved_to": outcome.moved_to[:2000],
                    "why": outcome.why,
                    "checked_at": timezone.now(),
                },
            )
