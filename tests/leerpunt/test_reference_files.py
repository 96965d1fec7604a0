import pytest

from knowledgebase.editorial.refusals import NotAllowed
from knowledgebase.models import AuditEvent, Concept, ConceptLabel, EffectSize, Source, Study
from leerpunt import reference_data, reference_files
from leerpunt.reference_data import ReferenceDataError
from leerpunt.reference_files import files, take_in
from tests.factories import anybody, make_concept, make_source, make_term, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor():
    return make_user("schrijver", role="redacteur")


def write(folder, texts=None):
    for name, text in (texts or dict(files())).items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def some():
    broad = make_concept("niveau", "basis", "Basisonderwijs", definition="Eerst dit: «één».", order=3)
    make_concept("niveau", "lager", broader=broad)
    make_term("interleaving", "afwisselend oefenen", "door elkaar")
    source = make_source("zee-2020", authors=[{"family": "Zee", "given": "A."}], doi="10.1234/zee", note="Lees:\ndit.")
    study = Study.objects.create(key="los-2001", label="Los 2001", synthesis=source, level=broad, pupils=12)
    row = {"measure": "z", "effect": 0.1 + 0.2, "variance": 1 / 3, "moderators": {"punt": 1}, "created_by": anybody()}
    return EffectSize.objects.create(study=study, **row)


def empty():
    EffectSize.objects.all().delete()
    Study.objects.all().delete()
    Source.objects.all().delete()
    ConceptLabel.objects.all().delete()
    Concept.objects.exclude(broader=None).delete()
    Concept.objects.all().delete()


def test_what_goes_out_comes_in_the_same(editor, tmp_path):
    effect = some()
    texts = dict(files())
    assert list(texts) == ["concepts.yaml", "sources.yaml", "studies.yaml"]
    labels = ConceptLabel.objects.count()
    empty()

    added = take_in(write(tmp_path, texts), by=editor)

    assert added == {"concepts, names and sources": 3 + labels + 1, "study rows": 1}
    assert dict(files()) == texts
    again = EffectSize.objects.get()
    assert (again.uid, again.effect, again.variance, again.created_by) == (effect.uid, 0.1 + 0.2, 1 / 3, editor)
    event = AuditEvent.objects.get()
    assert (event.action, event.actor_id, event.data) == ("import_reference_data", editor.pk, added)
    assert take_in(tmp_path, by=editor) == dict.fromkeys(added, 0)
    assert AuditEvent.objects.count() == 1


def test_what_is_there_stays_as_it_is(editor, tmp_path):
    some()
    write(tmp_path)
    Source.objects.update(title="Anders")
    Concept.objects.filter(slug="interleaving").update(definition="Anders.")
    ConceptLabel.objects.filter(label="door elkaar").delete()

    assert not any(take_in(tmp_path, by=editor).values())

    assert Source.objects.get().title == "Anders"
    assert Concept.objects.get(slug="interleaving").definition == "Anders."
    assert not ConceptLabel.objects.filter(label="door elkaar").exists()


def test_a_folder_without_these_files_adds_nothing(editor, tmp_path):
    assert take_in(tmp_path, by=editor) == {"concepts, names and sources": 0}


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("concepts.yaml", "[", "no YAML"),
        ("sources.yaml", "a: 1", "no list"),
        ("sources.yaml", "- model: knowledgebase.source\n  fields: {key: x, kind: film}", "row 1"),
        ("studies.yaml", "[", "no YAML"),
        ("studies.yaml", "- a", "studies and effects"),
        ("studies.yaml", "studies: [{key: x, synthesis: niemand}]\neffects: []", "study 1"),
        ("studies.yaml", "studies: [7]\neffects: []", "study 1"),
        ("studies.yaml", "studies: []\neffects: [{row: x, study: niemand}]", "effect 1"),
    ],
)
def test_what_cannot_be_read_is_refused_as_a_whole(editor, tmp_path, name, text, words):
    with pytest.raises(ReferenceDataError, match=words):
        take_in(write(tmp_path, {name: text}), by=editor)
    assert not Source.objects.exists()


def test_only_editors_add(tmp_path):
    with pytest.raises(NotAllowed):
        take_in(tmp_path, by=make_user(role="lid"))


def test_only_new_rows_are_loaded_when_one_asks_for_it(tmp_path):
    make_source("zee-2020", title="Oud")
    rows = "".join(
        f"- model: knowledgebase.source\n  fields: {{key: {key}, kind: study, title: Nieuw, grade: A}}\n"
        for key in ("zee-2020", "aap-2020")
    )
    path = write(tmp_path, {reference_files.SOURCES: rows}) / reference_files.SOURCES
    assert reference_data.load(path, only_new=True) == 1
    assert list(Source.objects.order_by("key").values_list("key", "title")) == [
        ("aap-2020", "Nieuw"),
        ("zee-2020", "Oud"),
    ]
