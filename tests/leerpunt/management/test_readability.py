import pytest
from django.core.management import call_command

from tests.factories import make_practice

pytestmark = pytest.mark.django_db


def test_the_table_names_every_public_text_and_the_medians(tmp_path, capsys):
    make_practice("feedback")
    make_practice("toetsen", state="draft")
    path = tmp_path / "readability.md"

    call_command("readability", write=path)
    call_command("readability")

    text = path.read_text(encoding="utf-8")
    assert capsys.readouterr().out.strip() == text.strip()
    rows = [line.split(" | ")[:2] for line in text.splitlines() if line.startswith("| /")]
    assert rows == [["| /praktijken/feedback/", "short"], ["| /praktijken/feedback/", "body"]]
    assert [line.rsplit("| ", 1)[1] for line in text.splitlines() if line.startswith("| praktijken")] == ["1 |", "1 |"]
