"""What editors do with study rows: correct them, and choose which ones a version rests on.

A row on which a submitted version rests never changes: a correction is a new row that takes its place from then on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from knowledgebase.models import EffectSize, SelectedEffect, Selection, Study, User, Version

from . import audit, transitions
from .permissions import check_writes, role_of
from .refusals import AlreadyDone, MoveRefused

COPIED = tuple(
    field.name
    for field in EffectSize._meta.concrete_fields
    if field.name not in {"id", "uid", "study", "supersedes", "created_by", "created_at"}
)
_NUMBERED = re.compile(r"-v(\d+)\Z")


def is_used(row: Study | EffectSize) -> bool:
    """Whether a version that was ever submitted rests on this row."""
    selected = SelectedEffect.objects.submitted()
    if isinstance(row, Study):
        return selected.filter(effect__study=row).exists()
    return selected.filter(effect=row).exists()


def add_effect(study: Study, /, *, by: User, **values: Any) -> EffectSize:
    """A new effect of a study."""
    with transaction.atomic():
        check_writes(by)
        _check_current(study)
        effect = EffectSize(study=study, created_by=by, **values)
        effect.full_clean(exclude=["created_by"])
        effect.save()
        _record("add_effect", effect, by=by)
    return effect


def remove_effect(effect: EffectSize, /, *, by: User) -> None:
    """Delete an effect on which nothing rests: no version, and no correction."""
    with transaction.atomic():
        check_writes(by)
        effect = EffectSize.objects.select_for_update(of=("self",)).select_related("study").get(pk=effect.pk)
        _check_current(effect)
        if effect.supersedes_id or SelectedEffect.objects.filter(effect=effect).exists():
            raise MoveRefused(
                _("A text rests on this row, or it is a correction: leave it out of the selection instead.")
            )
        _record("remove_effect", effect, by=by)
        effect.delete()


def correct_effect(effect: EffectSize, /, *, by: User, **changes: Any) -> EffectSize:
    """The row with these values: itself, or a new one in its place when a submitted version rests on it.

    Raises AlreadyDone when a correction took its place before.
    """
    with transaction.atomic():
        check_writes(by)
        effect = EffectSize.objects.select_for_update(of=("self",)).select_related("study").get(pk=effect.pk)
        _check_current(effect)
        used = is_used(effect)
        before = effect.effect
        if used:
            values = {name: getattr(effect, name) for name in COPIED}
            effect = EffectSize(**values | changes, study=effect.study, supersedes=effect, created_by=by)
        else:
            for name, value in changes.items():
                setattr(effect, name, value)
        effect.full_clean(exclude=["created_by"])
        effect.save()
        _record("correct_effect" if used else "change_effect", effect, by=by, fields=sorted(changes),
                sign_changed=before * effect.effect < 0)  # fmt: skip
    return effect


def correct_study(study: Study, /, *, by: User, **changes: Any) -> Study:
    """The study with these values: itself, or a new one with its effects when a submitted version rests on it."""
    with transaction.atomic():
        check_writes(by)
        study = Study.objects.select_for_update().get(pk=study.pk)
        _check_current(study)
        used = is_used(study)
        if used:
            old = study
            values = {f.name: getattr(old, f.name) for f in Study._meta.concrete_fields if f.name not in {"id", "key"}}
            study = Study(**values | changes | {"key": _next_key(old.key), "supersedes": old})
        else:
            for name, value in changes.items():
                setattr(study, name, value)
        study.full_clean()
        study.save()
        if used:
            for effect in old.effects.current():
                copied = {name: getattr(effect, name) for name in COPIED}
                EffectSize.objects.create(**copied, study=study, supersedes=effect, created_by=by)
        _record("correct_study" if used else "change_study", study, by=by, fields=sorted(changes))
    return study


def _check_current(row: Study | EffectSize) -> None:
    if type(row)._default_manager.filter(supersedes=row.pk).exists():
        raise AlreadyDone(_("A correction took the place of this row already: correct that one."))


def _next_key(key: str) -> str:
    """ashworth-1992, then ashworth-1992-v2, and so on."""
    base = _NUMBERED.sub("", key)
    taken = set(Study.objects.filter(key__startswith=base).values_list("key", flat=True))
    return next(new for number in range(2, len(taken) + 3) if (new := f"{base[:90]}-v{number}") not in taken)


def _record(action: str, row: Study | EffectSize, *, by: User, **data: Any) -> None:
    study = row if isinstance(row, Study) else row.study
    named = {"study": study.key} | ({} if isinstance(row, Study) else {"row": str(row.uid)})
    audit.record(action, by=by, role=role_of(by), data=named | {name: value for name, value in data.items() if value})


# -- what a version rests on


def add_rows(selection: Selection, effects: Iterable[EffectSize], *, by: User) -> int:
    """Put effects in a selection, those that are there already left as they are. Returns how many came in."""
    with transaction.atomic():
        _locked(selection)
        rows = selection.rows()
        known = set(rows.values_list("effect_id", flat=True))
        last = rows.order_by("-order").values_list("order", flat=True).first()
        first = 0 if last is None else last + 1
        fresh = [effect for effect in effects if effect.pk not in known]
        SelectedEffect.objects.bulk_create(
            SelectedEffect(version_id=selection.version_id, selection=selection.uid, effect=effect, order=first + place)
            for place, effect in enumerate(fresh)
        )
        if fresh:
            transitions.saved(selection.version, by=by)
    return len(fresh)


def choose_rows(selection: Selection, chosen: Mapping[int, tuple[bool, str]], *, by: User) -> int:
    """Say of rows (by primary key) whether they count, and if not why. Returns how many changed."""
    with transaction.atomic():
        _locked(selection)
        rows = selection.rows().filter(pk__in=chosen)
        changed = []
        for row in rows:
            included, reason = chosen[row.pk]
            reason = "" if included else " ".join(reason.split())
            if (row.included, row.reason) != (included, reason):
                row.included, row.reason = included, reason
                changed.append(row)
        SelectedEffect.objects.bulk_update(changed, ["included", "reason"])
        if changed:
            transitions.saved(selection.version, by=by)
    return len(changed)


def drop_rows(selection: Selection, pks: Iterable[int] | None = None, *, by: User) -> int:
    """Take rows out of a selection altogether (all of them without `pks`). Returns how many went."""
    with transaction.atomic():
        _locked(selection)
        rows = selection.rows()
        count, _by_model = (rows if pks is None else rows.filter(pk__in=pks)).delete()
        if count:
            transitions.saved(selection.version, by=by)
    return count


def take_corrections(selection: Selection, *, by: User) -> int:
    """Let the newest correction of each row take its place in the selection. Returns how many rows changed."""
    with transaction.atomic():
        _locked(selection)
        rows = selection.rows()
        old = list(rows.filter(effect__superseded_by__isnull=False).select_related("effect__superseded_by"))
        there = set(rows.values_list("effect_id", flat=True))
        changed, doubled = [], []
        for row in old:
            newest = row.effect
            while (newer := EffectSize.objects.filter(supersedes=newest).first()) is not None:
                newest = newer
            if newest.pk in there:
                doubled.append(row.pk)
            else:
                row.effect = newest
                changed.append(row)
        SelectedEffect.objects.filter(pk__in=doubled).delete()
        SelectedEffect.objects.bulk_update(changed, ["effect"])
        if old:
            transitions.saved(selection.version, by=by)
    return len(old)


def remove_selection(selection: Selection, *, by: User) -> None:
    """Take a selection with its rows out of a draft."""
    with transaction.atomic():
        _locked(selection)
        selection.rows().delete()
        selection.delete()
        transitions.saved(selection.version, by=by)


def _locked(selection: Selection) -> Version:
    version: Version = transitions.locked(selection.version)
    if not version.is_editable:
        raise MoveRefused(_("This version is frozen: its selection of studies can no longer change."))
    return version
