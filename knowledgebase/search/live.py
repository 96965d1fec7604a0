"""Reference data is live, so is what is found of it: a change of a row indexes that row and the texts that show it."""

from typing import Any

from django.db import transaction
from django.db.models import Model
from django.db.models.signals import post_delete, post_save

from knowledgebase.models import (
    Concept,
    ConceptLabel,
    Item,
    Scheme,
    SiteState,
    Source,
    ThemeVersion,
    Version,
)

from . import index_kind
from .engine import engine
from .entries import FACET_SCHEMES, KINDS


def connect() -> None:
    """Called when the app is ready; rows that a fixture loads are left to who loads them."""
    receivers: dict[type[Model], Any] = {
        Source: _source_changed,
        Concept: _concept_changed,
        ConceptLabel: _label_changed,
    }
    for model, changed in receivers.items():
        for signal in (post_save, post_delete):
            signal.connect(changed, sender=model, dispatch_uid=f"search-{model.__name__}")
    kinds: list[type[Item]] = [Item, *Item.__subclasses__()]
    for kind in kinds:
        post_save.connect(_item_saved, sender=kind, dispatch_uid=f"search-{kind.__name__}")


def _source_changed(instance: Source, *, raw: bool = False, **kwargs: Any) -> None:
    if kwargs["signal"] is post_delete:
        engine().remove("source", [instance.pk])
    elif not raw:
        _renew("source", instance.pk)


def _concept_changed(instance: Concept, *, raw: bool = False, created: bool = False, **kwargs: Any) -> None:
    if kwargs["signal"] is post_delete:
        if instance.scheme == Scheme.TERM:
            engine().remove("term", [instance.pk])
        return
    if raw or created:  # without a label it is nothing to find, and no text is about it
        return
    if instance.scheme == Scheme.TERM:
        _renew("term", instance.pk)
    if instance.scheme in FACET_SCHEMES:
        chosen, pks = {instance.pk}, {instance.pk}
        while pks:
            pks = set(Concept.objects.filter(broader__in=pks).values_list("pk", flat=True)) - chosen
            chosen |= pks
        _renew_texts(chosen)


def _label_changed(instance: ConceptLabel, *, raw: bool = False, **_kwargs: Any) -> None:
    if raw:
        return
    scheme = Concept.objects.filter(pk=instance.concept_id).values_list("scheme", flat=True).first()
    if scheme == Scheme.TERM:
        _renew("term", instance.concept_id)
    elif scheme in (*FACET_SCHEMES, Scheme.OUTCOME, Scheme.RESOURCE):
        _renew_texts({instance.concept_id})


def _item_saved(instance: Item, *, created: bool, raw: bool, **_kwargs: Any) -> None:
    """Another address, or other queries under which it is looked for."""
    if not (created or raw) and Version.objects.published().filter(item=instance.pk).exists():
        _renew(instance.kind, instance.pk)


def _renew(kind: str, pk: int) -> None:
    with transaction.atomic():
        SiteState.locked()  # first, as publications do
        index_kind(kind, [pk])


def _renew_texts(concepts: set[int]) -> None:
    """The published texts that are about one of these concepts."""
    linked = Version.objects.published().filter(concept_links__concept__in=concepts)
    themes = ThemeVersion.objects.published().filter(concept__in=concepts)
    items = {*linked.values_list("item__kind", "item"), *themes.values_list("item__kind", "item")}
    for kind in {kind for kind, _pk in items} & KINDS.keys():
        with transaction.atomic():
            SiteState.locked()
            index_kind(kind, [pk for other, pk in items if other == kind])
