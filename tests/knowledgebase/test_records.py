import json
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import pytest
import yaml

from knowledgebase import records
from knowledgebase.citations import TEXT, Reference, bibtex, ris
from knowledgebase.models import Source
from knowledgebase.records import MAX_CHARACTERS, NoRecords, of_csl, person, read

ROOT = Path(__file__).parents[2]
ANSWERS = ROOT / "tests" / "data" / "doi"


def only(text):
    [record] = read(text)
    assert record.refused == ""
    return record.reference


@lru_cache
def fixtures():
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    rows = yaml.load((ROOT / "fixtures" / "sources.yaml").read_text(encoding="utf-8"), Loader=loader)  # noqa: S506  # safe, both of them
    return [Reference.of_source(Source(**row["fields"])) for row in rows]


# -- the round trip


@pytest.mark.parametrize("write", [ris, bibtex], ids=["RIS", "BibTeX"])
def test_every_source_goes_out_and_comes_in_the_same(write):
    """Only two things do not fit in the formats: the short name of an organisation, and what is ours alone."""
    found = fixtures()
    assert len(found) >= 104
    back = [only(write(reference)) for reference in found]
    plain = [
        replace(
            reference,
            authors=tuple({k: v for k, v in row.items() if k != "short" and v} for row in reference.authors),
        )
        for reference in found
    ]
    assert back == plain


@pytest.mark.parametrize("write", [ris, bibtex], ids=["RIS", "BibTeX"])
def test_a_whole_list_comes_in_as_one_text(write):
    some = fixtures()[:20]
    assert [record.reference.key for record in read("\n".join(map(write, some)))] == [row.key for row in some]


@pytest.mark.parametrize("write", [ris, bibtex], ids=["RIS", "BibTeX"])
@pytest.mark.parametrize(
    "changes",
    [
        {"authors": ({"family": "De Smedt", "given": "B."}, {"family": "Raad and Daad"}, {"family": "et al."})},
        {"authors": ({"family": "O’Neil-van ’t Hoff", "given": "J.-P. É."},)},
        {"title": r"50% & a_b {open} $5 #1 ~x^y back\slash — “Ελλ”"},
        {"doi": "10.1002/(sici)1099-0720(199802)12:1<1::aid-acp4>3.0.co;2-0", "pages": "", "volume": ""},
        {"url": "https://example.org/a?b=c&d=%20e_f#g~h", "doi": ""},
        {"url": "https://example.org/a", "doi": "10.1234/abc"},
        {"year": None, "container": "", "volume": "", "issue": "", "pages": "", "doi": ""},
        {"kind": "report"},
        {"kind": "website", "url": "https://example.org/", "doi": "", "language": "nl-BE"},
        {"pages": "12-19, 39", "issue": "3-4"},
        {"pages": "e1152"},
    ],
)  # fmt: skip
def test_what_is_hard_to_write_comes_back(write, changes):
    reference = Reference(
        key="de-smedt-2020", kind="study", title="Rekenen", authors=({"family": "De Smedt", "given": "Bert"},),
        year=2020, container="Learning & Instruction", volume="1", issue="2", pages="3-4", doi="10.1234/x",
        language="en",
    )  # fmt: skip
    assert only(write(replace(reference, **changes))) == replace(reference, **changes)


def test_a_comma_in_the_name_of_an_organisation_fits_in_bibtex_only():
    reference = Reference(key="x", kind="article", title="X", authors=({"family": "Raad, vzw"},), language="en")
    assert only(bibtex(reference)).authors == ({"family": "Raad, vzw"},)
    assert only(ris(reference)).authors == ({"family": "Raad", "given": "vzw"},)


@pytest.mark.parametrize("write", [ris, bibtex], ids=["RIS", "BibTeX"])
def test_a_text_of_ours_says_no_kind(write):
    ours = Reference(key="leerpunt-x-v1", kind=TEXT, title="Feedback", url="https://example.org/", year=2026)
    assert only(write(ours)) == replace(ours, kind="website" if write is ris else "article")


# -- people


@pytest.mark.parametrize(
    ("family", "given", "author"),
    [
        ("van der Kleij", "Fabienne M.", {"family": "van der Kleij", "given": "Fabienne M."}),
        ("Kleij", "Fabienne M. van der", {"family": "van der Kleij", "given": "Fabienne M."}),
        ("Smedt", "Bert De", {"family": "De Smedt", "given": "Bert"}),
        ("Van den Broeck", " W. ", {"family": "Van den Broeck", "given": "W."}),
        ("Nguyen", "Van", {"family": "Nguyen", "given": "Van"}),
        ("Education Endowment Foundation", "", {"family": "Education Endowment Foundation"}),
        ("", "Plato", {"family": "Plato"}),
        ("et al.", "", {"family": "et al."}),
        ("others", "", {"family": "et al."}),
        (" ", "", {}),
    ],
)
def test_names_have_their_particles_before_the_family_name(family, given, author):
    assert person(family, given) == author


