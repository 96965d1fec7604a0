import pytest
from django.template.loader import render_to_string
from hypothesis import given
from hypothesis import strategies as st

from knowledgebase.editorial.differences import (
    ADDED,
    CHANGED,
    MOVED,
    REMOVED,
    SAME,
    Change,
    Difference,
    Paragraph,
    Piece,
    compare_texts,
    differences,
    shortened,
)
from knowledgebase.editorial.versions import CHANGE_FIELDS, canonical
from knowledgebase.models import ConceptLink, PageVersion, SelectedEffect, SourceLink, SummaryVersion, ThemeVersion
from practices.models import PracticeVersion
from tests.factories import (
    make_concept,
    make_effect,
    make_item,
    make_page,
    make_practice,
    make_source,
    make_study,
    make_summary,
    make_theme,
    make_version,
    rating,
    verdict,
)
from tests.pages import parse
from tests.work import calls

texts = st.lists(
    st.lists(
        st.sampled_from(["de", "het", "een", "les", "klas", "leerling", "feedback", "-", "1.", "##", "vraag"]),
        max_size=12,
    ).map(" ".join),
    max_size=6,
).map("\n\n".join)


def pieces(old, new):
    return [[(piece.kind, piece.text) for piece in paragraph.pieces] for paragraph in compare_texts(old, new)]


def test_equal_words_come_once_and_changes_say_what_went_and_what_came():
    assert pieces("Je geeft vaak feedback aan je klas.", "Je geeft soms feedback aan je hele klas.") == [
        [
            (SAME, "Je geeft"),
            (REMOVED, "vaak"),
            (ADDED, "soms"),
            (SAME, "feedback aan je"),
            (ADDED, "hele"),
            (SAME, "klas."),
        ]
    ]


def test_a_lone_word_between_two_changes_goes_with_them():
    assert pieces("Zij winnen drie maanden op een jaar.", "Zij winnen vier tot vijf op een jaar.") == [
        [(SAME, "Zij winnen"), (REMOVED, "drie maanden"), (ADDED, "vier tot vijf"), (SAME, "op een jaar.")]
    ]
    assert pieces("a b c d e", "a x c y e") == [[(SAME, "a"), (REMOVED, "b c d"), (ADDED, "x c y"), (SAME, "e")]]


def test_list_items_are_paragraphs_and_lines_that_go_on_are_not():
    old = "Eerst dit.\n- een\n- twee\n- drie"
    assert pieces(old, "Eerst\ndit.\n\n- een\n- drie") == [
        [(SAME, "Eerst dit.")],
        [(SAME, "- een")],
        [(REMOVED, "- twee")],
        [(SAME, "- drie")],
    ]


def test_a_text_written_anew_shows_the_old_one_and_then_the_new_one():
    assert pieces("Kort en goed.\n\nNog iets.", "Heel wat anders hier.\n\nTwee alinea's.") == [
        [(REMOVED, "Kort en goed.")],
        [(REMOVED, "Nog iets.")],
        [(ADDED, "Heel wat anders hier.")],
        [(ADDED, "Twee alinea's.")],
    ]


def test_a_changed_paragraph_is_found_past_one_that_went():
    old = "Deze alinea verdwijnt helemaal.\n\nJe oefent elke dag tien minuten met je klas."
    assert pieces(old, "Je oefent elke week tien minuten met je klas.") == [
        [(REMOVED, "Deze alinea verdwijnt helemaal.")],
        [(SAME, "Je oefent elke"), (REMOVED, "dag"), (ADDED, "week"), (SAME, "tien minuten met je klas.")],
    ]


@given(texts, texts)
def test_both_texts_can_be_read_from_the_pieces(old, new):
    found = [piece for paragraph in compare_texts(old, new) for piece in paragraph.pieces]
    assert " ".join(p.text for p in found if p.kind != ADDED).split() == old.split()
    assert " ".join(p.text for p in found if p.kind != REMOVED).split() == new.split()


@given(texts)
def test_nothing_differs_from_itself(text):
    assert all(paragraph.kind == SAME for paragraph in compare_texts(text, text))
    assert shortened(compare_texts(text, text)) == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("de het " * 20_000, "het de " * 20_000),
        ("\n\n".join(["de klas"] * 3_000), "\n\n".join(["klas de"] * 3_000)),
        ("\n\n".join(f"woord {n} in de klas" for n in range(3_000)), "\n\n".join(f"de klas {n}" for n in range(3_000))),
        ("".join("ab"[n % 3 % 2] + " " for n in range(190)), "".join("ab"[n % 5 % 2] + " " for n in range(190))),
    ],
)
def test_long_and_repetitive_texts_are_bounded_work(old, new):
    assert calls(lambda: compare_texts(old, new)) < 1_000_000


