from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from .editorial import Item, KindManager, Version


class Page(Item):
    """A text about the portal itself. Some have an address of their own (ROOT_PAGES)."""

    objects: ClassVar[KindManager] = KindManager(Item.Kind.PAGE)

    class Meta:
        proxy = True
        verbose_name = _("page")
        verbose_name_plural = _("pages")


class PageVersion(Version):
    kind = Item.Kind.PAGE
    markdown_fields = ("body",)
    invented_fields = frozenset({"body"})  # their figures are about the portal

    body = models.TextField(_("text"), blank=True)

    class Meta:
        verbose_name = _("version of a page")
        verbose_name_plural = _("versions of pages")
