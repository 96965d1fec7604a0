"""What a reader's query asks for: clauses of alternative words, phrases, and what is to be left out."""

from dataclasses import dataclass

from .analysis import words


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way to say a clause; several keys count only when all of them are there."""

    keys: tuple[str, ...]
    weight: int


@dataclass(frozen=True, slots=True)
class Clause:
    """A word or term of the query with everything that may stand for it; a soft one only breaks ties."""

    text: str
    alternatives: tuple[Alternative, ...]
    soft: bool = False


@dataclass(frozen=True, slots=True)
class Understood:
    """A query as it is searched, with what to tell the reader about it."""

    clauses: tuple[Clause, ...]
    phrases: tuple[tuple[str, ...], ...] = ()
    excluded: tuple[str, ...] = ()
    corrected: str = ""
    suggestion: str = ""
    notices: tuple[str, ...] = ()


def understand(query: str, *, literal: bool = False) -> Understood:
    """What a query asks for; `literal` leaves its words as typed."""
    clauses = {}
    for word in words(query):
        parts = (Alternative(word.parts, 90),) if word.parts else ()
        clauses[word.key] = Clause(word.text, (Alternative((word.key,), 100), *parts))
    return Understood(tuple(clauses.values()))