def test_what_stayed_far_from_a_change_is_left_out():
    words = [f"w{number}" for number in range(60)]
    same = Paragraph(SAME, (Piece(SAME, " ".join(words)),))
    changed = Paragraph(CHANGED, (Piece(SAME, " ".join(words)), Piece(ADDED, "nieuw"), Piece(SAME, " ".join(words))))
    short = shortened([same, same, changed, same])
    assert [[piece.text for piece in paragraph.pieces] for paragraph in short] == [
        ["… w0 w1 w2 w3 w4 w5 w6 w7 …"],
        ["… w52 w53 w54 w55 w56 w57 w58 w59", "nieuw", "w0 w1 w2 w3 w4 w5 w6 w7 …"],
        ["w0 w1 w2 w3 w4 w5 w6 w7 …"],
    ]


# -- contents


def content(**fields):
    return {"kind": "page", "item": "over", "title": "Over ons", "licence": "CC BY 4.0"} | fields


def test_fields_come_in_reading_order_with_the_names_that_editors_know():
    new = content(title="Over ons portaal", body="Wie wij zijn.", lead="Kort gezegd.", checked_on="2026-11-03")
    assert [(d.name, d.label, d.kind) for d in differences(content(lead="Kort."), new, model=PageVersion)] == [
        ("title", "Titel", CHANGED),
        ("lead", "Inleiding", CHANGED),
        ("body", "Tekst", ADDED),
        ("checked_on", "Laatst nagekeken", ADDED),
    ]


def test_values_are_said_in_words():
    old = content(checked_on="2026-11-03", change_type="taal")
    new = content(is_demo=True, change_type="nieuwe-studies", conclusion_changed="deels")
    found = {d.name: (d.kind, d.changes[0].old, d.changes[0].new) for d in differences(old, new, model=PageVersion)}
    assert found == {
        "checked_on": (REMOVED, "3 november 2026", ""),
        "is_demo": (ADDED, "", "ja"),
        "change_type": (CHANGED, "taal", "nieuwe studies"),
        "conclusion_changed": (ADDED, "", "deels"),
    }
    assert differences(old, new, model=PageVersion, without={*CHANGE_FIELDS, "checked_on", "is_demo"}) == []


def test_before_a_first_version_there_is_nothing():
    found = differences(None, content(), model=PageVersion)
    assert [(d.name, d.kind) for d in found] == [("title", ADDED), ("licence", ADDED)]
    assert found[0].changes[0].paragraphs == (Paragraph(ADDED, (Piece(ADDED, "Over ons"),)),)


def row(uid, order, **fields):
    return {"uid": uid, "order": order} | fields


@pytest.mark.django_db
def test_rows_are_compared_by_uid_and_one_that_was_moved_is_told_alone():
    old = content(item_links=[row("a", 0, item=["page", "een"]), row("b", 1, item=["page", "twee"]),
                              row("c", 2, item=["page", "drie"]), row("d", 3, item=["page", "vier"])])  # fmt: skip
    new = content(item_links=[row("n", 0, item=["page", "nieuw"]), row("c", 1, item=["page", "drie"]),
                              row("a", 2, item=["page", "een"]), row("b", 3, item=["page", "twee"])])  # fmt: skip
    assert differences(old, new, model=PageVersion) == [
        Difference("item_links", "Verwante tekst", ADDED, (), "n", "nieuw"),
        Difference("item_links", "Verwante tekst", MOVED, (), "c", "drie"),
        Difference("item_links", "Verwante tekst", REMOVED, (), "d", "vier"),
    ]


@pytest.mark.django_db
def test_concepts_sources_and_texts_are_called_by_name():
    theme, other = make_concept("thema", "feedback", "Feedback"), make_concept("thema", "lezen", "Leren lezen")
    source = make_source("hattie-2007", authors=[{"family": "Hattie"}], year=2007, title="The power of feedback")
    page = make_page("uitleg", title="Uitleg over cijfers")
    draft = make_page("geheim", state="draft", title="Nog geheim")
    first = make_theme("feedback", concept=theme)
    second = make_version(
        first.item, concept=other, concepts=[other], sources=[source], related=[page.item, draft.item]
    )
    found = differences(canonical(first), canonical(second), model=ThemeVersion, without=CHANGE_FIELDS)
    assert [(d.label, d.kind, d.row) for d in found] == [
        ("Thema", CHANGED, ""),
        ("Context", ADDED, "Leren lezen"),
        ("Bron", ADDED, "Hattie, 2007: The power of feedback"),
        ("Verwante tekst", ADDED, "Uitleg over cijfers"),
        ("Verwante tekst", ADDED, "geheim"),
    ]
    assert found[0].changes == (Change("concept", "Thema", "Feedback", "Leren lezen"),)


