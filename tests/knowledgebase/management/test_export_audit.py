import csv
import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from knowledgebase.editorial import audit
from knowledgebase.models import AuditActor, AuditEvent
from tests.factories import make_practice, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def version():
    make_practice("huiswerk")
    version = make_practice("feedback")
    an = make_user("an", first_name="An", last_name="De Smet")
    audit.record("save", by=an, role="redacteur", version=version, data={"reden": "Een “reden”, é"})
    audit.record("maintenance", by=an, role="maintenance")
    return version


def exported(*args):
    out = StringIO()
    call_command("export_audit", *args, stdout=out)
    return out.getvalue()


def test_the_whole_trail_as_json(version):
    rows = json.loads(exported())

    assert sorted((row["text"], row["seq"], row["action"]) for row in rows) == [
        ("", 1, "maintenance"), ("practice/feedback", 1, "publish"), ("practice/feedback", 2, "save"),
        ("practice/huiswerk", 1, "publish"),
    ]  # fmt: skip
    saved = next(row for row in rows if row["action"] == "save")
    event = AuditEvent.objects.get(action="save")
    assert (saved["actor_name"], saved["role"], saved["data"]) == (
        "An De Smet",
        "redacteur",
        {"reden": "Een “reden”, é"},
    )
    assert (saved["hash"], saved["prev_hash"], saved["version"]) == (event.hash, event.prev_hash, 1)


def test_the_trail_of_one_text(version):
    rows = json.loads(exported("--item", "practice/feedback"))

    assert [(row["text"], row["seq"]) for row in rows] == [("practice/feedback", 1), ("practice/feedback", 2)]


def test_the_trail_as_a_table_without_formulas(version):
    AuditActor.objects.update(name="=HYPERLINK(1)")
    rows = list(csv.DictReader(StringIO(exported("--item", "practice/feedback", "--format", "csv"))))

    assert [row["actor_name"] for row in rows] == ["'=HYPERLINK(1)", "'=HYPERLINK(1)"]
    assert json.loads(rows[1]["data"]) == {"reden": "Een “reden”, é"}


def test_an_empty_trail_is_an_empty_list():
    assert json.loads(exported()) == []


@pytest.mark.parametrize("name", ["practice/bestaat-niet", "feedback", "/", ""])
def test_a_text_that_is_not_there_is_named(version, name):
    with pytest.raises(CommandError, match="There is no text"):
        exported("--item", name)
