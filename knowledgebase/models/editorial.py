"""Identity and versions of every text. The one door per change of state is in knowledgebase.editorial.transitions."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from datetime import datetime

    from knowledgebase.figures import Known


ROOT_PAGES = ("over", "toegankelijkheid", "privacy")  # the pages with an address of their own


class ItemQuerySet(models.QuerySet["Item"]):
    def locked(self) -> Self:
        """Locked until the transaction ends. Rows of other texts may refer to them meanwhile: nobody waits in a ring."""
        return self.select_for_update(no_key=True)

    def published(self) -> Self:
        return self.filter(versions__state=Version.State.PUBLISHED)

    def withdrawn(self) -> Self:
        """Items that were public once and are no longer."""
        withdrawn = self.filter(versions__state=Version.State.WITHDRAWN).distinct()
        return withdrawn.exclude(versions__state=Version.State.PUBLISHED)

    def get_by_natural_key(self, kind: str, slug: str) -> Item:
        return self.get(kind=kind, slug=slug)


class KindManager(models.Manager.from_queryset(ItemQuerySet)):  # type: ignore[misc]  # built by Django at run time
    """Only the items of one kind."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def get_queryset(self) -> ItemQuerySet:
        items: ItemQuerySet = super().get_queryset().filter(kind=self.kind)
        return items


class Item(models.Model):
    """The identity of a text: what stays the same while versions come and go."""

    class Kind(models.TextChoices):
        PRACTICE = "practice", _("practice")
        SUMMARY = "summary", _("research summary")
        THEME = "theme", _("theme")
        PAGE = "page", _("page")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    slug = models.SlugField(_("address"), max_length=80)
    key = models.SlugField(_("key"), max_length=80, unique=True, null=True, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("owner")
    )
    review_due_on = models.DateField(_("review due on"), null=True, blank=True)
    also_searched_as = models.TextField(
        _("also searched as"),
        blank=True,
        help_text=_(
            "Words and whole questions under which readers look for this text, one a line. No page shows them."
        ),
    )

    objects = ItemQuerySet.as_manager()

    class Meta:
        ordering = ["kind", "slug"]
        verbose_name = _("text")
        verbose_name_plural = _("texts")
        constraints = [
            models.UniqueConstraint(fields=["kind", "slug"], name="slug_is_unique_in_kind"),
            models.CheckConstraint(condition=~Q(key=""), name="item_key_is_null_or_filled"),
        ]

    def __str__(self) -> str:
        return self.slug

    def get_absolute_url(self) -> str:
        if self.kind == self.Kind.PAGE and self.slug in ROOT_PAGES:
            return reverse(f"page-{self.slug}")
        return reverse(self.kind, args=[self.slug])

    def get_versions_url(self) -> str:
        """Where readers find every version that was public."""
        return f"{self.get_absolute_url()}versies/"

    def natural_key(self) -> tuple[str, str]:
        return (self.kind, self.slug)


class SlugRedirect(models.Model):
    """An address that a text used to have."""

    item = models.ForeignKey(Item, models.CASCADE, related_name="redirects")
    kind = models.CharField(max_length=10, choices=Item.Kind)
    slug = models.SlugField(max_length=80)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "slug"], name="redirect_is_unique_in_kind")]

    def __str__(self) -> str:
        return f"{self.kind}/{self.slug}"


class State(models.TextChoices):
    DRAFT = "draft", _("draft")
    IN_REVIEW = "in_review", _("in review")
    CHANGES_REQUESTED = "changes_requested", _("changes requested")
    APPROVED = "approved", _("approved")
    PUBLISHED = "published", _("published")
    SUPERSEDED = "superseded", _("superseded")
    WITHDRAWN = "withdrawn", _("withdrawn")
    DISCARDED = "discarded", _("discarded")


OPEN = (State.DRAFT, State.IN_REVIEW, State.CHANGES_REQUESTED, State.APPROVED)
EDITABLE = (State.DRAFT, State.CHANGES_REQUESTED)
PUBLIC_ONCE = (State.PUBLISHED, State.SUPERSEDED, State.WITHDRAWN)
CHANGE_REQUIRED = Q(number__gt=1) & Q(state__in=PUBLIC_ONCE)


