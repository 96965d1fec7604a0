from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from knowledgebase.editorial.forms import concept_choices
from knowledgebase.models import OPEN, PUBLIC_ONCE, Concept, ConceptLink, Scheme, Version

from .turns import Turn

State = Version.State


class StateFilter(admin.SimpleListFilter):
    """By the versions that a text has: it may have a published one and an open one at once."""

    title = _("state")
    parameter_name = "stand"
    NEVER = "nooit"
    SHOWN = (State.PUBLISHED, *OPEN, State.WITHDRAWN)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*((state.value, state.label) for state in self.SHOWN), (self.NEVER, _("never published"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        versions, value = Version.objects.filter(item=OuterRef("pk")), self.value()
        if value == self.NEVER:
            return queryset.filter(~Exists(versions.filter(state__in=PUBLIC_ONCE)))
        if value == State.WITHDRAWN:
            queryset = queryset.filter(~Exists(versions.filter(state=State.PUBLISHED)))
        return queryset.filter(Exists(versions.filter(state=value))) if value in self.SHOWN else queryset


class TurnFilter(admin.SimpleListFilter):
    """By who has to act now; a text that waits for both commissions waits for each of them."""

    title = _("who has to act")
    parameter_name = "beurt"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Turn.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() not in Turn.values:
            return queryset
        values = {self.value()} | ({Turn.BOTH} if self.value() in (Turn.USER, Turn.SCIENTIFIC) else set())
        return queryset.filter(Q(turn__in=values) | Q(confirming__in=values))


class ConceptFilter(admin.SimpleListFilter):
    """By a concept of one vocabulary or anything narrower, in the newest version."""

    scheme: Scheme

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return concept_choices(self.scheme)

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if not self.value():
            return queryset
        concepts = list(Concept.objects.in_scheme(self.scheme).values_list("pk", "slug", "broader_id"))
        chosen = {pk for pk, slug, _broader in concepts if slug == self.value()}
        while more := {pk for pk, _slug, broader in concepts if broader in chosen and pk not in chosen}:
            chosen |= more
        return queryset.filter(Exists(ConceptLink.objects.filter(version=OuterRef("newest_id"), concept__in=chosen)))


class LevelFilter(ConceptFilter):
    title = _("education level")
    parameter_name = scheme = Scheme.LEVEL


class ThemeFilter(ConceptFilter):
    title = _("theme")
    parameter_name = scheme = Scheme.THEME


class DemoFilter(admin.SimpleListFilter):
    title = _("demonstration")
    parameter_name = "demo"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("ja", _("yes")), ("nee", _("no"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        wanted = {"ja": True, "nee": False}.get(self.value() or "")
        if wanted is None:
            return queryset
        return queryset.filter(Exists(Version.objects.filter(pk=OuterRef("newest_id"), is_demo=wanted)))
