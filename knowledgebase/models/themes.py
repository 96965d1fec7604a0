from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from .editorial import Item, KindManager, Version
from .taxonomy import Concept, Scheme


class Theme(Item):
    """The introduction to a theme; its page gathers what is linked to the theme's concept."""

    objects: ClassVar[KindManager] = KindManager(Item.Kind.THEME)

    class Meta:
        proxy = True
        verbose_name = _("theme")
        verbose_name_plural = _("themes")


class ThemeVersion(Version):
    kind = Item.Kind.THEME
    markdown_fields = ("body",)

    concept = models.ForeignKey(
        Concept, models.PROTECT, limit_choices_to={"scheme": Scheme.THEME}, related_name="+", verbose_name=_("theme")
    )
    body = models.TextField(_("introduction"), blank=True)

    class Meta:
        verbose_name = _("version of a theme")
        verbose_name_plural = _("versions of themes")
