"""Publications that become sources: which ones are there already, under which key a new one comes, and adding it."""

import re
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from knowledgebase.citations import Reference
from knowledgebase.models import Source, User
from knowledgebase.search import fold

from . import audit
from .permissions import role_of
from .refusals import AlreadyDone, NotAllowed

Likeness = tuple[str, int | None, str]
MAX_NAME = 40  # characters of a key before the year


def may_add(user: User) -> bool:
    return user.has_perm("knowledgebase.add_source")


@dataclass
class Catalogue:
    """What the sources are known by, read once: their DOIs, and title, year and first author without accents."""

    sources: dict[str, Source] = field(default_factory=dict)  # by key
    by_doi: dict[str, Source] = field(default_factory=dict)
    by_likeness: dict[Likeness, list[Source]] = field(default_factory=dict)

    @classmethod
    def of_all(cls) -> "Catalogue":
        catalogue = cls()
        for source in Source.objects.only("key", "title", "authors", "year", "doi", "container"):
            catalogue.hold(source)
        return catalogue

    def hold(self, source: Source) -> None:
        self.sources[source.key] = source
        if source.doi:
            self.by_doi[source.doi] = source
        self.by_likeness.setdefault(likeness(Reference.of_source(source)), []).append(source)

    def find(self, reference: Reference) -> Source | None:
        """The source that this publication is: by its DOI, else by title, year and first author.

        Two publications with a DOI each are two, however alike they look.
        """
        if reference.doi and reference.doi in self.by_doi:
            return self.by_doi[reference.doi]
        alike = self.by_likeness.get(likeness(reference), ())
        return next((source for source in alike if not (source.doi and reference.doi)), None)

    def propose_key(self, reference: Reference, *, taken: set[str]) -> str:
        """`familyname-year`, with a letter behind it when that is the key of another source or `taken`."""
        stem = f"{_name(reference)}-{reference.year or 'z-d'}"
        endings = ["", *"bcdefghijklmnopqrstuvwxyz", *(f"-{number}" for number in range(2, 1000))]
        keys = (f"{stem}{end}" for end in endings)
        return next(key for key in keys if key not in self.sources and key not in taken)


def likeness(reference: Reference) -> Likeness:
    """What two records of one publication have in common, however they are written."""
    first = reference.people[0] if reference.people else {}
    family = _letters(first.get("family", "").split()[-1:])
    return _letters([reference.title]), reference.year, family


def _letters(texts: list[str]) -> str:
    return "".join(character for character in fold(" ".join(texts)) if character.isalnum())


def _name(reference: Reference) -> str:
    """The first author as a slug; without one, the first words of where or what it is."""
    first = reference.people[0] if reference.people else {}
    words = first.get("short") or first.get("family") or " ".join((reference.container or reference.title).split()[:3])
    slug = slugify(fold(words))
    if len(slug) > MAX_NAME:
        slug = slug[:MAX_NAME].rpartition("-")[0] or slug[:MAX_NAME]
    return re.sub(r"^[-_]+|[-_]+$", "", slug.replace("_", "-")) or "bron"


def add(source: Source, *, by: User, origin: str) -> Source:
    """Save a publication as a source, with an event in the trail that says where its record came from.

    Raises NotAllowed, ValidationError, and AlreadyDone when somebody added it meanwhile.
    """
    if not may_add(by):
        raise NotAllowed(_("Only editors add sources."))
    source.full_clean()
    try:
        with transaction.atomic():
            source.save(force_insert=True)
            data = {"object": list(source.natural_key()), "from": origin}
            audit.record("add_source", by=by, role=role_of(by), data=data)
    except IntegrityError as error:
        raise AlreadyDone(_("Another source has this key or this DOI. Look in the list of sources.")) from error
    return source