class VersionQuerySet(models.QuerySet["Version"]):
    def published(self) -> Self:
        """What the public sees: at most one version of an item."""
        return self.filter(state=State.PUBLISHED)

    def open(self) -> Self:
        """Being written, reviewed or waiting for publication: at most one version of an item."""
        return self.filter(state__in=OPEN)

    def live(self) -> Self:
        """Public, or on its way there."""
        return self.filter(state__in=[State.PUBLISHED, *OPEN])


class Version(models.Model):
    """One version of a text; what it says is in the subclass of its kind and in the children of that subclass.

    States change only through knowledgebase.editorial.transitions.
    """

    State = State

    class ChangeType(models.TextChoices):
        LANGUAGE = "taal", _("language")
        CORRECTION = "correctie", _("correction")
        NEW_STUDIES = "nieuwe-studies", _("new studies")
        METHOD = "methode", _("method")

    class ConclusionChanged(models.TextChoices):
        YES = "ja", _("yes")
        NO = "nee", _("no")
        PARTLY = "deels", _("partly")

    kind: ClassVar[str]  # every subclass says which kind of item it is the text of
    markdown_fields: ClassVar[tuple[str, ...]] = ()  # in reading order
    plain_fields: ClassVar[tuple[str, ...]] = ("lead",)  # sentences without Markdown
    # Fields and kinds of child rows that are the business of one commission only; all others are both commissions'.
    user_fields: ClassVar[frozenset[str]] = frozenset({"item_links", "licence", "is_demo"})
    scientific_fields: ClassVar[frozenset[str]] = frozenset({
        "source_links", "selections", "selected_effects", "checked_on", "searched_on",
    })  # fmt: skip
    short_fields: ClassVar[tuple[str, ...]] = ("lead",)  # what readers meet first: the strictest norm for readability
    invented_fields: ClassVar[frozenset[str]] = frozenset()  # their figures are no research

    item = models.ForeignKey(Item, models.PROTECT, related_name="versions", verbose_name=_("text"))
    number = models.PositiveIntegerField(_("version"), editable=False)
    state = models.CharField(_("state"), max_length=20, choices=State, default=State.DRAFT, editable=False)
    lock_version = models.PositiveIntegerField(default=0, editable=False)
    content_hash = models.CharField(max_length=64, blank=True, editable=False)
    hash_version = models.PositiveSmallIntegerField(default=1, editable=False)
    based_on = models.ForeignKey("self", models.PROTECT, null=True, blank=True, editable=False, related_name="+")
    change_type = models.CharField(_("kind of change"), max_length=20, choices=ChangeType, blank=True)
    conclusion_changed = models.CharField(_("conclusion changed"), max_length=5, choices=ConclusionChanged, blank=True)
    change_note = models.TextField(
        _("what changed"), blank=True, help_text=_("Public. In a sentence or two, for a reader who knows the old text.")
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, editable=False, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    round_no = models.PositiveSmallIntegerField(_("round"), default=0, editable=False)
    submitted_at = models.DateTimeField(null=True, blank=True, editable=False)
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )
    publish_at = models.DateTimeField(_("publish at"), null=True, blank=True, editable=False)
    scheduled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )
    published_at = models.DateTimeField(_("published at"), null=True, blank=True, editable=False)
    withdrawn_at = models.DateTimeField(null=True, blank=True, editable=False)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )
    withdrawal_reason = models.TextField(_("why it was withdrawn"), blank=True, editable=False)

    title = models.CharField(_("title"), max_length=160)
    lead = models.TextField(
        _("lead"), blank=True, help_text=_("One to three short sentences: what you do, with whom, what to expect.")
    )
    checked_on = models.DateField(_("last checked"), null=True, blank=True)
    searched_on = models.DateField(
        _("literature last searched"), null=True, blank=True, help_text=_("Leave empty when nobody searched yet.")
    )
    licence = models.CharField(_("licence"), max_length=60, default="CC BY 4.0")
    is_demo = models.BooleanField(
        _("demonstration"), default=False, help_text=_("The page then says that no commission approved it.")
    )

    objects = VersionQuerySet.as_manager()

    class Meta:
        ordering = ["item_id", "-number"]
        verbose_name = _("version")
        verbose_name_plural = _("versions")
        permissions = [
            ("write_version", "Can write and submit versions"),
            ("publish_version", "Can publish and withdraw versions"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["item", "number"], name="version_number_is_unique"),
            models.UniqueConstraint(
                fields=["item"], condition=Q(state=State.PUBLISHED), name="item_has_one_published_version"
            ),
            models.UniqueConstraint(fields=["item"], condition=Q(state__in=OPEN), name="item_has_one_open_version"),
            models.CheckConstraint(
                condition=~Q(state__in=PUBLIC_ONCE)
                | Q(published_at__isnull=False, published_by__isnull=False) & ~Q(content_hash=""),
                name="public_version_says_when_who_and_what",
            ),
            models.CheckConstraint(
                condition=Q(state=State.WITHDRAWN, withdrawn_at__isnull=False, withdrawn_by__isnull=False)
                & ~Q(withdrawal_reason="")
                | ~Q(state=State.WITHDRAWN) & Q(withdrawn_at__isnull=True),
                name="withdrawn_version_says_when_and_why",
            ),
            models.CheckConstraint(
                condition=Q(publish_at=None, scheduled_by=None)
                | Q(publish_at__isnull=False, scheduled_by__isnull=False, state__in=[State.APPROVED, *PUBLIC_ONCE]),
                name="schedule_says_who_and_is_for_approved_versions",
            ),
            models.CheckConstraint(
                condition=~CHANGE_REQUIRED | ~Q(change_type="") & ~Q(conclusion_changed="") & ~Q(change_note=""),
                name="later_version_says_what_changed",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "-published_at"], name="version_by_publication"),
            models.Index(fields=["is_demo", "state"], name="version_by_demonstration"),  # asked by every page
        ]

    def __str__(self) -> str:
        return f"{self.title} (v{self.number})"

    def get_absolute_url(self) -> str:
        return self.item.get_absolute_url()

    def get_archive_url(self) -> str:
        """The address that stays this version's own when a newer one replaces it."""
        return f"{self.item.get_versions_url()}{self.number}/"

    @property
    def is_published(self) -> bool:
        return self.state == State.PUBLISHED

    @property
    def is_editable(self) -> bool:
        return self.state in EDITABLE

    @property
    def changed_at(self) -> datetime:
        """When readers first saw this version, or when it was begun."""
        return self.published_at or self.created_at

    @classmethod
    def model_for(cls, kind: str) -> type[Version]:
        """The subclass that holds the text of this kind of item."""
        return next(model for model in Version.__subclasses__() if model.kind == kind)

    def specific(self) -> Any:
        """This version as the model of its kind (a query, unless it is that already)."""
        model = self.model_for(self.item.kind)
        return self if isinstance(self, model) else model.objects.get(pk=self.pk)

    def token_values(self) -> dict[str, str]:
        """What the tokens in this text stand for (asks the database); texts with figures override it."""
        return {}

    def stated_figures(self) -> list[Known]:
        """The figures that the data of this version holds (asks the database); texts with figures override it."""
        return []

    def derive(self) -> None:
        """Fill what follows from other rows of this draft (called whenever it is saved); texts with figures override it."""

    def publication_gaps(self) -> list[tuple[str, str]]:
        """What is still missing before this text may be public: where (a field or a kind of child row), and a sentence."""
        return [] if self.title.strip() else [("title", str(_("Give the text a title.")))]


class VersionContributor(models.Model):
    """Somebody who saved a version at least once: they never review or decide on the text."""

    version = models.ForeignKey(Version, models.CASCADE, related_name="contributors")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="contributions")
    first_at = models.DateTimeField(auto_now_add=True)
    last_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "user"], name="contributor_is_named_once")]

    def __str__(self) -> str:
        return f"{self.user}, {self.version}"


class VersionChild(models.Model):
    """A row that belongs to a version and is copied with it; `uid` stays the same over copies."""

    hash_fields: ClassVar[tuple[str, ...]] = ()
    named_by: ClassVar[tuple[str, ...]] = ()  # the fields whose values name a row to a reader
    concept_keys: ClassVar[tuple[str, ...]] = ()  # the fields that hold a concept as `niveau:lager`
    content_needs: ClassVar[tuple[str, ...]] = ()  # what content() reads beyond the rows it points at

    uid = models.UUIDField(default=uuid.uuid4, editable=False)
    order = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        abstract = True

    def content(self) -> dict[str, Any]:
        """What a reader sees of this row, without keys of this database: this goes into the content hash."""
        return {name: getattr(self, name) for name in self.hash_fields}
