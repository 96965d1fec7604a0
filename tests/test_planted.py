"""Texts with one error each: the right rule finds it, where it stands, and finds nothing else. The clean ones are clean."""

from pathlib import Path

import pytest
import yaml
from django.core.management import CommandError, call_command
from django.db import transaction

from knowledgebase.editorial.findings import OPINIONS, findings
from knowledgebase.models import Item, ItemLink, Source, Version
from leerpunt import reference_data
from leerpunt.management.commands.load_texts import FIXTURES
from leerpunt.texts import load, read_folder
from tests.factories import make_practice, make_source, make_user

FOLDER = Path(__file__).parent / "data" / "planted"
EXPECTED = yaml.safe_load((FOLDER / "expected.yaml").read_text(encoding="utf-8"))
CLEAN = ("schoon", "schoon-met-melding")


@pytest.fixture(scope="module")
def _planted(django_db_setup, django_db_blocker):
    """All of them as drafts, beside the reference data, a withdrawn text and a retracted source."""
    with django_db_blocker.unblock(), transaction.atomic():
        reference_data.load_folder(FIXTURES)
        make_source("ingetrokken-2019", retraction=Source.Retraction.RETRACTED)
        make_practice("gepubliceerd", in_short="- Kort [@jansen-2020].")
        withdrawn = make_practice("ingetrokken", state="withdrawn")
        files = read_folder(FOLDER)
        # The loader refuses a citation without its row and a text that is in no file: in the admin they come about.
        related = {file.front["slug"]: file.front.pop("related") for file in files}
        for file in files:
            for key in file.missing_sources():
                file.front["sources"].append(make_source(key).key)
        for draft in load(files, by=make_user("redacteur", role="redacteur")):
            draft.source_links.filter(source__key="niemand-2020").delete()
            for _key in related[draft.item.slug]:
                ItemLink.objects.create(version=draft, item=withdrawn.item)
        yield
        transaction.set_rollback(True)


def found_in(slug):
    return [
        {"field": finding.field, "rule": finding.rule.value} | ({"line": finding.line} if finding.line else {})
        for finding in findings(Version.objects.get(item__slug=slug).specific())
    ]


def test_there_are_enough_errors_and_each_is_expected():
    assert len(EXPECTED) >= 25
    assert {path.stem for path in FOLDER.glob("*.md")} == {*EXPECTED, *CLEAN}


@pytest.mark.django_db
@pytest.mark.usefixtures("_planted")
@pytest.mark.parametrize("slug", EXPECTED)
def test_each_error_is_found_by_its_rule_and_nothing_else_is(slug):
    assert found_in(slug) == [EXPECTED[slug]]


@pytest.mark.django_db
@pytest.mark.usefixtures("_planted")
@pytest.mark.parametrize("slug", CLEAN)
def test_nothing_is_found_in_a_clean_text(slug):
    assert found_in(slug) == []


@pytest.mark.django_db
@pytest.mark.usefixtures("_planted")
def test_the_command_names_every_one(capsys):
    with pytest.raises(
        CommandError, match=rf"^{len(EXPECTED)} findings in {len(EXPECTED) + len(CLEAN) + 1} texts"
    ) as error:
        call_command("check_content", "--kind=practice")

    told = capsys.readouterr().err
    assert error.value.returncode == 1
    assert len(told.splitlines()) == len(EXPECTED)
    assert [slug for slug in EXPECTED if f"practice/{slug} v1, {EXPECTED[slug]['field']}" not in told] == []
    assert "practice/verkeerd-aantal-studies v1, certainty, line 1 [figure-differs]:" in told
    assert not OPINIONS & {entry["rule"] for entry in EXPECTED.values()}


@pytest.mark.django_db
@pytest.mark.usefixtures("_planted")
def test_another_kind_is_left_out(capsys):
    call_command("check_content", "--kind=summary")

    assert capsys.readouterr().out == "0 texts: nothing is wrong.\n"
    assert not Item.objects.filter(kind="summary").exists()
