import pytest
from django.core.exceptions import ValidationError

from knowledgebase.citations import Reference
from knowledgebase.editorial.bibliography import Catalogue, add, may_add
from knowledgebase.editorial.refusals import AlreadyDone, NotAllowed
from knowledgebase.models import AuditEvent, Source
from tests.factories import make_source, make_user

pytestmark = pytest.mark.django_db


def reference(*names, title="Leren", year=2020, **fields):
    authors = tuple({"family": name, "given": "A."} for name in names)
    return Reference(key="", kind="article", title=title, authors=authors, year=year, **fields)


@pytest.mark.parametrize(
    ("record", "key"),
    [
        (reference("Okkinga"), "okkinga-2020"),
        (reference("van der Kleij"), "van-der-kleij-2020"),
        (reference("De Smedt", "Jansen"), "de-smedt-2020"),
        (reference("Müller-Žižek"), "muller-zizek-2020"),
        (reference("O’Neil"), "oneil-2020"),
        (reference("Raad", year=None), "raad-z-d"),
        (
            reference("Vlaamse Raad voor Wetenschap en Innovatie in het Onderwijs"),
            "vlaamse-raad-voor-wetenschap-en-2020",
        ),
        (reference("et al.", title="Een heel lange titel"), "een-heel-lange-2020"),
        (reference(container="Education Endowment Foundation"), "education-endowment-foundation-2020"),
        (reference("Ελλάδα", title="中文"), None),
    ],
)
def test_a_key_is_the_first_family_name_and_the_year(record, key):
    proposed = Catalogue.of_all().propose_key(record, taken=set())
    assert proposed == key if key else Source._meta.get_field("key").clean(proposed, None)


def test_an_organisation_goes_by_its_short_name():
    record = Reference(key="", kind="website", title="X", authors=({"family": "Education", "short": "EEF"},), year=2021)
    assert Catalogue.of_all().propose_key(record, taken=set()) == "eef-2021"


def test_a_key_that_is_taken_gets_a_letter():
    make_source("jansen-2020")
    make_source("jansen-2020c")
    catalogue = Catalogue.of_all()
    assert catalogue.propose_key(reference("Jansen"), taken=set()) == "jansen-2020b"
    assert catalogue.propose_key(reference("Jansen"), taken={"jansen-2020b"}) == "jansen-2020d"
    letters = {f"jansen-2020{letter}" for letter in "bcdefghijklmnopqrstuvwxyz"}
    assert catalogue.propose_key(reference("Jansen"), taken=letters) == "jansen-2020-2"


@pytest.mark.parametrize(
    ("record", "is_known"),
    [
        (reference("Iemand", title="Anders", doi="10.1234/abc"), True),
        (reference("van der Kleij", title="LEREN – en: Toetsen!", doi=""), True),
        (reference("Kleij", title="Leren en toetsen"), True),
        (reference("Kleij", title="Leren en toetsen", doi="10.1234/other"), False),
        (reference("Kleij", title="Leren en toetsen", year=2021), False),
        (reference("Jansen", title="Leren en toetsen"), False),
        (reference("Kleij", title="Leren of toetsen"), False),
    ],
)
def test_a_publication_is_known_by_its_doi_or_else_by_title_year_and_first_author(record, is_known):
    authors = [{"family": "van der Kleij", "given": "F. M."}]
    source = make_source("x", title="Lèren en toetsen", authors=authors, doi="10.1234/abc")
    assert Catalogue.of_all().find(record) == (source if is_known else None)


def test_a_source_without_a_doi_is_known_by_how_it_looks():
    source = make_source("x", title="Leren", authors=[])
    assert Catalogue.of_all().find(reference(doi="10.1234/abc")) == source


def test_adding_a_source_is_in_the_trail():
    editor = make_user(role="redacteur")
    source = add(Source(key="jansen-2020", kind="article", title="Leren", grade="A"), by=editor, origin="doi")
    assert Source.objects.get() == source
    event = AuditEvent.objects.get()
    assert (event.action, event.actor_id, event.data) == (
        "add_source", editor.pk, {"object": ["jansen-2020"], "from": "doi"},
    )  # fmt: skip


@pytest.mark.parametrize("role", ["voorzitter", "lid"])
def test_who_may_not_add_sources_does_not(role):
    user = make_user(role=role)
    assert not may_add(user)
    with pytest.raises(NotAllowed):
        add(Source(key="jansen-2020", kind="article", title="Leren", grade="A"), by=user, origin="doi")
    assert not Source.objects.exists()


def test_what_is_wrong_or_there_already_is_refused(monkeypatch):
    editor = make_user(role="redacteur")
    make_source("jansen-2020", doi="10.1234/abc")
    twin = {"kind": "article", "title": "Leren", "grade": "A", "doi": "10.1234/abc"}
    with pytest.raises(ValidationError):
        add(Source(key="jansen-2020b", **twin), by=editor, origin="file")
    monkeypatch.setattr(Source, "full_clean", lambda self: None)  # somebody was just before us
    with pytest.raises(AlreadyDone):
        add(Source(key="jansen-2020b", **twin), by=editor, origin="file")
    assert (Source.objects.count(), AuditEvent.objects.count()) == (1, 0)
