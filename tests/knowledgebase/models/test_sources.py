import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import CharField, Value
from hypothesis import given
from hypothesis import strategies as st

from knowledgebase.models import Source, normalise_doi
from tests.factories import make_source, make_summary

DOI = "10.3389/fpsyg.2019.03087"


@pytest.mark.parametrize(
    ("text", "doi"),
    [
        (DOI, DOI),
        (f"  {DOI}\n", DOI),
        (f"https://doi.org/{DOI}", DOI),
        (f"http://dx.doi.org/{DOI}", DOI),
        (f"https://www.doi.org/{DOI}", DOI),
        (f"HTTPS://DOI.ORG/{DOI.upper()}", DOI),
        (f"doi.org/{DOI}", DOI),
        (f"doi:{DOI}", DOI),
        (f"DOI: {DOI}", DOI),
        (f"doi {DOI}", DOI),
        (f"info:doi/{DOI}", DOI),
        (f"{DOI}.", DOI),
        (f"{DOI};", DOI),
        ("10.1037/0033-2909.119.2.254", "10.1037/0033-2909.119.2.254"),
        ("10.1002/(SICI)1097-0258(19980815)17:15", "10.1002/(sici)1097-0258(19980815)17:15"),
        ("https://doi.org/10.1002/%28SICI%291097", "10.1002/(sici)1097"),
    ],
)
def test_doi_is_normalised(text, doi):
    assert normalise_doi(text) == doi
    assert normalise_doi(doi) == doi


@pytest.mark.parametrize(
    "text", ["", "feedback", "10.1234", "10.1234/", "11.1234/abc", "10.12/abc", "10.1234/a b", "https://example.org/x"]
)
def test_what_is_no_doi_is_refused(text):
    with pytest.raises(ValidationError, match="DOI"):
        normalise_doi(text)


@given(st.text(max_size=60))
def test_normalising_twice_changes_nothing(text):
    try:
        doi = normalise_doi(f"10.1234/{text}")
    except ValidationError:
        return
    assert normalise_doi(f"https://doi.org/{doi}") == normalise_doi(doi)


@pytest.mark.django_db
def test_form_normalises_and_empty_may_repeat():
    source = make_source(doi=None)
    source.doi = f"https://doi.org/{DOI.upper()}"
    source.full_clean()
    source.save()
    assert Source.objects.get(pk=source.pk).doi == DOI
    assert make_source(doi="").doi == ""
    assert set(Source.objects.exclude(pk=source.pk).values_list("doi", flat=True)) == {None}
    make_source(doi=None)


@pytest.mark.django_db
def test_the_same_doi_written_differently_is_the_same():
    make_source(doi=DOI)
    other = make_source()
    other.doi = f"doi:{DOI.upper()}"
    with pytest.raises(ValidationError) as error:
        other.full_clean()
    assert set(error.value.message_dict) == {"doi"}
    with pytest.raises(IntegrityError):
        Source.objects.filter(pk=other.pk).update(doi=DOI)


@pytest.mark.django_db
def test_writing_without_a_form_normalises_too():
    source = make_source()
    Source.objects.filter(pk=source.pk).update(doi=f"https://doi.org/{DOI.upper()}")
    assert Source.objects.get(doi=f"doi:{DOI}").doi == DOI
    with pytest.raises(ValidationError):
        Source.objects.filter(pk=source.pk).update(doi="https://example.org/")


@pytest.mark.django_db
@pytest.mark.parametrize("doi", ["10.1234/ABC", f"https://doi.org/{DOI}", ""])
def test_the_database_takes_normalised_dois_only(doi):
    source = make_source()
    with pytest.raises(IntegrityError, match="doi_is_normalised"):
        Source.objects.filter(pk=source.pk).update(doi=Value(doi, output_field=CharField()))


@pytest.mark.django_db
def test_the_database_takes_plausible_years_only():
    source = make_source(year=None)
    with pytest.raises(IntegrityError, match="source_year_is_plausible"):
        Source.objects.filter(pk=source.pk).update(year=218)


@pytest.mark.parametrize(
    ("families", "year", "short"),
    [
        (["Okkinga"], 2018, "Okkinga, 2018"),
        (["Hattie", "Timperley"], 2007, "Hattie & Timperley, 2007"),
        (["De Boer", "Donker", "Kostons"], 2018, "De Boer e.a., 2018"),
        ([], None, "Toolkit, z.d."),
    ],
)
def test_short_is_how_it_stands_in_a_text(families, year, short):
    source = Source(key="x", title="T", container="Toolkit", authors=[{"family": f} for f in families], year=year)
    assert source.short == short
    assert str(source) == f"{short} T"


@pytest.mark.parametrize("authors", ["Okkinga", [["Okkinga"]], [{"given": "M."}], [{"family": 3}], {"family": "O"}])
def test_authors_are_a_list_of_people(authors):
    with pytest.raises(ValidationError) as error:
        Source(key="x", title="T", authors=authors).clean()
    assert set(error.value.message_dict) == {"authors"}


def test_link_is_the_doi_else_the_address():
    assert Source(doi=DOI, url="https://example.org/").link == f"https://doi.org/{DOI}"
    assert Source(url="https://example.org/").link == "https://example.org/"
    assert Source().link == ""


def test_retracted():
    assert Source(retraction="retracted").is_retracted
    assert not Source(retraction="concern").is_retracted


@pytest.mark.django_db
def test_cited_sources_are_those_of_published_texts_once():
    cited, drafted = make_source("cited-2020"), make_source("drafted-2020")
    make_source("alone-2020")
    make_summary(sources=[cited])
    make_summary(sources=[cited])
    make_summary(sources=[drafted], state="draft")
    make_summary(sources=[drafted], state="withdrawn")
    assert list(Source.objects.cited()) == [cited]
    assert Source.objects.get_by_natural_key("cited-2020") == cited
    assert cited.natural_key() == ("cited-2020",)
