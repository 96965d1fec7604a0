"""Texts with one error each: the right rule finds it, where it stands, and finds nothing else. The clean ones are clean."""

from pathlib import Path

import pytest
import yaml
from django.core.management import CommandError, call_command
from django.db import transaction

from knowledgebase.editorial.findings import OPINIONS, findings
from knowledgebase.models import Item, ItemLink, Source, Version
from leerpunt import content, reference_data
from leerpunt.content_import import take_in
from leerpunt.management.commands.load_texts import FIXTURES
from tests.factories import make_practice, make_source, make_user

FOLDER = Path(__file__).parent / "data" / "planted"
EXPECTED = yaml.safe_load((FOLDER / "expected.yaml").read_text(encoding="utf-8"))
CLEAN = ("schoon", "schoon-met-melding")


@pytest.fixture(scope="module")
def _planted(django_db_setup, django_db_blocker, tmp_path_factory):
    """All of them as drafts, beside the reference data, a withdrawn text and a retracted source."""
    with django_db_blocker.unblock(), transaction.atomic():
        reference_data.load_folder(FIXTURES)
        make_source("ingetrokken-2019", retraction=Source.Retraction.RETRACTED)
        make_practice("gepubliceerd", in_short="- Kort [@jansen-2020].")
        withdrawn = make_practice("ingetrokken", state="withdrawn")
        documents = [content.read(path) for path in content.files_in(FOLDER)]
        # Importing refuses a citation without its row and a text that is nowhere: in the admin they come about.
        related = {document.front["slug"]: document.front.pop("related") for document in documents}
        folder = tmp_path_factory.mktemp("planted")
        for document in documents:
            if list(content.missing_sources(document)):
                document.front["sources"].append(make_source("niemand-2020").key)
            (folder / document.path.name).write_text(content.written(document), encoding="utf-8")
        report = take_in(content.files_in(folder), by=make_user("redacteur", role="redacteur"))
        assert report.problems == []
        for draft in Version.objects.filter(item__slug__in=related):
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
