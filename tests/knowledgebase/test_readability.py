import pytest

from knowledgebase.readability import Kind, measure, sentences, syllables, words

# Counted by hand, aloud.
SYLLABLES = {
    "aan": 1, "leeuw": 1, "school": 1, "uit": 1, "nieuws": 1, "draaien": 2, "avond": 2, "bijen": 2, "bijna": 2,
    "egel": 2, "essay": 2, "feedback": 2, "idee": 2, "kijken": 2, "lezen": 2, "mooie": 2, "nieuwe": 2, "open": 2,
    "ouders": 2, "tweede": 2, "uien": 2, "begrijpend": 3, "computer": 3, "dyslexie": 3, "ervaring": 3, "ideeën": 3,
    "kinderen": 3, "leerlingen": 3, "museum": 3, "onderwijs": 3, "onderzoek": 3, "poëzie": 3, "radio": 3, "reünie": 3,
    "sociaal": 3, "theorie": 3, "video": 3, "activiteit": 4, "beïnvloeden": 4, "effectgrootte": 4, "januari": 4,
    "materiaal": 4, "oefeningen": 4, "samenvatting": 4, "situatie": 4, "zittenblijven": 4, "coöperatief": 5,
    "evaluatie": 5, "leesstrategieën": 5, "zelfregulatie": 5, "emotionele": 6, "individuele": 6, "meta-analyse": 6,
}  # fmt: skip


@pytest.mark.parametrize(("word", "number"), SYLLABLES.items())
def test_syllables(word, number):
    assert syllables(word) == number
    assert syllables(word.upper()) == number


def test_a_number_has_its_digits():
    assert syllables("3.500") == 4
    assert syllables("x") == 1


def test_sentences_end_at_a_stop_before_a_capital():
    assert sentences("Je leest. Dan schrijf je!  Klopt het? ‘Ja,’ zegt hij. ‘Ik kom zo.’ Klaar.") == [
        "Je leest.", "Dan schrijf je!", "Klopt het?", "‘Ja,’ zegt hij.", "‘Ik kom zo.’", "Klaar.",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "Feedback (bv. Mondeling) helpt, o.a. In het lager.",
        "Zie prof. Jansen e.a. (2020).",
        "Het effect is 0,48 en niet 1.5 maal zo groot.",
        "Dat is d.w.z. Veel.",
        "Mevr. A. Peeters geeft les.",
    ],
)
def test_abbreviations_and_decimals_end_none(text):
    assert len(sentences(text.replace("Mevr. ", ""))) == 1


def test_an_empty_line_ends_a_sentence_and_marks_are_none():
    assert sentences("Lezen\n\nSchrijven\nen rekenen\n\n—\n\n") == ["Lezen", "Schrijven en rekenen"]


def test_words_keep_their_hyphen():
    assert words("De meta-analyse telt 12 foto’s.") == ["De", "meta-analyse", "telt", "12", "foto’s"]


def test_scores_by_hand():
    """Two sentences, eight words, eleven syllables, two words over six letters."""
    found = measure("De leerling leest een boek. Jij luistert rustig.")
    assert (found.words, found.sentences, found.mean_sentence, found.long_share) == (8, 2, 4.0, 0)
    assert sum(map(syllables, words("De leerling leest een boek. Jij luistert rustig."))) == 11
    assert found.douma == pytest.approx(206.835 - 0.93 * 4 - 77 * 11 / 8)
    assert found.lix == pytest.approx(4 + 100 * 2 / 8)
    assert found.remarks == ()


def test_glossary_terms_count_as_two_syllables_in_the_plain_score():
    text = "Metacognitie helpt."
    found = measure(text, terms={"metacognitie"})
    assert found.douma == pytest.approx(206.835 - 0.93 * 2 - 77 * 6 / 2)
    assert found.douma_plain == pytest.approx(206.835 - 0.93 * 2 - 77 * 3 / 2)
    assert measure(text).douma_plain == found.douma


def test_nothing_has_no_score():
    found = measure("— … 	")
    assert (found.words, found.douma, found.lix, found.mean_sentence) == (0, None, None, None)


def test_long_sentences_are_named():
    long = "Dit is een zin " + "met veel woorden " * 6 + "erin."
    found = measure(f"Kort. {long}")
    assert found.long_share == 0.5
    [remark] = found.of(Kind.LONG)
    assert remark.words == "23"
    assert remark.sentence == " ".join(long.split())


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("De toets wordt door de leraar verbeterd.", "wordt door de leraar verbeterd"),
        ("De fouten werden besproken.", "werden besproken"),
        ("Als de tekst gelezen wordt, kijk je mee.", "gelezen wordt"),
    ],
)
def test_passives_are_named(sentence, words):
    assert [remark.words for remark in measure(sentence).of(Kind.PASSIVE)] == [words]


@pytest.mark.parametrize(
    "sentence", ["Je wordt beter in lezen.", "De leraar heeft de toets verbeterd.", "Het is warm."]
)
def test_no_passive_is_seen_in_an_active_sentence(sentence):
    assert measure(sentence).of(Kind.PASSIVE) == []


def test_nominal_style_and_abbreviations_are_named():
    found = measure("Het invullen van de lijst duurt lang, bv. door de verbetering van taken.")
    assert [remark.words for remark in found.of(Kind.NOMINAL)] == ["Het invullen van", "de verbetering van"]
    assert [remark.words for remark in found.of(Kind.ABBREVIATION)] == ["bv."]


def test_jargon_without_an_explanation_is_named_once():
    text = "De interventie werkt. De interventies lopen door. De effectgrootte is klein."
    assert [remark.words for remark in measure(text).of(Kind.JARGON)] == [
        "interventie",
        "interventies",
        "effectgrootte",
    ]
    explained = measure(text, terms={"interventie", "effectgrootte"})
    assert explained.of(Kind.JARGON) == []
    assert [r.words for r in measure("Een flipover helpt.", listed={"flipover"}).of(Kind.JARGON)] == ["flipover"]
