"""Files of texts into drafts: every file is looked at in full first, then each that is right is taken in by itself.

Only drafts are made or changed, by the verbs of the workflow. A published text gets a new draft when the file says
something else; a draft that somebody works on is left unless one asks for it; what is with the commissions is left.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from knowledgebase.editorial import transitions
from knowledgebase.editorial.permissions import check_writes
from knowledgebase.editorial.refusals import MoveRefused
from knowledgebase.models import (
    EDITABLE,
    Concept,
    ConceptLink,
    EffectSize,
    Item,
    ItemLink,
    Scheme,
    SelectedEffect,
    Selection,
    SlugRedirect,
    Source,
    SourceLink,
    User,
    Version,
)
from leerpunt import content
from leerpunt.content import CHANGE, CONCEPT_KEYS, DATES, ITEM_LINKS, ROWS, TEXTS, Document, NoDocument, Problem


class Fate(StrEnum):
    """What became of a file."""

    NEW = "new text"
    DRAFT = "new draft"
    CHANGED = "draft changed"
    SAME = "unchanged"
    LEFT = "left"
    REFUSED = "refused"


@dataclass(frozen=True)
class Told:
    """A line of the report on one file."""

    file: str
    fate: Fate
    words: str = ""


@dataclass
class Report:
    told: list[Told] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, file: str, problems: Sequence[Problem]) -> None:
        self.problems += problems
        self.told.append(Told(file, Fate.REFUSED, f"{len(problems)} problems"))

    def count(self, fate: Fate) -> int:
        return sum(told.fate == fate for told in self.told)


@dataclass(frozen=True)
class Known:
    """What texts may refer to, read once."""

    concepts: dict[tuple[str, str], Concept]
    sources: dict[str, Source]
    items: dict[tuple[str, str], Item]  # by kind and key

    @classmethod
    def now(cls) -> "Known":
        return cls(
            {concept.natural_key(): concept for concept in Concept.objects.all()},
            {source.key: source for source in Source.objects.all()},
            {(item.kind, content.file_key(item)): item for item in Item.objects.all()},
        )


def take_in(
    paths: Iterable[Path], *, by: User, overwrite_drafts: bool = False, only_new: bool = False, is_demo: bool = False
) -> Report:
    """Drafts of what the files say. One bad file does not stop the others. Raises NotAllowed to whoever is no editor.

    With `only_new` a text that is there is left, whatever its file says.
    """
    check_writes(by)
    report, documents = Report(), []
    for path in paths:
        try:
            documents.append(content.read(path))
        except NoDocument as error:
            report.refuse(path.name, error.problems)
    known = Known.now()
    if is_demo:
        documents = [replace(document, front=document.front | {"is_demo": True}) for document in documents]
    if only_new:
        documents = _not_there(documents, known, report)
    documents = _checked(documents, known, report)
    documents = _that_refer_to_texts(documents, known, report)
    for document in documents:  # so that texts may refer to each other
        if (document.kind, document.front["key"]) not in known.items:
            item = Item.objects.create(kind=document.kind, slug=document.front["slug"], key=document.item_key)
            known.items[document.kind, document.front["key"]] = item
    for document in documents:
        item = known.items[document.kind, document.front["key"]]
        try:
            with transaction.atomic():
                report.told.append(_take_in(document, item, known, by=by, overwrite_drafts=overwrite_drafts))
        except NoDocument as error:
            report.refuse(document.path.name, error.problems)
        except MoveRefused as error:
            report.refuse(document.path.name, [document.problem(reason) for reason in error.reasons])
        except (IntegrityError, ValidationError) as error:
            report.refuse(document.path.name, [document.problem(f"the database refuses it: {error}")])
    return report


# -- looking before anything is written -----------------------------------------------------------


def _not_there(documents: list[Document], known: Known, report: Report) -> list[Document]:
    """The documents of texts that are new; the others are told."""
    new = []
    for document in documents:
        if (document.kind, document.front["key"]) in known.items:
            report.told.append(Told(document.path.name, Fate.LEFT, "there is such a text already."))
        else:
            new.append(document)
    return new


def _checked(documents: list[Document], known: Known, report: Report) -> list[Document]:
    """The documents in which nothing is wrong; the others are told."""
    right = []
    addresses = {(item.kind, item.slug): key for (_kind, key), item in known.items.items()}
    seen: dict[tuple[str, str, str], str] = {}
    for document in documents:
        problems = [*_references(document, known), *content.missing_sources(document)]
        problems += _addresses(document, addresses, seen)
        if not problems:
            problems += _models(document, known)
        if problems:
            report.refuse(document.path.name, problems)
        else:
            right.append(document)
    return right


def _references(document: Document, known: Known) -> Iterable[Problem]:
    """Concepts and sources that do not exist."""
    for name, scheme in CONCEPT_KEYS.items():
        for number, slug in enumerate(document.front.get(name) or ()):
            if (scheme.value, slug) not in known.concepts:
                yield document.problem(f"there is no “{slug}” in the vocabulary {scheme.value}.", name, number)
    for number, key in enumerate(document.front.get("sources") or ()):
        if key not in known.sources:
            yield document.problem(f"there is no source “{key}”.", "sources", number)
    theme = document.front.get("theme")
    if document.kind == Item.Kind.THEME and (Scheme.THEME.value, theme) not in known.concepts:
        yield document.problem(f"there is no theme “{theme}”.", "theme")


def _addresses(
    document: Document, addresses: dict[tuple[str, str], str], seen: dict[tuple[str, str, str], str]
) -> Iterable[Problem]:
    """Two files for one text, or an address that another text has."""
    kind, key, slug = document.kind, document.front["key"], document.front["slug"]
    owner = addresses.get((kind, slug))
    if owner is not None and owner != key:
        yield document.problem(f"the text “{owner}” has this address.", "slug")
    for name, value in (("key", key), ("slug", slug)):
        if (first := seen.setdefault((kind, name, value), document.path.name)) != document.path.name:
            yield document.problem(f"“{value}” stands in {first} too.", name)


def _models(document: Document, known: Known) -> Iterable[Problem]:
    """What the models say of every field and every row."""
    version = Version.model_for(document.kind)()
    try:
        Item(kind=document.kind, slug=document.front["slug"], key=document.item_key).clean_fields()
        _fill(version, document, known)
        needed = {field.name for field in version._meta.fields if field.name in {*TEXTS, *DATES, *document.sections}}
        version.clean_fields(exclude={field.name for field in version._meta.fields} - needed)
    except ValidationError as error:
        for name, messages in content.messages_of(error).items():
            for message in messages:
                yield document.problem(message, *((name,) if name else ()))
    for kind in ROWS:
        if kind in document.front and not hasattr(version, kind):
            yield document.problem(f"a {document.kind} has none.", kind)
            continue
        for number, _row in content.rows_in(document, kind):
            try:
                child = _instance(document, known, kind, number)
                child.full_clean(exclude=["version"], validate_unique=False)
            except NoDocument as error:
                yield from error.problems
            except (ValidationError, TypeError, ArithmeticError) as error:
                told = error if isinstance(error, ValidationError) else ValidationError(str(error))
                yield from content.row_problems(document, kind, number, told)
            else:
                yield from _rows_of_studies(document, kind, number, child)


def _rows_of_studies(document: Document, kind: str, number: int, child: Any) -> Iterable[Problem]:
    """A selection needs the study rows that it selects."""
    if kind != "selections":
        return
    row = document.front[kind][number]
    keys = EffectSize.objects.current().filter(study__synthesis=child.synthesis_id).values_list("study__key", flat=True)
    if child.synthesis_id is None or not (known := set(keys)):
        yield document.problem("we have no study rows of this synthesis.", kind, number, "synthesis")
    elif unknown := (row.get("left_out") or {}).keys() - known:
        message = f"no such study: {', '.join(sorted(unknown))}."
        yield document.problem(message, kind, number, "left_out")


def _that_refer_to_texts(documents: list[Document], known: Known, report: Report) -> list[Document]:
    """The documents whose related texts exist, or come in with them."""
    while True:
        there = {*known.items, *((document.kind, document.front["key"]) for document in documents)}
        wrong = []
        for document in documents:
            problems = [
                document.problem(f"there is no {kind} “{key}”.", name, number)
                for name, kind in ITEM_LINKS.items()
                for number, key in enumerate(document.front.get(name) or ())
                if (kind, key) not in there
            ]
            if problems:
                wrong.append(document)
                report.refuse(document.path.name, problems)
        if not wrong:
            return documents
        documents = [document for document in documents if document not in wrong]


# -- one text -------------------------------------------------------------------------------------


def _take_in(document: Document, item: Item, known: Known, *, by: User, overwrite_drafts: bool) -> Told:
    name = document.path.name
    versions = {version.state: version for version in item.versions.select_related("item")}
    current = item.versions.open().first() or item.versions.published().first()
    if current is not None and _says_the_same(current, document, known):
        return Told(name, Fate.SAME, _of_item(document, item, is_new=False))
    open_one = item.versions.open().first()
    if open_one is not None and open_one.state not in EDITABLE:
        return Told(name, Fate.LEFT, f"version {open_one.number} is {open_one.state}: it is not touched.")
    if open_one is not None and not overwrite_drafts:
        words = f"version {open_one.number} is a draft that says something else; --overwrite-drafts replaces it."
        return Told(name, Fate.LEFT, words)
    words = _of_item(document, item, is_new=not versions)
    draft = transitions.begin(item, by=by)
    _write(draft, document, known)
    transitions.saved(draft, by=by)
    return Told(name, Fate.NEW if not versions else Fate.CHANGED if open_one else Fate.DRAFT, words)


def _says_the_same(version: Version, document: Document, known: Known) -> bool:
    try:
        stored = content.document_of(version.specific())
    except NoDocument:  # what it says does not fit in a file, so no file says the same
        return False
    return content.normal(document, partial(_instance, document, known)).says() == stored.says()


def _of_item(document: Document, item: Item, *, is_new: bool) -> str:
    """Set what belongs to the item as long as no reader sees it; else say what the file says differently."""
    searched = "\n".join(document.front.get("also_searched_as") or ())
    lines = [line.strip() for line in item.also_searched_as.splitlines() if line.strip()]
    if is_new or not item.versions.exclude(state__in=[*EDITABLE]).exists():
        if searched.splitlines() != lines:
            item.also_searched_as = searched
            item.save(update_fields=["also_searched_as"])
        if is_new:
            for slug in document.front.get("old_slugs") or ():
                SlugRedirect.objects.get_or_create(kind=item.kind, slug=slug, defaults={"item": item})
        return ""
    other = [
        name
        for name, ours, theirs in (
            ("slug", item.slug, document.front["slug"]),
            ("also_searched_as", lines, searched.splitlines()),
        )
        if ours != theirs
    ]
    return f"{' and '.join(other)} differ: change that in the admin." if other else ""


def _fill(version: Any, document: Document, known: Known) -> None:
    """The fields of a version; what the file does not name becomes empty."""
    for name in (*TEXTS, *DATES):
        if hasattr(version, name):
            value = document.front.get(name)
            setattr(version, name, value if name in DATES else (value or "").strip())
    version.licence = version.licence or Version._meta.get_field("licence").default
    version.is_demo = bool(document.front.get("is_demo"))
    for name in version.markdown_fields:
        setattr(version, name, document.sections.get(name, ""))
    if document.kind == Item.Kind.THEME:
        version.concept = known.concepts[Scheme.THEME.value, document.front["theme"]]


def _write(draft: Any, document: Document, known: Known) -> None:
    """Make a draft say what a file says. Rows that stay keep their uid, so that differences are shown well."""
    change = {name: getattr(draft, name) for name in CHANGE}
    _fill(draft, document, known)
    for name in CHANGE - document.front.keys():
        setattr(draft, name, change[name])
    draft.full_clean()
    draft.save()
    wanted: list[tuple[Any, dict[str, Any]]] = []
    for name, scheme in CONCEPT_KEYS.items():
        for order, slug in enumerate(document.front.get(name) or ()):
            wanted.append((known.concepts[scheme.value, slug].pk, {"order": order}))
    _put(draft, ConceptLink, ("concept_id",), [({"concept_id": pk}, values) for pk, values in wanted])
    sources = [known.sources[key].pk for key in document.front.get("sources") or ()]
    _put(draft, SourceLink, ("source_id",), [({"source_id": pk}, {"order": n}) for n, pk in enumerate(sources)])
    links = [
        ({"item_id": known.items[kind, key].pk}, {"order": order})
        for name, kind in ITEM_LINKS.items()
        for order, key in enumerate(document.front.get(name) or ())
    ]
    _put(draft, ItemLink, ("item_id",), links)
    for kind, rows in ROWS.items():
        if not hasattr(draft, kind):
            continue
        named = tuple(rows.words.get(name, name) for name in rows.named_by)
        children = []
        for order, _row in content.rows_in(document, kind):
            child = _instance(document, known, kind, order)
            child.clean()
            kept = {"id", "uid", "version", "order"}
            values = {f.attname: getattr(child, f.attname) for f in child._meta.concrete_fields if f.name not in kept}
            children.append(({name: values.pop(name) for name in named}, values | {"order": order}))
        _put(draft, rows.model, named, children)
    _select(draft, document)


def _put(draft: Any, model: Any, named: tuple[str, ...], wanted: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    """Make the rows of one kind those that are wanted, each known by the fields in `named`."""
    rows = {tuple(getattr(row, name) for name in named): row for row in model.objects.filter(version_id=draft.pk)}
    for identity, values in wanted:
        row = rows.pop(tuple(identity.values()), None)
        if row is None:
            model.objects.create(version_id=draft.pk, **identity, **values)
            continue
        changed = [name for name, value in values.items() if getattr(row, name) != value]
        for name in changed:
            setattr(row, name, values[name])
        if changed:
            row.save(update_fields=changed)
    for row in rows.values():
        row.delete()


def _select(draft: Any, document: Document) -> None:
    """The study rows of every selection, anew where they are not those that the file asks for."""
    selections = {selection.context_key: selection for selection in Selection.objects.filter(version_id=draft.pk)}
    uids = [selection.uid for selection in selections.values()]
    SelectedEffect.objects.filter(version_id=draft.pk).exclude(selection__in=uids).delete()
    for _number, row in content.rows_in(document, "selections"):
        selection = selections[row["context"]]
        rows = content.selected(selection, row.get("left_out") or {})
        now = SelectedEffect.objects.filter(version_id=draft.pk, selection=selection.uid)
        facts = ("effect_id", "included", "reason", "order")
        if list(now.values_list(*facts)) != [tuple(getattr(one, name) for name in facts) for one in rows]:
            now.delete()
            SelectedEffect.objects.bulk_create(rows)


def _instance(document: Document, known: Known, kind: str, number: int) -> Any:
    """A row of a file as its model, not saved, its values as the data would hold them. Raises NoDocument."""
    row = document.front[kind][number]
    model = ROWS[kind].model
    child: Any = model(**content.values_of(document, kind, number, row, known.sources))
    problems = []
    for model_field in model._meta.concrete_fields:
        if model_field.is_relation or model_field.primary_key:
            continue
        try:
            setattr(child, model_field.attname, model_field.to_python(getattr(child, model_field.attname)))
        except ValidationError as error:
            word = ROWS[kind].word(model_field.name)
            problems += [document.problem(message, kind, number, word) for message in error.messages]
    if problems:
        raise NoDocument(*problems)
    return child
