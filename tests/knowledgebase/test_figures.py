from decimal import Decimal

import pytest

from knowledgebase.figures import Kind, Known, Problem, Typed, remarks, reported, typed, value_of


def known(kind: Kind, value: str, source: str = "jansen-2020", where: str = "") -> Known:
    return Known(kind, Decimal(value), source, where)


def of(text: str) -> list[tuple[str, Decimal]]:
    """What is counted, and how many."""
    return [(figure.kind.value, figure.value) for figure in typed(text)]


def problems(text: str, *data: Known, **options) -> list[str]:
    return [remark.problem.value for remark in remarks(text, data, **options)]


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("0,48", "0.48"),
        ("−0,18", "-0.18"),
        ("-2", "-2"),
        ("+4", "4"),
        ("61 000", "61000"),
        ("61\u00a0000", "61000"),
        ("1.500", "1500"),
        ("1.234.567", "1234567"),
        ("zes", "6"),
        ("minus twee", "-2"),
        ("Min drie", "-3"),
        ("plus vijf", "5"),
        ("één", "1"),
        ("zestien", "16"),
        ("tweeëntwintig", "22"),
        ("vijfenveertig", "45"),
        ("minder", None),
    ],
)
def test_numbers_as_people_type_them(words, value):
    if value is None:
        with pytest.raises(ArithmeticError):
            value_of(words)
    else:
        assert value_of(words) == Decimal(value)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("De winst is 6 maanden.", [("months", 6)]),
        ("De winst is zes maanden.", [("months", 6)]),
        ("De winst is 4 à 5 maanden.", [("months", 4), ("months", 5)]),
        ("De EEF komt op +4 maanden.", [("months", 4)]),
        ("De leerlingen lopen een winst van één maand op.", [("months", 1)]),
        ("Ze hebben 2 maanden achterstand op de EEF-norm.", [("months", -2)]),
        ("Dat geeft drie maanden verlies.", [("months", -3)]),
        ("Een project duurt 6 maanden en levert winst op.", []),
        ("Zes maanden later was de winst weg.", []),
        ("Twee tot zes maanden volhouden levert winst op [@eef].", []),
        ("Er zijn nog geen maanden winst bekend.", []),
        ("Dat duurt een maand [@jansen-2020].", []),
        ("Het overzicht bundelt 52 studies.", [("studies", 52)]),
        ("Het overzicht bundelt 52 oudere studies.", [("studies", 52)]),
        ("Het onderzoek telt 61 000 leerlingen.", [("pupils", 61000)]),
        ("Het onderzoek telt 158 groepen deelnemers.", []),
        ("In een klas van 25 leerlingen ziet onderzoek dat niet.", []),
        ("Het onderzoek zag minder effect bij 100 leraren of meer.", []),
        ("De bewijskracht is 3 op 5.", [("rating", 3)]),
        ("De kost is één op vijf.", [("rating", 1)]),
        ("Drie op vijf leerlingen antwoorden.", []),
        ("De effectgrootte is −0,18, elders +0,05.", [("effect", Decimal("-0.18")), ("effect", Decimal("0.05"))]),
        ("Zowat 89,1% van de leraren gelooft dat.", [("share", Decimal("89.1"))]),
        ("Bij 26 procent was het zo.", [("share", 26)]),
        ("Geef 0,5 liter water en betaal € 0,50 of 0,50 euro.", []),
        ("Een les van 1,5 uur.", []),
        ("De winst is {{ winst }}, of {{ winst:eef }}.", []),
        ("- Twee maanden winst\n- drie maanden winst", [("months", 2), ("months", 3)]),
    ],
)
def test_which_figures_stand_in_a_text(text, found):
    assert of(text) == [(kind, Decimal(value)) for kind, value in found]


def test_a_figure_knows_its_line_its_words_and_the_source_of_its_sentence():
    text = (
        "Eerst een regel.\n\n"
        "De ene vond 0,48 [@jansen-2020]. De andere vond\n0,32 [@smit-2010].\n\n"
        "- Hier is het 6 maanden winst. Dat zegt de EEF [@eef].\n"
        "- Daar is het 5 maanden winst."
    )

    assert list(typed(text)) == [
        Typed(Kind.EFFECT, 3, "0,48", Decimal("0.48"), frozenset({"jansen-2020"}), 2),
        Typed(Kind.EFFECT, 4, "0,32", Decimal("0.32"), frozenset({"smit-2010"}), 2),
        Typed(Kind.MONTHS, 6, "6 maanden", Decimal(6), frozenset({"eef"})),
        Typed(Kind.MONTHS, 7, "5 maanden", Decimal(5), frozenset()),
    ]