@pytest.mark.django_db
def test_figures_are_compared_within_their_context():
    make_concept("niveau", "lager", "Lager onderwijs")
    first = make_practice("feedback", ratings=[rating("0.48", studies=32), rating(context_key="niveau:lager")])
    second = make_version(first.item)
    second.ratings.filter(context_key="overall").update(effect="0.52", studies=12_400, cost=2)
    second.ratings.filter(context_key="niveau:lager").delete()
    new = make_version_rows(second)
    found = differences(canonical(first), canonical(new), model=PracticeVersion, without=CHANGE_FIELDS)
    assert [(d.label, d.kind, d.row) for d in found] == [
        ("Beoordeling van het bewijs", CHANGED, "Gemiddeld"),
        ("Beoordeling van het bewijs", REMOVED, "Lager onderwijs"),
        ("Oordeel van anderen", ADDED, "EEF, Gemiddeld"),
    ]
    changes = {change.name: (change.old, change.new) for change in found[0].changes}
    assert changes == {"effect": ("0,48", "0,52"), "studies": ("32", "12.400"), "cost": ("", "2")}


def make_version_rows(version):
    version.verdicts.create(**verdict(6))
    return PracticeVersion.objects.get(pk=version.pk)


@pytest.mark.django_db
def test_a_source_that_was_corrected_shows_what_changed_in_print():
    source = make_source("hattie-2007", title="The power", year=2007)
    version = make_summary("feedback", sources=[source])
    old = canonical(version)
    source.title, source.year = "The power of feedback", 2008
    source.authors = [{"family": "Hattie", "given": "J."}, {"family": "Timperley"}]
    source.save()
    [found] = differences(old, canonical(SummaryVersion.objects.get(pk=version.pk)), model=SummaryVersion)
    assert (found.kind, found.row) == (CHANGED, "Hattie & Timperley, 2008: The power of feedback")
    assert [(change.label, change.old, change.new) for change in found.changes if change.old] == [
        ("Auteurs", "Jansen, J.", "Hattie, J.; Timperley"),
        ("Jaar", "2007", "2008"),
    ]
    assert [change.name for change in found.changes] == ["title", "authors", "year"]


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 3])
def test_names_are_asked_for_each_kind_at_once(django_assert_num_queries, count):
    item = make_item("practice", "oefenen")
    made = make_version(
        item,
        concepts=[make_concept("niveau", f"niveau-{n}") for n in range(count)],
        sources=[make_source() for _ in range(count)],
        related=[make_item("practice") for _ in range(count)],
    )
    new = canonical(made)
    assert ConceptLink.objects.count() == SourceLink.objects.count() == count
    with django_assert_num_queries(3):
        found = differences(None, new, model=PracticeVersion)
    assert sum(bool(d.uid) for d in found) == 3 * count


# -- on the page


def test_component_says_in_words_what_was_added_and_removed():
    found = differences(content(title="Over ons"), content(title="Over ons portaal", is_demo=True), model=PageVersion)
    root = parse(render_to_string("components/differences.html", {"differences": found}))
    assert root.texts("h3") == ["Titel", "Demonstratie"]
    assert root.one("p").text == "Over ons toegevoegd: portaal einde toevoeging"
    assert root.texts("dd") == ["niets", "ja"]
    assert root.texts("dt") == ["Was", "Werd"]


def test_component_names_rows_and_escapes_what_people_wrote():
    found = [
        Difference("item_links", "Verwante tekst", MOVED, (), "u", "<b>Feedback</b>"),
        Difference("title", "Titel", CHANGED, (Change("title", "Titel", paragraphs=(
            Paragraph(CHANGED, (Piece(REMOVED, "<script>"), Piece(SAME, "&"))),)),)),
    ]  # fmt: skip
    html = render_to_string("components/differences.html", {"differences": found})
    assert "<script>" not in html
    root = parse(html)
    assert root.texts("h3") == ["Verwante tekst: <b>Feedback</b>", "Titel"]
    assert root.texts(cls="difference-kind") == ["Op een andere plaats"]
    assert root.texts("p", cls="")[-1] == "weggelaten: <script> einde weglating &"


def test_component_says_when_nothing_differs():
    assert "Er is geen verschil." in render_to_string("components/differences.html", {"differences": []})


# -- study rows -------------------------------------------------------------------------------------


