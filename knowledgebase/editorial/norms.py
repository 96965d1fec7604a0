"""How easy the texts read, against the norms that the user commission sets. A score is a smoke alarm, no proof."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
from typing import Any

from django.utils.translation import gettext as _

from knowledgebase import readability, rendering
from knowledgebase.models import Item, ReadabilityNorm, SiteState, Version
from knowledgebase.readability import Kind, Readability

Part = ReadabilityNorm.Part
# docs/decisions/0010-readability.md says where these come from.
DEFAULTS = {
    Part.SHORT: {"douma": 60, "mean_sentence": 12, "long_share": 10, "longest_sentence": 35},
    Part.BODY: {"douma": 45, "mean_sentence": 15, "long_share": 10, "longest_sentence": 35},
}
_TABLE = re.compile(r'<div class="table-scroll".*?</div>', re.DOTALL)
_BREAK = re.compile(r"</?(?:p|li|ul|ol|h[2-6]|blockquote|pre|br|hr|div)\b[^>]*>")
_TAG = re.compile(r"<[^>]*>")


def sync_norms() -> None:
    """A norm for each part of each kind of text; those that are there stay as they are."""
    known = set(ReadabilityNorm.objects.values_list("kind", "part"))
    ReadabilityNorm.objects.bulk_create(
        ReadabilityNorm(kind=kind, part=part, **values)
        for kind in Item.Kind.values
        for part, values in DEFAULTS.items()
        if (kind, part.value) not in known
    )


@dataclass(frozen=True)
class Score:
    """What was measured of a field, or of a part of a text (`name` is then that part), and how it is above the norm."""

    name: str
    label: str
    measured: Readability
    over: tuple[str, ...] = ()

    @property
    def long_percent(self) -> int:
        return round(100 * (self.measured.long_share or 0))


@dataclass(frozen=True)
class Report:
    """Both parts of a text, and each of its fields."""

    parts: tuple[Score, ...]
    fields: tuple[Score, ...]

    @property
    def over(self) -> list[str]:
        """How the text is above the norm, as sentences."""
        return [f"{part.label}: {sentence}" for part in self.parts for sentence in part.over]


def prose(html: str) -> str:
    """The sentences in HTML: list items and headings are blocks; tables and citations are left out."""
    text = _TABLE.sub("", rendering.without_citations(html))
    return unescape(_TAG.sub("", _BREAK.sub("\n\n", text))).strip()


def prose_of(version: Version, html: Mapping[str, str]) -> dict[str, str]:
    """Field -> its sentences, for the fields of a version that hold any."""
    plain = {name: getattr(version, name) for name in version.plain_fields}
    texts = plain | {name: prose(html.get(name, "")) for name in version.markdown_fields}
    return {name: text for name, text in texts.items() if text.strip()}


def norms_of(kind: str) -> dict[str, ReadabilityNorm]:
    return {norm.part: norm for norm in ReadabilityNorm.objects.filter(kind=kind)}


def above(score: Readability, norm: ReadabilityNorm) -> tuple[str, ...]:
    """How a part of a text is above a norm."""
    if score.douma_plain is None or score.mean_sentence is None or score.long_share is None:
        return ()
    found = []
    if round(score.douma_plain) < norm.douma:
        found.append(_("Flesch-Douma is %(score)s; the norm is at least %(norm)s.") % {
            "score": round(score.douma_plain), "norm": norm.douma,
        })  # fmt: skip
    if round(score.mean_sentence) > norm.mean_sentence:
        found.append(_("A sentence has %(score)s words on average; the norm is at most %(norm)s.") % {
            "score": round(score.mean_sentence), "norm": norm.mean_sentence,
        })  # fmt: skip
    if round(100 * score.long_share) > norm.long_share:
        found.append(_("%(score)s%% of the sentences have more than 20 words; the norm is at most %(norm)s%%.") % {
            "score": round(100 * score.long_share), "norm": norm.long_share,
        })  # fmt: skip
    too_long = _("This sentence has %(count)s words; the norm is at most %(norm)s: “%(sentence)s”")
    found += [
        too_long % {"count": remark.words, "norm": norm.longest_sentence, "sentence": remark.sentence}
        for remark in score.of(Kind.LONG)
        if int(remark.words) > norm.longest_sentence
    ]
    if norm.explains_jargon and (words := [remark.words for remark in score.of(Kind.JARGON)]):
        found.append(_("Jargon that the glossary does not explain: %(words)s.") % {"words": ", ".join(words)})
    return tuple(found)


def report_of(version: Version, html: Mapping[str, str], norms: Mapping[str, ReadabilityNorm]) -> Report:
    """The scores of a version (as the model of its kind) with this HTML, against these norms."""
    texts, terms = prose_of(version, html), rendering.lexicon().terms
    labels = {field.name: str(field.verbose_name) for field in version._meta.concrete_fields}
    fields = tuple(Score(name, labels[name], readability.measure(text, terms=terms)) for name, text in texts.items())
    parts = []
    for part in Part:
        names = [name for name in texts if (name in version.short_fields) == (part == Part.SHORT)]
        whole = readability.measure("\n\n".join(texts[name] for name in names), terms=terms)
        norm = norms.get(part)
        parts.append(Score(part.value, str(part.label), whole, above(whole, norm) if norm else ()))
    return Report(tuple(parts), fields)


def readability_of(version: Version) -> Report:
    """The scores of one version, rendered now where nothing was stored."""
    return report_of(version, rendering.html_of(version), norms_of(version.kind))


def readability_of_public() -> list[tuple[dict[str, Any], Report]]:
    """Every public text with its scores, hardest first; measured once per content version and per set of norms."""
    norms = tuple(ReadabilityNorm.objects.values_list("kind", "part", *DEFAULTS[Part.SHORT], "explains_jargon"))
    return _public(SiteState.current().content_key, norms)


@lru_cache(maxsize=1)
def _public(_content_key: str, norms: tuple[tuple[Any, ...], ...]) -> list[tuple[dict[str, Any], Report]]:
    names = ("kind", "part", *DEFAULTS[Part.SHORT], "explains_jargon")
    rules: dict[str, dict[str, ReadabilityNorm]] = {}
    for row in norms:
        norm = ReadabilityNorm(**dict(zip(names, row, strict=True)))
        rules.setdefault(norm.kind, {})[norm.part] = norm
    found = []
    for kind in Item.Kind.values:
        versions = list(Version.model_for(kind)._default_manager.published().select_related("item"))
        for version, html in zip(versions, rendering.html_of_all(versions).values(), strict=True):
            facts = {
                "title": version.title,
                "kind": version.item.get_kind_display(),
                "url": version.get_absolute_url(),
            }
            found.append((facts, report_of(version, html, rules.get(kind, {}))))
    return sorted(found, key=lambda row: (not row[1].over, _douma(row[1].parts)))


def _douma(parts: Iterable[Score]) -> float:
    return min((part.measured.douma_plain for part in parts if part.measured.douma_plain is not None), default=999)
