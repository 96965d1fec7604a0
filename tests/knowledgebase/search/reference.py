"""The ranking in plain Python on documents, without a database: what every engine must give, word for word.

It shares with the engine how a text is analysed (`prepare`) and what a query weighs (`plan`); what the statement, the
counters and the bitmaps do is done here again in dictionaries and sets.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from knowledgebase.search.engine import KIND, Document
from knowledgebase.search.entries import KINDS
from knowledgebase.search.scoring import (
    COVERAGE,
    ENOUGH,
    STRENGTH,
    TIE,
    Known,
    keys_of,
    plan,
    prepare,
    tie,
)
from knowledgebase.search.understanding import Alternative, Clause, Understood

DUTCH = [
    "lezen",
    "leesonderwijs",
    "begrijpend",
    "rekenen",
    "rekenfeiten",
    "breuken",
    "taal",
    "woordenschat",
    "huiswerk",
    "huiswerkbegeleiding",
    "feedback",
    "klas",
    "klasmanagement",
    "leerling",
    "leerlingen",
    "leerkracht",
    "toets",
    "toetsen",
    "evaluatie",
    "formatief",
    "zittenblijven",
    "blijven",
    "zitten",
    "spelling",
    "schrijven",
    "motivatie",
    "groep",
    "groepen",
    "groepswerk",
    "samenwerken",
    "samen",
    "uitleg",
    "instructie",
    "oefenen",
    "herhalen",
    "spreiding",
    "zelfregulatie",
    "denken",
    "hardop",
    "vragen",
    "stellen",
    "tutor",
    "leren",
    "kleuters",
    "lager",
    "secundair",
    "onderwijs",
    "ouders",
    "betrokkenheid",
]


def chance_of(seed: int) -> random.Random:
    """Chance that can be repeated."""
    return random.Random(seed)  # noqa: S311  # repeatable on purpose


class Reference:
    """Documents, found again."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.prepared = [prepare(document) for document in documents]
        self.postings: dict[str, dict[int, int]] = defaultdict(dict)
        self.df: Counter[str] = Counter()
        for place, prepared in enumerate(self.prepared):
            for key, impact in prepared.impacts.items():
                self.postings[key][place] = impact
            if KINDS[prepared.document.kind].weighs:
                self.df.update(prepared.impacts.keys())
        self.total = sum(KINDS[prepared.document.kind].weighs for prepared in self.prepared)
        self.names = {key: number for number, key in enumerate(self.postings)}
        self.facets: dict[str, set[int]] = defaultdict(set)
        for place, prepared in enumerate(self.prepared):
            for name in (*prepared.document.facets, f"{KIND}:{KINDS[prepared.document.kind].slug}"):
                self.facets[name].add(place)

    def ranking(self, query: Understood) -> list[tuple[int, int]]:
        """Every hit, as place and score, best first."""
        wanted = keys_of(query)
        known = Known({key: (self.names[key], self.df[key]) for key in wanted if key in self.postings}, self.total)
        planned = plan(query, known)
        if not planned.clauses or planned.impossible:
            return []
        scores: Counter[int] = Counter()
        masses: Counter[int] = Counter()
        met: Counter[int] = Counter()
        quoted: Counter[int] = Counter()
        for clause in planned.clauses:
            best: dict[int, int] = {}
            for option in clause.options:
                for place in set.intersection(*(set(self.postings[key]) for key in option.keys)):
                    given = sum(
                        self.postings[key][place] * rarity * option.weight
                        for key, rarity in zip(option.keys, option.idf, strict=True)
                    ) // len(option.keys)
                    best[place] = max(best.get(place, 0), given // TIE if clause.soft else given)
            for place, given in best.items():
                scores[place] += given
                masses[place] += clause.mass
                met[place] += not clause.soft
                quoted[place] += clause.phrase
        hard = sum(not clause.soft for clause in planned.clauses)
        mass = sum(clause.mass for clause in planned.clauses)
        phrases = sum(clause.phrase for clause in planned.clauses)
        hits = {
            place
            for place in scores
            if met[place] and masses[place] * 100 >= COVERAGE * mass and quoted[place] == phrases
            and all(phrase in self.prepared[place].keys for phrase in planned.phrases)
            and not any(place in self.postings.get(key, ()) for key in query.excluded)
        }  # fmt: skip
        whole = {place for place in hits if met[place] >= hard}
        left = set()
        for kind in KINDS.values():
            own = self.facets[f"{KIND}:{kind.slug}"]
            left |= whole & own if len(whole & own) >= ENOUGH else hits & own
        return sorted(((place, scores[place] * self.boost(place)) for place in left), key=self.best_first)

    def boost(self, place: int) -> int:
        document = self.prepared[place].document
        return KINDS[document.kind].boost * (100 + STRENGTH * document.strength) // 100

    def best_first(self, hit: tuple[int, int]) -> tuple[int, int]:
        document = self.prepared[hit[0]].document
        return -hit[1], tie(document.kind, document.key)

    def found(self, query: Understood, filters: Mapping[str, Sequence[str]], page: int, size: int) -> tuple:
        """The keys and scores of a page, the total, and the count of every facet."""
        ranking = self.ranking(query)
        sets = {
            name: set().union(*(self.facets.get(f"{name}:{value}", set()) for value in values))
            for name, values in filters.items()
            if values
        }
        left = [hit for hit in ranking if all(hit[0] in allowed for allowed in sets.values())]
        counts: dict[str, dict[str, int]] = defaultdict(dict)
        for name, places in self.facets.items():
            facet, _colon, value = name.partition(":")
            others = [allowed for other, allowed in sets.items() if other != facet]
            count = sum(place in places and all(place in allowed for allowed in others) for place, _score in ranking)
            if count:
                counts[facet][value] = count
        shown = left[(page - 1) * size : page * size]
        return [(self.prepared[place].document.key, score) for place, score in shown], len(left), dict(counts)


def documents(number: int, *, seed: int, vocabulary: Sequence[str] = DUTCH, length: int = 60) -> list[Document]:
    """Texts of words drawn unevenly, of all kinds, with values for the filters."""
    chance = chance_of(seed)
    kinds = list(KINDS)

    def text(words: int) -> str:
        drawn = (vocabulary[min(int(chance.paretovariate(0.9)) - 1, len(vocabulary) - 1)] for _ in range(words))
        return " ".join(drawn)

    made = []
    for number_of in range(1, number + 1):
        strength = chance.randint(0, 5)
        facets = {f"niveau:{chance.choice(['kleuter', 'lager', 'secundair'])}", f"thema:t{chance.randint(1, 9)}"}
        if chance.random() < 0.7:
            facets |= {f"sterkte:{value}" for value in range(strength + 1)}
        made.append(
            Document(
                kind=chance.choice([*kinds, "practice", "practice"]), object_id=number_of, key=f"tekst-{number_of}",
                title=text(chance.randint(1, 6)).capitalize(), url=f"/{number_of}/", summary=text(chance.randint(0, 20)),
                body=text(chance.randint(0, length)), also="\n".join(text(3) for _ in range(chance.randint(0, 2))),
                about=text(chance.randint(0, 4)), strength=strength, facets=tuple(sorted(facets)),
            )
        )  # fmt: skip
    return made


def queries(number: int, *, seed: int, keys: Sequence[str]) -> list[tuple[Understood, dict[str, list[str]], int]]:
    """Queries as they are understood, with filters and a page."""
    chance = chance_of(seed)

    def key() -> str:
        return keys[min(int(chance.paretovariate(0.7)) - 1, len(keys) - 1)] if chance.random() < 0.95 else "onbekend"

    def alternative(weight: int) -> Alternative:
        return Alternative(tuple(key() for _ in range(chance.choice([1, 1, 1, 2, 3]))), weight)

    def clause() -> Clause:
        others = [alternative(chance.choice([90, 60, 50])) for _ in range(chance.choice([0, 0, 1, 4]))]
        return Clause("woord", (Alternative((key(),), 100), *others), chance.random() < 0.15)

    made = []
    for _ in range(number):
        phrases = tuple(tuple(key() for _ in range(2)) for _ in range(chance.choice([0, 0, 0, 0, 1])))
        excluded = tuple(key() for _ in range(chance.choice([0, 0, 0, 0, 1, 2])))
        clauses = tuple(clause() for _ in range(chance.choice([0 if phrases else 1, 1, 2, 2, 3, 5])))
        filters: dict[str, list[str]] = {}
        for name, values in (
            ("soort", ["praktijk", "bron", "samenvatting"]), ("niveau", ["lager", "kleuter", "mars"]),
            ("thema", ["t1", "t2", "t3"]), ("sterkte", ["3"]),
        ):  # fmt: skip
            if chance.random() < 0.3:
                filters[name] = chance.sample(values, chance.randint(1, min(2, len(values))))
        made.append((Understood(clauses, phrases, excluded), filters, chance.choice([1, 1, 1, 2, 3])))
    return made
