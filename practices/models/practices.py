from __future__ import annotations

from decimal import Decimal
from typing import ClassVar
from urllib.parse import urlsplit

from django.db import models
from django.utils.translation import gettext_lazy as _

from knowledgebase.figures import Kind, Known
from knowledgebase.models import Item, KindManager, Scheme, Version
from practices import wording
from practices.ratings import CONVERSION, CONVERSIONS, as_given, key_figures, months


class Practice(Item):
    """A didactic practice. Its key is a stable English name, its slug is Dutch."""

    objects: ClassVar[KindManager] = KindManager(Item.Kind.PRACTICE)

    class Meta:
        proxy = True
        verbose_name = _("practice")
        verbose_name_plural = _("practices")


class PracticeVersion(Version):
    """The text of a practice, in the order in which a reader meets it; figures are in its ratings."""

    kind = Item.Kind.PRACTICE
    markdown_fields = (
        "in_short",
        "when_not",
        "what_it_is",
        "what_it_is_not",
        "behind_average",
        "equal_opportunities",
        "active_ingredients",
        "steps",
        "time_and_roles",
        "pitfalls",
        "scenario",
        "cost",
        "certainty",
        "change_our_mind",
    )

    short_fields = ("lead", "in_short")
    invented_fields = frozenset({"scenario"})
    user_fields = Version.user_fields | {"time_and_roles", "scenario"}
    scientific_fields = Version.scientific_fields | {"ratings", "verdicts"}

    in_short = models.TextField(_("in short"), blank=True, help_text=_("Three to five points."))
    when_not = models.TextField(_("when not, where it goes wrong"), blank=True)
    what_it_is = models.TextField(_("what it is"), blank=True)
    what_it_is_not = models.TextField(_("what it is not"), blank=True)
    behind_average = models.TextField(_("behind the average"), blank=True)
    equal_opportunities = models.TextField(_("equal opportunities"), blank=True)
    active_ingredients = models.TextField(_("active ingredients"), blank=True)
    steps = models.TextField(_("steps"), blank=True)
    time_and_roles = models.TextField(_("time and roles"), blank=True)
    pitfalls = models.TextField(_("pitfalls"), blank=True)
    scenario = models.TextField(_("classroom scene"), blank=True, help_text=_("Shown as an invented illustration."))
    cost = models.TextField(_("cost"), blank=True)
    certainty = models.TextField(_("how sure we are"), blank=True)
    change_our_mind = models.TextField(_("what would change our mind"), blank=True)

    class Meta:
        verbose_name = _("version of a practice")
        verbose_name_plural = _("versions of practices")

    def token_values(self) -> dict[str, str]:
        """`winst` and its kin for the figures shown, `winst:niveau:lager` per context, `winst:eef` for the EEF's own."""
        ratings = {rating.context_key: rating for rating in self.ratings.all()}
        verdicts = {verdict.context_key: verdict for verdict in self.verdicts.filter(issuer="EEF")}
        values = wording.tokens(key_figures(ratings.get("overall"), verdicts.get("overall")))
        for key, rating in ratings.items():
            if key != "overall":
                values |= wording.tokens(key_figures(rating, None), key)
        for key, verdict in verdicts.items():
            # Named as the EEF's by the token itself, so without "according to".
            theirs = "eef" if key == "overall" else f"eef:{key}"
            values |= wording.tokens(as_given(verdict), theirs)
        return values

    def stated_figures(self) -> list[Known]:
        """Ratings and verdicts under the sources that they are of, and months of the effects that sources report.

        A verdict is of the sources of this version that stand on the site where it was seen.
        """
        sources = [link.source for link in self.source_links.select_related("source")]
        sites: dict[str | None, list[str]] = {}
        for source in sources:
            sites.setdefault(urlsplit(source.url).hostname, []).append(source.key)
        stated = [known for rating in self.ratings.select_related("source") for known in rating.figures()]
        for verdict in self.verdicts.all():
            for key in sites.get(urlsplit(verdict.url).hostname, ()):
                stated += verdict.figures(key)
        table = CONVERSIONS[CONVERSION]
        reported = [known for source in sources for known in source.figures() if known.kind == Kind.EFFECT]
        for known in reported:
            if (gain := months(known.value, table)) is not None:
                stated.append(Known(Kind.MONTHS, Decimal(gain), known.source, known.where))
        return stated

    def derive(self) -> None:
        """Ratings that rest on study rows take over what those say."""
        for rating in self.ratings.filter(basis="studies"):
            rating.version = self
            rating.derive()

    def publication_gaps(self) -> list[tuple[str, str]]:
        """A practice says its learning gain, cost and conditions, or says that they are unknown and why."""
        gaps = super().publication_gaps()
        overall = self.ratings.filter(context_key="overall").first()
        if overall is None:
            missing = _("Add the overall rating; learning gain and cost may be unknown, with a reason.")
            gaps.append(("ratings", str(missing)))
        else:
            gaps += [("ratings", sentence) for sentence in overall.gaps()]
        for rating in self.ratings.filter(basis="studies"):
            rating.version = self
            gaps += [("ratings", sentence) for sentence in rating.differences()]
        if not self.when_not.strip():
            gaps.append(("when_not", str(_("Write when it does not work. If nobody knows, say so."))))
        if not self.concept_links.filter(concept__scheme=Scheme.LEVEL).exists():
            gaps.append(("concept_links", str(_("Choose at least one education level."))))
        if not self.concept_links.filter(concept__scheme=Scheme.AUDIENCE).exists():
            gaps.append(("concept_links", str(_("Choose at least one group of readers."))))
        if not self.source_links.exists():
            gaps.append(("source_links", str(_("Add at least one source."))))
        return gaps
