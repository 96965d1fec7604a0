"""Whether the links of sources still lead somewhere: one site at a time, slowly, and without believing a refusal.

A site that refuses programs (403, 429, a fault of its own) is not dead: nobody but a reader can tell. Only "not found"
and "gone" are. A DOI is resolved by doi.org; where that sends on to is no move of ours to follow up.
"""

import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urldefrag, urlsplit

from knowledgebase import web
from knowledgebase.models import LinkCheck

State = LinkCheck.State
DEAD = frozenset({404, 410})
AGAIN = frozenset({429, 500, 502, 503, 504})
PERMANENT = frozenset({301, 308})
RESOLVERS = frozenset({"doi.org", "dx.doi.org", "www.doi.org"})
HOPS = 8


@dataclass(frozen=True)
class Outcome:
    """What stands at an address."""

    state: str
    status: int | None = None
    moved_to: str = ""
    why: str = ""


@dataclass
class Checker:
    """Asks for addresses, never two of one site within `delay` seconds of each other.

    `ask`, `sleep` and `now` are those of the real world unless a test says otherwise.
    """

    delay: float = 2.0
    retries: int = 2
    timeout: float = web.TIMEOUT
    ask: Callable[..., web.Answer] = field(default_factory=lambda: web.ask)
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic
    last: dict[str, float] = field(default_factory=dict)  # when each site was asked

    def check(self, url: str) -> Outcome:
        """What stands at an address, after everything it sends on to."""
        here, moved_to, is_ours = url, "", True
        for _hop in range(HOPS):
            try:
                answer = self._head_or_get(here)
            except web.NoAnswer as error:
                return Outcome(State.UNCHECKABLE, None, moved_to, f"no answer: {error}"[:200])
            following = answer.next_of(here)
            if not following:
                return self._outcome(answer.status, moved_to)
            # A move counts as long as every step of it is for good; the steps of a resolver are its business.
            if urlsplit(here).hostname in RESOLVERS or answer.status not in PERMANENT:
                is_ours = False
            if is_ours:
                moved_to = following
            here = urldefrag(following).url
        return Outcome(State.UNCHECKABLE, None, "", "it keeps sending on")

    def _outcome(self, status: int, moved_to: str) -> Outcome:
        if 200 <= status < 300:
            return Outcome(State.MOVED if moved_to else State.WORKS, status, moved_to)
        return Outcome(State.DEAD if status in DEAD else State.UNCHECKABLE, status, moved_to)

    def _head_or_get(self, url: str) -> web.Answer:
        """HEAD, and what a browser asks where a site does not answer that well."""
        try:
            answer = self._patiently(url, "HEAD")
            if answer.status < 400:
                return answer
        except web.NoAnswer:
            pass
        return self._patiently(url, "GET")

    def _patiently(self, url: str, method: str) -> web.Answer:
        for attempt in range(self.retries + 1):
            self._wait(url, self.delay * 2**attempt if attempt else self.delay)
            try:
                answer = self.ask(url, method=method, timeout=self.timeout)
            except web.NoAnswer:
                if attempt == self.retries:
                    raise
                continue
            if answer.status not in AGAIN or attempt == self.retries:
                return answer
        raise AssertionError("the last attempt returns or raises")

    def _wait(self, url: str, seconds: float) -> None:
        site = urlsplit(url).hostname or ""
        if site in self.last and (left := self.last[site] + seconds - self.now()) > 0:
            self.sleep(left)
        self.last[site] = self.now()


def in_turn(urls: Iterable[str]) -> Iterator[str]:
    """The addresses, of each site one in turn, so that waiting for one is spent on another."""
    sites: dict[str, deque[str]] = defaultdict(deque)
    for url in urls:
        sites[urlsplit(url).hostname or ""].append(url)
    while sites:
        for site in list(sites):
            yield sites[site].popleft()
            if not sites[site]:
                del sites[site]
