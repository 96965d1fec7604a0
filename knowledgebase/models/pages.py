from django.db import models
from django.utils.translation import gettext_lazy as _

from .editorial import Item, ItemQuerySet, Version


class PageManager(models.Manager.from_queryset(ItemQuerySet)):  # type: ignore[misc]  # built by Django at run time
    def get_queryset(self) -> ItemQuerySet:
        return super().get_queryset().filter(kind=Item.Kind.PAGE)


class Page(Item):
    """A text about the portal itself. Some have an address of their own (ROOT_PAGES)."""

    objects = PageManager()

    class Meta:
        proxy = True
        verbose_name = _("page")
        verbose_name_plural = _("pages")


class PageVersion(Version):
    kind = Item.Kind.PAGE
    markdown_fields = ("body",)

    body = models.TextField(_("text"), blank=True)

    class Meta:
        verbose_name = _("version of a page")
        verbose_name_plural = _("versions of pages")
