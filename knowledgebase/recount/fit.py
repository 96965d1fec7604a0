"""Does this fit us: how many studies look like the school of a reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from knowledgebase import wording
from knowledgebase.evidence.records import COUNTRY_GROUPS, Row
from knowledgebase.search.fields import seen

from .switches import LONGEST_SEEN, VALUES, Choice, Option
from .words import Names, country_words

OURS = {"level": "ons-niveau", "subject": "ons-vak", "country": "onze-regio"}
BELGIUM, NETHERLANDS = "BE", "NL"


@dataclass(frozen=True)
class Fit:
    """How many studies share one thing with the reader, or everything at once."""

    label: str
    count: int
    of: int
    unknown: int = 0  # studies that do not say

    @property
    def words(self) -> str:
        counted = _("%(count)s of %(total)s studies.") % {
            "count": wording.number(self.count), "total": wording.number(self.of)}  # fmt: skip
        if not self.unknown:
            return counted
        return f"{counted} " + _("Of %(count)s we do not know it.") % {"count": wording.number(self.unknown)}


def fits(
    query: Mapping[str, str], rows: Sequence[Row], names: Names
) -> tuple[list[Choice], list[Fit], dict[str, str], list[str]]:
    """The questions, the counts, what was chosen and notices. Zero is a count like any other."""
    regions = {region: country_words(region) for region in (BELGIUM, NETHERLANDS, *COUNTRY_GROUPS)}
    known: dict[str, Mapping[str, str]] = {"level": names.levels, "subject": names.subjects, "country": regions}
    labels = {"level": _("My level"), "subject": _("My subject"), "country": _("My region")}
    total = {row.study for row in rows}
    chosen, offered, counts, notices = {}, [], [], []
    together = total
    for name, parameter in OURS.items():
        value = query.get(parameter, "").strip()
        if value and value not in known[name]:
            notices.append(
                _("We do not know “%(value)s” for %(what)s, so we left it out.")
                % {"value": seen(value)[:LONGEST_SEEN], "what": labels[name].lower()}
            )
            value = ""
        members: dict[str, set[str]] = {}
        for row in rows:
            for own in VALUES[name](row):
                members.setdefault(own, set()).add(row.study)
        said = {row.study for row in rows if any(VALUES[name](row))}
        options = [Option(key, label, len(members.get(key, ())), key == value) for key, label in known[name].items()]
        offered.append(Choice(parameter, labels[name], options))
        if value:
            chosen[parameter] = value
            counts.append(Fit(known[name][value], len(members.get(value, ())), len(total), len(total - said)))
            together = together & members.get(value, set())
    if not chosen:
        belgian = {row.study for row in rows if row.country == BELGIUM}
        unknown = {row.study for row in rows if not row.country}
        counts.append(Fit(country_words(BELGIUM), len(belgian), len(total), len(unknown)))
    if len(chosen) > 1:
        counts.append(Fit(_("all of this at once"), len(together), len(total)))
    return offered, counts, chosen, notices