# -- RIS

RIS = """TY  - JOUR
A1  - Müller, Jörg
AU  - De Smedt, Bert
AU  - Education Endowment Foundation
T1  - Retrieval practice:
 a second line
JO  - Learning and Instruction
VL  - 12
IS  - 3
SP  - 45
EP  - 67
PY  - 2019/05/01/
DO  - https://doi.org/10.1016/J.LEARNINSTRUC.2019.01.001
UR  - https://doi.org/10.1016/j.learninstruc.2019.01.001
UR  - https://example.org/paper
LA  - Dutch
ER  -
"""


def test_ris_of_others_is_read():
    assert only(RIS) == Reference(
        key="",
        kind="article",
        title="Retrieval practice: a second line",
        authors=(
            {"family": "Müller", "given": "Jörg"},
            {"family": "De Smedt", "given": "Bert"},
            {"family": "Education Endowment Foundation"},
        ),
        year=2019,
        container="Learning and Instruction",
        volume="12",
        issue="3",
        pages="45-67",
        doi="10.1016/j.learninstruc.2019.01.001",
        url="https://example.org/paper",
        language="nl",
    )


@pytest.mark.parametrize("ending", ["\r\n", "\r", "\n"])
def test_ris_has_any_line_ends_a_byte_order_mark_and_one_blank_less(ending):
    assert only("\ufeff" + RIS.replace("  - ", " - ", 1).replace("\n", ending)).year == 2019


def test_the_kind_is_what_a_record_says_or_what_its_title_says():
    def kind(lines):
        return only(f"TY  - JOUR\n{lines}\nER  - \n").kind

    assert kind("TI  - A Meta-Analysis of feedback") == "meta_analysis"
    assert kind("TI  - Feedback: a systematic review") == "systematic_review"
    assert kind("TI  - Feedback") == "article"
    assert kind("TI  - Feedback\nM3  - study") == "study"
    assert kind("TI  - Feedback\nM3  - Conference paper") == "article"
    assert only("TY  - RPRT\nTI  - Feedback\nER  - \n").kind == "report"
    assert only("TY  - ELEC\nTI  - Feedback\nER  - \n").kind == "website"


def test_a_record_that_cannot_be_read_says_why_and_the_others_stay():
    text = (
        "TY  - JOUR\nTI  - Een\nTY  - JOUR\nTI  - Twee\nER  - \n\nTY  - JOUR\nAU  - Jansen, J.\nER  - \n"
        "TY  - JOUR\nTI  - Drie\nDO  - geen doi\nER  - \n"
    )
    first, second, third, fourth = read(text)
    assert "“ER  - ”" in first.refused
    assert (second.reference.title, second.refused) == ("Twee", "")
    assert (third.reference, bool(third.refused)) == (None, True)
    assert "geen doi" in fourth.refused


# -- BibTeX

BIBTEX = r"""
% a comment
@string{jep = "Journal of Educational Psychology"}
@article{Mueller2018,
  author = {M{\"u}ller, J{\"o}rg and van der Kleij, Fabienne M. and Jan De Smedt and Ludwig van Beethoven
            and {Smith, Jones and Partners} and Garc{\'\i}a-L{\'o}pez, Jos\'e and King, Jr., Martin and others},
  title = {{The {Effect} of \& 50% Feedback}: d{\ae}mon},
  journal = jep, year = 2018, volume = 3, number = {2}, pages = {12--34},
  doi = {10.1000/AB\_C}, month = jan, language = {german},
}
@online{site, title = "Een site", organization = {Raad}, url = {https://example.org/a%20b_c}}
@misc{how, title = {Hoe}, howpublished = {\url{https://example.org/x_y}}, year = {z.d.}}
@techreport{rapport, title = {Een rapport}, institution = {Onderwijsraad}}
"""


def test_bibtex_of_others_is_read():
    article, site, how, report = (record.reference for record in read(BIBTEX))
    assert article == Reference(
        key="Mueller2018",
        kind="article",
        title="The Effect of & 50% Feedback: dæmon",
        authors=(
            {"family": "Müller", "given": "Jörg"},
            {"family": "van der Kleij", "given": "Fabienne M."},
            {"family": "De Smedt", "given": "Jan"},
            {"family": "van Beethoven", "given": "Ludwig"},
            {"family": "Smith, Jones and Partners"},
            {"family": "García-López", "given": "José"},
            {"family": "King", "given": "Martin, Jr."},
            {"family": "et al."},
        ),
        year=2018,
        container="Journal of Educational Psychology",
        volume="3",
        issue="2",
        pages="12-34",
        doi="10.1000/ab_c",
        language="de",
    )
    assert (site.kind, site.container, site.url) == ("website", "Raad", "https://example.org/a%20b_c")
    assert (how.container, how.url, how.year) == ("", "https://example.org/x_y", None)
    assert (report.kind, report.container) == ("report", "Onderwijsraad")


