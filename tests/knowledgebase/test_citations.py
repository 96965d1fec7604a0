from dataclasses import replace
from datetime import date

import pytest

from knowledgebase.citations import Reference, Run, apa, apa_text, as_file, bibtex, ris
from tests.factories import make_practice, make_source

OKKINGA = Reference(
    key="okkinga-2018",
    kind="meta_analysis",
    title="Effectiveness of reading-strategy interventions in whole classrooms: A meta-analysis",
    authors=(
        {"family": "Okkinga", "given": "M."},
        {"family": "van Steensel", "given": "R."},
        {"family": "Arends", "given": "L. R."},
    ),
    year=2018,
    container="Educational Psychology Review",
    volume="30",
    issue="4",
    pages="1215-1239",
    doi="10.1007/s10648-018-9445-7",
    language="en",
)
TOOLKIT = Reference(
    key="eef-toolkit",
    kind="website",
    title="Teaching and Learning Toolkit",
    authors=({"family": "Education Endowment Foundation", "given": ""},),
    container="Education Endowment Foundation",
    url="https://educationendowmentfoundation.org.uk/toolkit",
    language="en",
)
OWN = Reference(
    key="leerpunt-feedback-v2",
    kind="text",
    title="Feedback",
    authors=({"family": "Leerpunt"},),
    year=2026,
    url="https://www.example.org/praktijken/feedback/",
    published=date(2026, 11, 22),
    version=2,
)


def people(count):
    return tuple({"family": f"Jansen{number}", "given": "J."} for number in range(1, count + 1))


# -- APA


def test_apa_of_an_article():
    assert apa(OKKINGA) == [
        Run("Okkinga, M., van Steensel, R., & Arends, L. R. (2018). "),
        Run("Effectiveness of reading-strategy interventions in whole classrooms: A meta-analysis", lang="en"),
        Run(". "),
        Run("Educational Psychology Review, 30", emphasised=True),
        Run("(4), 1215–1239. "),
        Run("https://doi.org/10.1007/s10648-018-9445-7", href="https://doi.org/10.1007/s10648-018-9445-7"),
    ]


def test_apa_of_a_website_of_its_own_organisation():
    assert apa(TOOLKIT) == [
        Run("Education Endowment Foundation. (z.d.). "),
        Run("Teaching and Learning Toolkit", emphasised=True, lang="en"),
        Run(". "),
        Run(TOOLKIT.url, href=TOOLKIT.url),
    ]


def test_apa_of_a_version_of_ours():
    assert apa(OWN) == [
        Run("Leerpunt. (2026, 22 november). "),
        Run("Feedback", emphasised=True),
        Run(" (Versie 2). "),
        Run(OWN.url, href=OWN.url),
    ]


def test_apa_without_authors_begins_with_the_title():
    page = replace(
        TOOLKIT, authors=(), container="The Economy of Meaning", title="When is retention helpful?", year=2021
    )
    assert apa_text(page) == f"When is retention helpful? (2021). The Economy of Meaning. {TOOLKIT.url}"


def test_apa_says_when_a_page_without_doi_was_read():
    read = {"accessed": date(2026, 10, 5)}
    assert apa_text(replace(TOOLKIT, **read)).endswith(f"Toolkit. Geraadpleegd op 5 oktober 2026, van {TOOLKIT.url}")
    assert apa_text(replace(OKKINGA, **read)) == apa_text(OKKINGA)


@pytest.mark.parametrize(
    ("authors", "printed"),
    [
        (people(1), "Jansen1, J."),
        (people(2), "Jansen1, J., & Jansen2, J."),
        (people(3), "Jansen1, J., Jansen2, J., & Jansen3, J."),
        (people(20), ", ".join(f"Jansen{n}, J." for n in range(1, 20)) + ", & Jansen20, J."),
        (people(21), ", ".join(f"Jansen{n}, J." for n in range(1, 20)) + ", … Jansen21, J."),
        ((*people(1), {"family": "et al."}), "Jansen1, J., et al."),
        ((*people(2), {"family": "e.a.", "given": ""}), "Jansen1, J., Jansen2, J., et al."),
        (({"family": "Ruíz-Élias", "given": "José María"},), "Ruíz-Élias, J. M."),
        (({"family": "Sartre", "given": "Jean-Paul"},), "Sartre, J.-P."),
        (({"family": "Sartre", "given": "J.-P."},), "Sartre, J.-P."),
        (({"family": "de Boer", "given": "Th.H."},), "de Boer, Th. H."),
        (({"family": "Vlaamse Overheid"},), "Vlaamse Overheid."),
    ],
)
def test_apa_names(authors, printed):
    assert apa(replace(OKKINGA, authors=authors))[0].text == f"{printed} (2018). "


