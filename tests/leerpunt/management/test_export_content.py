import pytest
from django.core.management import CommandError, call_command

from tests.factories import make_page, make_practice, make_summary, make_theme, make_version

pytestmark = pytest.mark.django_db


def run(folder, *args):
    call_command("export_content", str(folder), *args)
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_every_text_is_written_where_it_belongs(tmp_path, capsys):
    for make, slug in (
        (make_practice, "feedback"),
        (make_summary, "lezen"),
        (make_theme, "leren"),
        (make_page, "over"),
    ):
        make(slug)
    make_practice("weg", state="withdrawn")
    make_practice("klad", state="draft")
    assert run(tmp_path / "uit") == [
        "concepts.yaml", "sources.yaml", "texts/paginas/over.md", "texts/praktijken/feedback.md",
        "texts/praktijken/klad.md", "texts/samenvattingen/lezen.md", "texts/themas/leren.md",
    ]  # fmt: skip
    assert capsys.readouterr().out == "5 texts written.\n"


@pytest.mark.parametrize(("args", "title"), [((), "Gepubliceerd"), (("--open",), "Ontwerp")])
def test_the_public_version_is_written_unless_one_asks_for_the_other(tmp_path, args, title):
    version = make_practice("feedback", title="Gepubliceerd")
    make_version(version.item, title="Ontwerp")
    run(tmp_path, *args)
    assert f"\ntitle: {title}\n" in (tmp_path / "texts/praktijken/feedback.md").read_text()


def test_one_kind_and_texts_only(tmp_path):
    make_practice("feedback")
    make_page("over")
    assert run(tmp_path, "--kind=page", "--texts-only") == ["texts/paginas/over.md"]


def test_writing_again_changes_no_byte_and_tells_what_is_left_from_before(tmp_path, capsys):
    make_practice("feedback")
    run(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    old = tmp_path / "texts" / "praktijken" / "oud.md"
    old.write_text("van vroeger")
    run(tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path != old} == before
    assert "texts/praktijken/oud.md is left from before" in capsys.readouterr().err


def test_what_does_not_fit_in_a_file_is_told_and_the_rest_is_written(tmp_path, capsys):
    make_practice("feedback", related=[make_page("over").item])
    with pytest.raises(CommandError, match="1 texts do not fit") as error:
        run(tmp_path)
    assert error.value.returncode == 1
    assert "feedback.md" in capsys.readouterr().err
    assert (tmp_path / "texts/paginas/over.md").exists()
    assert not (tmp_path / "texts/praktijken/feedback.md").exists()


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "x").write_text("")
    with pytest.raises(CommandError, match="is no folder"):
        run(tmp_path / "x")
