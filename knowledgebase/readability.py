"""How easy a Dutch text reads, and which sentences make it hard. Pure: text in, numbers and places out.

Formulas: Flesch-Douma 206.835 - 0.93 words/sentence - 77 syllables/word (Douma 1960, as in textacy's coefficients for
Dutch); LIX words/sentence + % of words longer than six letters (Björnsson 1968). They are a smoke alarm, no proof.
Why no library counts for us: docs/decisions/0010-readability.md.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import mean

LONG_SENTENCE = 20  # words; longer ones are counted
LONG_WORD = 6  # letters; longer ones count for LIX

ABBREVIATIONS = (
    "bijv.", "bv.", "ca.", "cf.", "d.m.v.", "d.w.z.", "dr.", "e.a.", "e.d.", "enz.", "etc.", "evt.", "i.p.v.", "i.v.m.",
    "incl.", "m.a.w.", "m.b.t.", "m.i.", "max.", "min.", "n.a.v.", "nl.", "nr.", "o.a.", "o.b.v.", "o.m.", "o.v.v.",
    "p.", "pp.", "prof.", "resp.", "t.a.v.", "t.e.m.", "t.o.v.", "vb.", "vgl.", "vs.", "z.d.", "z.g.",
)  # fmt: skip

_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
_NUMBER = re.compile(r"[\d.,]+")
_BREAK = re.compile(r"(?<=[.?!…])[”’»)\]]*\s+(?=[\[(“‘«]?[A-ZÀ-ÖØ-Þ0-9])")
_ABBREVIATION = re.compile(
    r"(?<!\w)(?:" + "|".join(re.escape(short) for short in sorted(ABBREVIATIONS, key=len, reverse=True)) + r")(?!\w)",
    re.IGNORECASE,
)
# One match is one syllable: the long vowel groups of Dutch spelling first, then single vowels.
_SYLLABLE = re.compile(
    r"aai|ooi|oei|eeuw|ieuw|ij|aa|ay|ee|oo|uu|ie|oe|eu(?!m\b)|ui|ei|ou|au|[aeiouyáàâäåæéèêëíîìïóòôöøœúùûü]",
    re.IGNORECASE,
)

_TO_BE = r"(?:word(?:t|en)?|werd(?:en)?|geworden)"
_PARTICIPLE = r"(?:ge\w{2,}(?:d|t|en)|(?:be|ver|ont|her|er)\w{2,}(?:d|t|en)|\w+ge\w{2,}(?:d|t|en)|\w+eerd)"
_PASSIVE = re.compile(rf"\b{_TO_BE}\b(?:\W+\w+){{0,12}}?\W+{_PARTICIPLE}\b|\b{_PARTICIPLE}\W+{_TO_BE}\b", re.IGNORECASE)
_NOMINAL = re.compile(
    r"\bhet\s+(?:\w+\s+)?[a-zà-ÿ]{3,}en\s+van\b|\b(?:de|een)\s+[a-zà-ÿ]{4,}ing\s+van\b", re.IGNORECASE
)
# How the words of researchers and policy begin; whoever uses one explains it in the glossary. Editors can add words.
JARGON = (
    "adaptief", "affectief", "algoritm", "attitude", "attritie", "benchmark", "betrouwbaarheidsinterval", "bias",
    "cognitie", "cohort", "competentiegericht", "confound", "constructivis", "context-effect", "controleconditie",
    "correlatie", "curriculum", "declaratie", "deficit", "didactisch contract", "differentiatie", "dyscalculie",
    "effectgrootte", "effectiviteit", "empirisch", "evidence", "evidentie", "executieve", "extrinsiek", "feedforward",
    "fonologisch", "formatief", "fidelity", "gestandaardiseerd", "heterogen", "holistisch", "implementatie", "inferentie",
    "inhiberen", "inquiry", "instructieprincipe", "interleav", "interventie", "intrinsiek", "kwalitatief onderzoek",
    "kwantitatief", "learning analytics", "longitudina", "meta-analyse", "metacogni", "metasynthese", "moderator",
    "motorisch geheugen", "nulhypothese", "operationalis", "outcome", "p-waarde", "paradigma", "pedagogisch-didactisch",
    "peer review", "percentiel", "placebo", "posttest", "pretest", "prevalentie", "procedureel", "publicatiebias",
    "quasi-experiment", "randomis", "regressie", "remediër", "retentie", "retrieval", "scaffold", "self-efficacy",
    "significan", "socio-economisch", "standaardafwijking", "standaardfout", "stakeholder", "statistisch", "steekproef",
    "summatief", "synthese", "taxonomie", "transfer", "validiteit", "variantie", "werkgeheugen", "zelfregul",
)  # fmt: skip


class Kind(StrEnum):
    """What makes a sentence hard."""

    LONG = "long"
    PASSIVE = "passive"
    NOMINAL = "nominal"
    ABBREVIATION = "abbreviation"
    JARGON = "jargon"


@dataclass(frozen=True)
class Remark:
    """Something to look at: the words and the sentence they stand in."""

    kind: Kind
    words: str
    sentence: str


@dataclass(frozen=True)
class Readability:
    """Measures of one text. Without words every score is None."""

    words: int = 0
    sentences: int = 0
    mean_sentence: float | None = None  # words
    long_share: float | None = None  # of sentences over LONG_SENTENCE words, 0 to 1
    douma: float | None = None
    douma_plain: float | None = None  # every glossary term counted as a word of two syllables
    lix: float | None = None
    remarks: tuple[Remark, ...] = field(default=())

    def of(self, kind: Kind) -> list[Remark]:
        return [remark for remark in self.remarks if remark.kind == kind]


def sentences(text: str) -> list[str]:
    """The sentences of plain text; an empty line ends one as well. Abbreviations and decimals end none."""
    found: list[str] = []
    for block in re.split(r"\n\s*\n", text):
        start = 0
        line = " ".join(block.split())
        for gap in _BREAK.finditer(line):
            before = line[start : gap.end()].strip()
            last = before.rsplit(" ", 1)[-1].lower().lstrip("(“‘«[")
            if last in ABBREVIATIONS or re.fullmatch(r"(?:[a-z]\.)+", last):
                continue
            found.append(before)
            start = gap.end()
        if rest := line[start:].strip():
            found.append(rest)
    return [sentence for sentence in found if _WORD.search(sentence)]


def words(text: str) -> list[str]:
    """Words and numbers, hyphenated ones whole."""
    return _WORD.findall(text)


def syllables(word: str) -> int:
    """Syllables of a Dutch word by its vowel groups, at least one; of a number, its digits."""
    if _NUMBER.fullmatch(word):
        return max(1, sum(map(str.isdigit, word)))
    return max(1, len(_SYLLABLE.findall(word)))


def measure(text: str, *, terms: Collection[str] = (), listed: Collection[str] = ()) -> Readability:
    """Measure plain text. `terms` are glossary labels, `listed` more beginnings of jargon; both in lower case."""
    parts = sentences(text)
    if not parts:
        return Readability()
    per_sentence = [words(sentence) for sentence in parts]
    every = [word for group in per_sentence for word in group]
    average = len(every) / len(parts)
    singles = {term for term in terms if " " not in term}
    plain = [2 if word.lower() in singles else syllables(word) for word in every]
    return Readability(
        words=len(every),
        sentences=len(parts),
        mean_sentence=average,
        long_share=mean(len(group) > LONG_SENTENCE for group in per_sentence),
        douma=_douma(average, [syllables(word) for word in every]),
        douma_plain=_douma(average, plain),
        lix=average + 100 * mean(len(word.replace("-", "")) > LONG_WORD for word in every),
        remarks=tuple(_remarks(parts, per_sentence, terms=terms, listed=listed)),
    )


def _douma(words_per_sentence: float, syllables_of: list[int]) -> float:
    return 206.835 - 0.93 * words_per_sentence - 77 * mean(syllables_of)


def _remarks(
    parts: list[str], per_sentence: list[list[str]], *, terms: Collection[str], listed: Collection[str]
) -> Iterator[Remark]:
    explained = {part for term in terms for part in (term, *term.split())}
    seen: set[str] = set()
    for sentence, group in zip(parts, per_sentence, strict=True):
        if len(group) > LONG_SENTENCE:
            yield Remark(Kind.LONG, str(len(group)), sentence)
        for kind, pattern in (
            (Kind.PASSIVE, _PASSIVE),
            (Kind.NOMINAL, _NOMINAL),
            (Kind.ABBREVIATION, _ABBREVIATION),
        ):
            for found in pattern.finditer(sentence):
                yield Remark(kind, found.group(), sentence)
        for word in jargon(group, explained=explained, listed=listed):
            if word.lower() not in seen:
                seen.add(word.lower())
                yield Remark(Kind.JARGON, word, sentence)


def jargon(group: Iterable[str], *, explained: Collection[str], listed: Collection[str] = ()) -> Iterator[str]:
    """The words among these that begin like JARGON (or like one of `listed`) and that the glossary does not explain."""
    beginnings = (*JARGON, *listed)
    for word in group:
        lowered = word.lower()
        if lowered.startswith(beginnings) and not any(lowered.startswith(term) for term in explained):
            yield word