@pytest.mark.parametrize(
    ("changes", "ending"),
    [
        ({"issue": ""}, "Educational Psychology Review, 30, 1215–1239. "),
        ({"volume": ""}, "Educational Psychology Review, (4), 1215–1239. "),
        ({"issue": "", "pages": "3087"}, "Educational Psychology Review, 30, Artikel 3087. "),
        ({"volume": "", "issue": ""}, "Educational Psychology Review, 1215–1239. "),
        ({"volume": "", "issue": "", "pages": ""}, "Educational Psychology Review. "),
        ({"issue": "", "pages": "1428732"}, "Educational Psychology Review, 30, Artikel 1428732. "),
        ({"issue": "", "pages": "e12"}, "Educational Psychology Review, 30, Artikel e12. "),
        ({"issue": "", "pages": "12-19, 39"}, "Educational Psychology Review, 30, 12–19, 39. "),
        ({"issue": "", "pages": "7"}, "Educational Psychology Review, 30, 7. "),
    ],
)
def test_apa_of_what_is_known_of_an_article(changes, ending):
    assert apa_text(replace(OKKINGA, **changes)).endswith(f"meta-analysis. {ending}https://doi.org/{OKKINGA.doi}")


def test_apa_without_an_address_or_container():
    bare = replace(OKKINGA, container="", doi="", volume="", issue="", pages="", year=None)
    assert apa_text(bare) == (
        "Okkinga, M., van Steensel, R., & Arends, L. R. (z.d.). "
        "Effectiveness of reading-strategy interventions in whole classrooms: A meta-analysis."
    )


def test_apa_never_makes_a_link_of_another_scheme():
    assert apa(replace(TOOLKIT, url="javascript:alert(1)"))[-1] == Run("javascript:alert(1)")


def test_apa_is_one_line():
    assert apa_text(replace(TOOLKIT, title="Two\r\nlines\x0bhere")).count("Two lines here") == 1


# -- RIS


def test_ris_of_an_article():
    assert ris(OKKINGA) == (
        "TY  - JOUR\r\n"
        "ID  - okkinga-2018\r\n"
        "M3  - meta analysis\r\n"
        "AU  - Okkinga, M.\r\n"
        "AU  - van Steensel, R.\r\n"
        "AU  - Arends, L. R.\r\n"
        "PY  - 2018\r\n"
        "TI  - Effectiveness of reading-strategy interventions in whole classrooms: A meta-analysis\r\n"
        "T2  - Educational Psychology Review\r\n"
        "VL  - 30\r\n"
        "IS  - 4\r\n"
        "SP  - 1215\r\n"
        "EP  - 1239\r\n"
        "DO  - 10.1007/s10648-018-9445-7\r\n"
        "UR  - https://doi.org/10.1007/s10648-018-9445-7\r\n"
        "LA  - en\r\n"
        "ER  - \r\n"
    )


def test_ris_of_a_version_of_ours():
    assert ris(OWN) == (
        "TY  - ELEC\r\n"
        "ID  - leerpunt-feedback-v2\r\n"
        "AU  - Leerpunt\r\n"
        "PY  - 2026\r\n"
        "DA  - 2026/11/22\r\n"
        "TI  - Feedback\r\n"
        "ET  - 2\r\n"
        "UR  - https://www.example.org/praktijken/feedback/\r\n"
        "LA  - nl\r\n"
        "ER  - \r\n"
    )


@pytest.mark.parametrize(
    ("reference", "kind"),
    [
        (replace(TOOLKIT, kind="report"), "RPRT"),
        (TOOLKIT, "ELEC"),
        (replace(TOOLKIT, url=""), "GEN"),
        (replace(OKKINGA, doi="", volume="", pages=""), "JOUR"),
        (replace(OKKINGA, container="", doi=""), "GEN"),
    ],
)
def test_ris_types(reference, kind):
    assert ris(reference).startswith(f"TY  - {kind}\r\n")


def test_ris_cannot_be_broken_by_a_value():
    lines = ris(replace(OKKINGA, title="Leren\r\nER  - \r\nTY  - JOUR\x00\x85")).split("\r\n")
    assert [line for line in lines if line.startswith(("TY", "ER"))] == ["TY  - JOUR", "ER  - "]
    assert "TI  - Leren ER - TY - JOUR" in lines


def test_ris_notes_that_there_are_more_authors():
    lines = ris(replace(OKKINGA, authors=(*people(1), {"family": "et al."}))).split("\r\n")
    assert [line for line in lines if line.startswith(("AU", "N1"))] == ["AU  - Jansen1, J.", "N1  - et al."]


def test_an_address_beside_the_doi_is_kept():
    both = replace(OKKINGA, url="https://example.org/a")
    assert "UR  - https://doi.org/10.1007/s10648-018-9445-7\r\nUR  - https://example.org/a\r\n" in ris(both)
    assert "  url = {https://example.org/a},\n" in bibtex(both)


def test_a_list_is_one_file_of_records():
    text, media_type = as_file([OKKINGA, TOOLKIT], "ris")
    assert text == f"{ris(OKKINGA)}\r\n{ris(TOOLKIT)}"
    assert media_type == "application/x-research-info-systems; charset=utf-8"
    text, media_type = as_file([OKKINGA, TOOLKIT], "bib")
    assert text == f"{bibtex(OKKINGA)}\n{bibtex(TOOLKIT)}"
    assert media_type == "application/x-bibtex; charset=utf-8"


