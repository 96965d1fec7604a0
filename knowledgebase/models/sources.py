import re
from typing import Any, Self
from urllib.parse import unquote

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from knowledgebase import figures

_DOI_PREFIX = re.compile(r"^(?:(?:https?://)?(?:www\.|dx\.)?doi\.org/|(?:info:)?doi[:/]?\s*)", re.IGNORECASE)
_DOI = re.compile(r"^10\.\d{4,9}/\S+$")


def normalise_doi(text: str) -> str:
    """The bare DOI in lower case of anything people paste: an address, `doi:10…`, with blanks around it.

    Raises ValidationError when it is no DOI (the form of DOIs: https://www.doi.org/the-identifier/resources/handbook).
    """
    doi = unquote(_DOI_PREFIX.sub("", text.strip())).rstrip(".,; ").lower()
    if not _DOI.match(doi):
        raise ValidationError(_("This is not a DOI. A DOI looks like 10.1234/abcd."), code="doi")
    return doi


def check_reported(rows: Any) -> None:
    """Raises ValidationError unless these are figures: a list of {kind, value, what}."""
    try:
        figures.reported(rows, "")
    except ValueError as error:
        message = _("Write figures as a list of kind, value and what it is; look at %(row)s.")
        raise ValidationError(message % {"row": error}, code="figures") from error


class DOIField(models.CharField):
    """A DOI, normalised by every door into the database; an empty one is NULL, so that it may repeat."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.update(max_length=200, null=True, blank=True, unique=True)
        super().__init__(*args, **kwargs)

    def to_python(self, value: Any) -> str | None:
        text = super().to_python(value)
        return normalise_doi(text) if text and text.strip() else None

    def get_prep_value(self, value: Any) -> str | None:
        prepared: str | None = super().get_prep_value(value)
        return prepared or None


class SourceQuerySet(models.QuerySet["Source"]):
    def cited(self) -> Self:
        """Sources of a published text."""
        return self.filter(links__version__state="published").distinct()

    def get_by_natural_key(self, key: str) -> "Source":
        return self.get(key=key)


class Source(models.Model):
    """A publication, or another place where a fact was seen. Its key is its address and its citation mark `[@key]`."""

    class Kind(models.TextChoices):
        META_ANALYSIS = "meta_analysis", _("meta-analysis")
        SYSTEMATIC_REVIEW = "systematic_review", _("systematic review")
        REVIEW = "review", _("review")
        STUDY = "study", _("study")
        REPORT = "report", _("report")
        ARTICLE = "article", _("article")
        WEBSITE = "website", _("website")

    class Access(models.TextChoices):
        YES = "yes", _("free to read")
        NO = "no", _("behind payment")
        UNKNOWN = "unknown", _("unknown")

    class Retraction(models.TextChoices):
        NONE = "none", _("none known")
        CONCERN = "concern", _("expression of concern")
        CORRECTED = "corrected", _("corrected")
        RETRACTED = "retracted", _("retracted")

    class Grade(models.TextChoices):
        A = "A", _("A: seen at a publisher, repository or index")
        B = "B", _("B: seen only in a text that cites it")

    key = models.SlugField(_("key"), max_length=80, unique=True, help_text=_("For example wisniewski-2020."))
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    title = models.CharField(_("title"), max_length=400)
    authors = models.JSONField(
        _("authors"), default=list, blank=True, help_text=_('A list like [{"family": "Okkinga", "given": "M."}].')
    )
    year = models.PositiveSmallIntegerField(_("year"), null=True, blank=True)
    container = models.CharField(_("journal, book or site"), max_length=200, blank=True)
    volume = models.CharField(_("volume"), max_length=20, blank=True)
    issue = models.CharField(_("issue"), max_length=20, blank=True)
    pages = models.CharField(_("pages"), max_length=40, blank=True)
    doi = DOIField(verbose_name="DOI")
    url = models.URLField(_("address"), max_length=400, blank=True)
    language = models.CharField(_("language"), max_length=5, default="en")
    open_access = models.CharField(_("access"), max_length=8, choices=Access, default=Access.UNKNOWN)
    licence = models.CharField(_("licence"), max_length=60, blank=True)
    retraction = models.CharField(_("retraction"), max_length=10, choices=Retraction, default=Retraction.NONE)
    grade = models.CharField(_("source grade"), max_length=1, choices=Grade)
    note = models.TextField(_("note"), blank=True, help_text=_("What we read of it and what to watch out for."))
    # null, not an empty list, when nobody wrote any down: a column that SQLite adds without remaking the table
    reported = models.JSONField(_("figures that it reports"), null=True, blank=True, validators=[check_reported])

    objects = SourceQuerySet.as_manager()

    class Meta:
        ordering = ["key"]
        verbose_name = _("source")
        verbose_name_plural = _("sources")
        constraints = [
            models.CheckConstraint(
                condition=Q(doi__isnull=True) | Q(doi__startswith="10.", doi=Lower(F("doi"))), name="doi_is_normalised"
            ),
            models.CheckConstraint(
                condition=Q(year__isnull=True) | Q(year__range=(1800, 2100)), name="source_year_is_plausible"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.short} {self.title}"

    def get_absolute_url(self) -> str:
        return reverse("source", args=[self.key])

    def natural_key(self) -> tuple[str]:
        return (self.key,)

    def clean(self) -> None:
        people = self.authors
        if not isinstance(people, list) or not all(
            isinstance(person, dict) and isinstance(person.get("family"), str) for person in people
        ):
            raise ValidationError({"authors": _('Write a list like [{"family": "Okkinga", "given": "M."}].')})

    def figures(self) -> list[figures.Known]:
        """The figures that it reports, with which those in texts are compared."""
        return figures.reported(self.reported, self.key)

    @property
    def short(self) -> str:
        """As it stands in a text: Okkinga e.a., 2018. An organisation may have a short name for this."""
        families = [person.get("short") or person["family"] for person in self.authors]
        if not families:
            names = self.container or self.title
        elif len(families) == 1:
            names = families[0]
        elif len(families) == 2:
            names = f"{families[0]} & {families[1]}"
        else:
            names = f"{families[0]} e.a."
        return f"{names}, {self.year or 'z.d.'}"

    @property
    def link(self) -> str:
        """Where it can be read, empty when we know of none."""
        return f"https://doi.org/{self.doi}" if self.doi else self.url

    @property
    def is_retracted(self) -> bool:
        return self.retraction == self.Retraction.RETRACTED

    @property
    def checked_link(self) -> "LinkCheck | None":
        """What the last check of its link found; None when that was another address, or there was none."""
        check = getattr(self, "link_check", None)
        return check if check is not None and check.url == self.link else None


class LinkCheck(models.Model):
    """What `manage.py check_links` found at the link of a source: derived, and no part of the source."""

    class State(models.TextChoices):
        WORKS = "works", _("works")
        MOVED = "moved", _("moved")
        UNCHECKABLE = "uncheckable", _("not checkable")
        DEAD = "dead", _("dead")

    source = models.OneToOneField(Source, models.CASCADE, primary_key=True, related_name="link_check")
    url = models.CharField(_("address"), max_length=400)
    state = models.CharField(_("link"), max_length=11, choices=State)
    status = models.PositiveSmallIntegerField(_("status"), null=True)
    moved_to = models.CharField(_("moved to"), max_length=2000, blank=True)
    why = models.CharField(_("why"), max_length=200, blank=True)
    checked_at = models.DateTimeField(_("checked"))

    class Meta:
        verbose_name = _("check of a link")
        verbose_name_plural = _("checks of links")

    def __str__(self) -> str:
        return f"{self.source_id}: {self.state}"