def test_a_table_belongs_to_the_paragraph_before_it():
    text = "Per vorm [@jansen-2020]:\n\n| Vorm | Effect |\n|---|---|\n| uitleg | 0,49 |\n\nDaarna 0,12."

    assert [(figure.line, figure.sources) for figure in typed(text)] == [(5, {"jansen-2020"}), (7, frozenset())]


@pytest.mark.parametrize(
    ("text", "data", "found"),
    [
        ("De winst is 6 maanden [@jansen-2020].", ["6"], []),
        ("De winst is zes maanden [@jansen-2020].", ["6"], []),
        ("De winst is 7 maanden [@jansen-2020].", ["6", "5"], ["contradiction"]),
        ("De winst is zeven maanden [@jansen-2020].", ["6"], ["contradiction"]),
        ("De winst is −6 maanden [@jansen-2020].", ["6"], ["contradiction"]),
        ("Je ziet 6 maanden verlies [@jansen-2020].", ["6"], ["contradiction"]),
        ("Je ziet 6 maanden verlies [@jansen-2020].", ["-6"], []),
        ("Ze verliezen 6 maanden: het verlies is groot [@jansen-2020].", ["-6"], []),
        ("De winst is 6 maanden [@jansen-2020].", ["-6"], ["contradiction"]),
        ("De winst is 6 maanden.", ["6"], ["no_source"]),
        ("De winst is 6 maanden [@smit-2010].", ["6"], ["unknown"]),
        ("Je leest 6 maanden winst bij twee bronnen [@jansen-2020] [@smit-2010].", ["6"], []),
        ("Je leest 7 maanden winst bij twee bronnen [@jansen-2020] [@smit-2010].", ["6"], ["unknown"]),
    ],
)
def test_a_typed_figure_agrees_with_one_that_its_source_has(text, data, found):
    assert problems(text, *(known(Kind.MONTHS, value) for value in data)) == found


@pytest.mark.parametrize(
    ("words", "agrees"), [("0,29", True), ("0,288", True), ("0,3", True), ("0,28", False), ("0,289", False)]
)
def test_a_figure_may_be_rounded(words, agrees):
    assert (problems(f"Het effect is {words} [@jansen-2020].", known(Kind.EFFECT, "0.288")) == []) is agrees


def test_the_kind_counts():
    assert problems("Het effect is 0,50 [@jansen-2020].", known(Kind.SHARE, "0.50")) == ["unknown"]


def test_a_remark_holds_what_the_data_says():
    data = known(Kind.EFFECT, "-0.180", where="gemiddeld")

    (remark,) = remarks("Het effect is 0,18 [@jansen-2020].", [data])

    assert (remark.problem, remark.typed.words, remark.says) == (Problem.CONTRADICTION, "0,18", (data,))
    assert data.words == "jansen-2020: −0,18 (gemiddeld)"


def test_the_nearest_figures_of_the_data_are_told_first_and_rounded():
    data = [known(Kind.EFFECT, value) for value in ("0.697997", "-0.116035", "-0.4", "0.697996")]

    (remark,) = remarks("Het effect is −0,11 [@jansen-2020].", data)

    assert remark.nearest == ["jansen-2020: −0,116", "jansen-2020: −0,4", "jansen-2020: 0,698"]


def test_what_was_said_with_a_source_may_be_said_again():
    first = list(typed("De winst is 6 maanden [@jansen-2020]."))

    assert problems("Die 6 maanden winst kunnen dalen.", restated=first) == []
    assert problems("Die 7 maanden winst kunnen dalen.", restated=first) == ["no_source"]


def test_a_field_without_citations_is_compared_with_all_sources():
    data = known(Kind.MONTHS, "6")

    assert problems("De winst is 6 maanden.", data, everywhere=["jansen-2020"]) == []
    assert problems("De winst is 7 maanden.", data, everywhere=["jansen-2020"]) == ["no_source"]


def test_figures_of_a_source():
    rows = [{"kind": "effect", "value": "0.48", "what": "alle soorten"}, {"kind": "studies", "value": 435}]

    assert reported(rows, "jansen-2020") == [
        known(Kind.EFFECT, "0.48", where="alle soorten"),
        known(Kind.STUDIES, "435"),
    ]
    assert reported(None, "jansen-2020") == []


@pytest.mark.parametrize(
    "rows",
    [
        {}, "0,48", ["0,48"], [{"kind": "effect"}], [{"value": "0.48"}], [{"kind": "gewicht", "value": "1"}],
        [{"kind": "effect", "value": "veel"}], [{"kind": "effect", "value": "NaN"}],
        [{"kind": "effect", "value": "1", "maanden": 2}],
    ],
)  # fmt: skip
def test_what_is_no_list_of_figures_is_refused(rows):
    with pytest.raises(ValueError, match=r"row 1|not a list"):
        reported(rows, "jansen-2020")