def test_ris_says_when_a_page_was_read():
    assert "Y2  - 2026/10/05\r\n" in ris(replace(TOOLKIT, accessed=date(2026, 10, 5)))


# -- BibTeX


def test_bibtex_of_an_article():
    assert bibtex(OKKINGA) == (
        "@article{okkinga-2018,\n"
        "  author = {Okkinga, M. and van Steensel, R. and Arends, L. R.},\n"
        "  title = {{Effectiveness of reading-strategy interventions in whole classrooms: A meta-analysis}},\n"
        "  year = {2018},\n"
        "  journal = {Educational Psychology Review},\n"
        "  volume = {30},\n"
        "  number = {4},\n"
        "  pages = {1215--1239},\n"
        "  doi = {10.1007/s10648-018-9445-7},\n"
        "  url = {https://doi.org/10.1007/s10648-018-9445-7},\n"
        "  language = {en},\n"
        "  entrysubtype = {meta analysis},\n"
        "}\n"
    )


def test_bibtex_of_a_version_of_ours():
    assert bibtex(OWN) == (
        "@misc{leerpunt-feedback-v2,\n"
        "  author = {{Leerpunt}},\n"
        "  title = {{Feedback}},\n"
        "  year = {2026},\n"
        "  date = {2026-11-22},\n"
        "  edition = {2},\n"
        "  url = {https://www.example.org/praktijken/feedback/},\n"
        "  language = {nl},\n"
        "}\n"
    )


def test_bibtex_of_a_page_and_of_a_report():
    page = bibtex(replace(TOOLKIT, accessed=date(2026, 10, 5)))
    assert page.startswith("@misc{eef-toolkit,")
    assert "  howpublished = {Education Endowment Foundation},\n" in page
    assert "  urldate = {2026-10-05},\n" in page
    report = bibtex(replace(TOOLKIT, kind="report"))
    assert report.startswith("@techreport{")
    assert "  institution = {Education Endowment Foundation},\n" in report


@pytest.mark.parametrize(
    ("title", "written"),
    [
        ("Élèves à l’école", "Élèves à l’école"),
        ("50% & more #1", r"50\% \& more \#1"),
        ("a_b $5", r"a\_b \$5"),
        ("{open", r"{\textbraceleft}open"),
        ("shut}", r"shut{\textbraceright}"),
        (r"back\slash", r"back{\textbackslash}slash"),
        ("x~y^z", r"x{\textasciitilde}y{\textasciicircum}z"),
        ("two\nlines", "two lines"),
    ],
)
def test_bibtex_escapes_and_stays_balanced(title, written):
    entry = bibtex(replace(OKKINGA, title=title))
    assert f"  title = {{{{{written}}}}},\n" in entry
    assert entry.count("{") == entry.count("}")


@pytest.mark.parametrize(
    ("authors", "written"),
    [
        ((*people(1), {"family": "et al."}), "Jansen1, J. and others"),
        (({"family": "Raad and Daad, vzw"},), "{Raad and Daad, vzw}"),
        (({"family": "Jansen, jr.", "given": "J."},), "{Jansen, jr.}, J."),
        (({"family": "}", "given": "{"},), r"{\textbraceright}, {\textbraceleft}"),
    ],
)
def test_bibtex_names(authors, written):
    assert f"  author = {{{written}}},\n" in bibtex(replace(OKKINGA, authors=authors))


def test_bibtex_links_and_keys_hold_nothing_that_breaks_them():
    entry = bibtex(replace(TOOLKIT, key="Ïets, raars{}", url="https://example.org/{a} b\\c_d"))
    assert entry.startswith("@misc{etsraars,\n")
    assert "  url = {https://example.org/%7Ba%7D%20b%5Cc_d},\n" in entry
    assert bibtex(replace(TOOLKIT, key="ï")).startswith("@misc{bron,\n")


# -- of our models


@pytest.mark.django_db
def test_reference_of_a_source():
    source = make_source("rowland-2014", title="Testing", doi="10.1037/a0037559", language="en", container="Bulletin")
    assert Reference.of_source(source) == Reference(
        key="rowland-2014",
        kind="meta_analysis",
        title="Testing",
        authors=[{"family": "Jansen", "given": "J."}],
        year=2020,
        container="Bulletin",
        doi="10.1037/a0037559",
        language="en",
    )


@pytest.mark.django_db
def test_reference_of_a_version_takes_the_day_in_brussels(time_machine):
    time_machine.move_to("2026-12-31T23:30:00+00:00", tick=False)
    version = make_practice(state="published", slug="feedback", title="Feedback")
    reference = Reference.of_version(version, "https://www.example.org/praktijken/feedback/")
    assert reference == replace(OWN, key="leerpunt-feedback-v1", year=2027, published=date(2027, 1, 1), version=1)


@pytest.mark.django_db
def test_reference_of_a_draft_has_no_date():
    reference = Reference.of_version(make_practice(state="draft", slug="feedback", title="Feedback"), OWN.url)
    assert apa_text(reference) == f"Leerpunt. (z.d.). Feedback (Versie 1). {OWN.url}"