def test_an_entry_that_cannot_be_read_says_from_where_and_the_others_stay():
    first, second, third = read('@misc{x, author = "A. B", title = {open }\n@misc{y, title={Y}}\n@misc{y, title={Z}}')
    assert "1" in first.refused
    assert (second.reference.title, third.reference.title) == ("Y", "Z")


# -- what is no record


@pytest.mark.parametrize(
    "text",
    [
        "", "Feedback is goed.", "a@b.be", "@", "@comment{x}", "TY", "{" * 1000, "x" * (MAX_CHARACTERS + 1),
        "@a{" * 60_000, "TY  - JOUR\n" * 500, "@misc{a, title={x}}\n" * 51,
    ],
)  # fmt: skip
def test_what_holds_no_records_is_told(text):
    with pytest.raises(NoRecords) as error:
        read(text)
    assert str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "@a{" + "{" * 100_000, "@a{b, title={" + "{" * 3_000 + "x" + "}" * 3_000 + "}}", "@a{b," + "x=y," * 40_000,
        "@a{b, title={" + "\\a" * 60_000 + "}}", "@a{b, author={" + " and ".join(["A, B"] * 20_000) + "}, title={x}}",
        "@a{b, title={" + "$" * 9_001 + "}}", "@string{a = a}\n@a{b, title = a # a}", "@a{b, title={\\" + "begin{x}" * 900,
        "TY  - JOUR\n" + "AU  - a, b\n" * 15_000 + "TI  - x\nER  - \n", "@a{b, title={\x00\x01\u202e}}",
    ],
)  # fmt: skip
def test_hostile_texts_are_read_or_refused_quickly(text):
    assert len(records.read(text)) == 1


# -- what registries know


def answer(name):
    return json.loads((ANSWERS / f"{name}.json").read_text(encoding="utf-8"))


def test_a_record_of_crossref():
    record = of_csl("10.1007/s10648-018-9445-7", answer("crossref"))
    assert record.reference == Reference(
        key="",
        kind="meta_analysis",
        title="Effectiveness of Reading-Strategy Interventions in Whole Classrooms: a Meta-Analysis",
        authors=(
            {"family": "Okkinga", "given": "Mariska"},
            {"family": "van Steensel", "given": "Roel"},
            {"family": "van Gelderen", "given": "Amos J. S."},
        ),
        year=2018,
        container="Educational Psychology Review",
        volume="30",
        issue="4",
        pages="1215-1239",
        doi="10.1007/s10648-018-9445-7",
        language="en",
    )
    assert not record.is_retracted


def test_a_record_of_datacite():
    reference = of_csl("10.5281/zenodo.1234", answer("datacite")).reference
    assert (reference.title, reference.year, reference.container) == ("Toetsen & <leren> in de klas", 2021, "Zenodo")
    assert reference.authors == ({"family": "De Smedt", "given": "Bert"}, {"family": "Onderwijsraad"})
    assert (reference.kind, reference.language, reference.url) == ("report", "nl", "")


def test_a_retracted_article_says_so_in_its_title():
    record = of_csl("10.1234/x", {"title": "RETRACTED: Feedback works", "DOI": "10.1234/x"})
    assert (record.reference.title, record.is_retracted) == ("Feedback works", True)


@pytest.mark.parametrize(
    "data",
    [
        {}, {"title": None}, {"title": []}, {"title": {"a": 1}}, {"title": " "},
    ],
)  # fmt: skip
def test_a_record_without_a_title_is_refused(data):
    assert of_csl("10.1234/x", data).reference is None


def test_a_record_of_the_wrong_shape_leaves_out_what_is_wrong():
    data = {
        "title": ["T"], "author": ["x", {}, {"given": 3}, {"family": ["y"]}], "issued": {"date-parts": [[None]]},
        "page": 12, "container-title": [], "publisher": "Uitgever", "URL": "javascript:alert(1)", "volume": True,
    }  # fmt: skip
    reference = of_csl("10.1234/x", data).reference
    assert (reference.title, reference.year, reference.pages, reference.url) == ("T", None, "12", "")
    assert (reference.authors, reference.container, reference.volume) == (
        ({"family": "3"}, {"family": "y"}), "Uitgever", "",
    )  # fmt: skip