def rested(*effects, **selection):
    """A practice on these effects, and what it says."""
    version = make_practice(state="draft", effects=effects, selection={"label": "Schrijven", **selection})
    return version, canonical(version)


def of_rows(old, new):
    found = differences(old, new, model=PracticeVersion)
    return [
        (part.kind, part.row, [(change.label, change.old, change.new) for change in part.changes])
        for part in found
        if part.name == "selected_effects"
    ]


def named(label, effect=0.3, **fields):
    return make_effect(effect, 0.04, study=make_study(label), **fields)


@pytest.mark.django_db
def test_study_rows_of_a_first_version_are_counted_and_the_first_ones_named():
    _version, content = rested(*[named(f"Studie {number:02}") for number in range(30)])
    assert of_rows(None, content) == [
        (ADDED, "Schrijven", [
            ("Erbij", "", "30 effecten: Studie 00; Studie 01; Studie 02; Studie 03; Studie 04; Studie 05; Studie 06; "
                          "Studie 07 …"),
        ]),
    ]  # fmt: skip


@pytest.mark.django_db
def test_what_changed_in_study_rows_is_said_in_words():
    goes, stays, out, back = named("Weg"), named("Blijft", 0.65), named("Uit", outcome="lezen"), named("Terug")
    version, old = rested(goes, stays, out, (back, "Te klein."))
    rows = {row.effect_id: row for row in version.selected_effects.all()}
    rows[goes.pk].delete()
    selection = version.selections.get()
    SelectedEffect.objects.create(version=version, selection=selection.uid, effect=named("Nieuw"), order=9)
    SelectedEffect.objects.create(
        version=version,
        selection=selection.uid,
        effect=named("Te groot"),
        order=10,
        included=False,
        reason="Geen toets.",
    )
    version.selected_effects.filter(effect=out).update(included=False, reason="Geen controlegroep.")
    version.selected_effects.filter(effect=back).update(included=True, reason="")
    again = make_study("Blijft", country="BE")
    corrected = make_effect(-0.65, 0.04, study=again, supersedes=stays)
    version.selected_effects.filter(effect=stays).update(effect=corrected)
    assert of_rows(old, canonical(PracticeVersion.objects.get(pk=version.pk))) == [
        (CHANGED, "Schrijven", [
            ("Erbij", "", "1 effect: Nieuw"),
            ("Erbij, maar telt niet mee", "", "1 effect: Te groot (Geen toets.)"),
            ("Eruit", "1 effect: Weg", ""),
            ("Telt niet meer mee", "", "1 effect: Uit, lezen (Geen controlegroep.)"),
            ("Telt weer mee", "", "1 effect: Terug"),
            ("Andere waarden", "", "1 effect: Blijft: effect 0,65 → −0,65, land – → BE"),
        ]),
    ]  # fmt: skip


@pytest.mark.django_db
def test_another_reason_and_a_selection_that_went():
    version, old = rested(named("Bos"), (named("Duin"), "Te klein."))
    version.selected_effects.filter(included=False).update(reason="Geen controlegroep.")
    new = canonical(PracticeVersion.objects.get(pk=version.pk))
    assert of_rows(old, new) == [
        (CHANGED, "Schrijven", [("Weggelaten om een andere reden", "", "1 effect: Duin (Geen controlegroep.)")])
    ]
    version.selected_effects.all().delete()
    version.selections.all().delete()
    gone = canonical(PracticeVersion.objects.get(pk=version.pk))
    assert of_rows(new, gone) == [
        (REMOVED, "Schrijven", [("Eruit", "2 effecten: Bos; Duin (Geen controlegroep.)", "")])
    ]
    assert of_rows(new, new) == []


@pytest.mark.django_db
def test_the_settings_of_a_selection_are_compared_as_fields():
    version, old = rested(named("Bos"))
    version.selections.update(model="che", months=False)
    found = differences(old, canonical(PracticeVersion.objects.get(pk=version.pk)), model=PracticeVersion)
    assert [(part.name, part.row, [(c.label, c.old, c.new) for c in part.changes]) for part in found] == [
        ("selections", "Schrijven", [
            ("Model", "één effect per studie", "effecten die samenhangen (CHE)"), ("In maanden", "ja", "nee"),
        ]),
    ]  # fmt: skip


@pytest.mark.django_db
def test_hundreds_of_rows_stay_a_few_lines():
    effects = [named(f"Studie {number}") for number in range(300)]
    _version, content = rested(*effects)
    [(_kind, _row, [(_label, _old, new)])] = of_rows(None, content)
    assert len(new) < 200
    assert calls(lambda: of_rows(None, content)) < 1_000 * len(effects)
