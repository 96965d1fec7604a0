import re

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client
from django.utils import translation

from knowledgebase.editorial.transitions import publish
from knowledgebase.models import AuditEvent, Item, Source, Version
from practices import facets
from tests.factories import anybody, approve, make_practice, make_user, publish_all
from tests.snapshots import built, published_texts

pytestmark = pytest.mark.django_db
PAGE = "---\nkind: page\nkey: over\nslug: over\ntitle: Over ons\n---\n# body\n\nDag.\n"
SOURCE = "- model: knowledgebase.source\n  fields: {key: zee-2020, kind: study, title: Zee, grade: A}\n"

BY_THE_VERB = 12  # pages and practices, the first in the order of addresses


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "over.md").write_text(PAGE)
    (tmp_path / "sources.yaml").write_text(SOURCE)
    return tmp_path


@pytest.fixture(autouse=True)
def editor(request):
    return make_user("schrijver", role="redacteur") if "slow" not in request.keywords else None


def run(folder, *args):
    call_command("import_content", str(folder), "--by=schrijver", *args)


def failed(folder, *args):
    with pytest.raises(CommandError) as error:
        run(folder, *args)
    return error.value.returncode, str(error.value)


def test_drafts_are_made_and_what_they_refer_to_is_added(folder, capsys):
    run(folder)
    assert capsys.readouterr().out == "1 files: 1 new text. Added: 1 concepts, names and sources.\n"
    assert (Version.objects.get().state, Source.objects.get().key) == ("draft", "zee-2020")
    run(folder)
    assert capsys.readouterr().out == "1 files: 1 unchanged.\n"
    assert Version.objects.count() == 1


def test_a_dry_run_tells_the_same_and_writes_nothing(folder, capsys):
    run(folder, "--dry-run")
    assert capsys.readouterr().out == "1 files: 1 new text. Added: 1 concepts, names and sources.\n"
    assert (Item.objects.count(), Source.objects.count(), AuditEvent.objects.count()) == (0, 0, 0)


def test_a_refused_file_is_told_with_its_place_and_the_rest_goes_in(folder, capsys):
    (folder / "texts" / "slecht.md").write_text(PAGE.replace("over", "slecht").replace("title: Over ons", "title: 7"))
    assert failed(folder) == (1, "1 files refused.")
    told = capsys.readouterr()
    assert told.err == "slecht.md, line 5, title: is missing: give it a text.\n" \
        "slecht.md, line 5, title: is text: put it between quotes.\n"  # fmt: skip
    assert told.out.endswith("2 files: 1 new text, 1 refused. Added: 1 concepts, names and sources.\n")
    assert Version.objects.get().item.slug == "over"


def test_a_text_that_was_left_is_another_exit_code(folder, capsys):
    make_practice("feedback", state="in_review")
    call_command("export_content", str(folder))
    path = folder / "texts" / "praktijken" / "feedback.md"
    path.write_text(path.read_text().replace("title: Feedback", "title: Anders"))
    assert failed(folder) == (2, "1 texts were left as they are.")
    assert "feedback.md: left: version 1 is in_review: it is not touched.\n" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "words"), [("nergens", "has no folder texts"), ("texts", "has no folder texts")])
def test_another_folder_is_refused(folder, name, words):
    assert words in failed(folder / name)[1]


def test_an_unknown_account_and_broken_reference_data_are_refused(folder):
    with pytest.raises(CommandError, match="no account niemand"):
        call_command("import_content", str(folder), "--by=niemand")
    (folder / "sources.yaml").write_text("[")
    assert "sources.yaml is no YAML" in failed(folder)[1]
    assert not Version.objects.exists()


def test_an_account_that_writes_no_texts_is_refused(folder):
    make_user("lezer")
    with translation.override("en"), pytest.raises(CommandError, match="Only editors"):
        call_command("import_content", str(folder), "--by=lezer")
    assert not Item.objects.exists()


# -- the whole site


def public_pages():
    """Address -> HTML of every page of a text, a source, and every list, without what must differ."""
    client, addresses = Client(), ["/", "/praktijken/", "/samenvattingen/", "/themas/", "/bronnen/", "/begrippen/"]
    items = Item.objects.published().order_by("kind", "slug")
    addresses += [address for item in items for address in (item.get_absolute_url(), item.get_versions_url())]
    addresses += [f"/bronnen/{key}/" for key in Source.objects.order_by("key").values_list("key", flat=True)]
    pages = {}
    for address in addresses:
        response = client.get(address)
        assert response.status_code == 200, address
        html = response.content.decode()
        html = re.sub(r'<time[^>]*>.*?</time>|"date(?:Published|Modified)": ?"[^"]*"', "", html, flags=re.DOTALL)
        pages[address] = html
    return pages


def publish_all_drafts():
    """Every draft approved by both commissions and published, in the order of the first time: some by the verb, which
    takes its time, the rest set-wise along the same guarded moves."""
    drafts = [version.specific() for version in Version.objects.filter(state="draft").select_related("item")]
    for draft in drafts[:BY_THE_VERB]:
        publish(approve(draft), by=anybody())
    publish_all(drafts[BY_THE_VERB:])
    facets.rebuild()


@pytest.mark.slow
def test_export_wipe_import_and_publish_give_the_same_public_pages(tmp_path):
    before = {}
    with transaction.atomic():
        built("texts", published_texts)
        call_command("export_content", str(tmp_path / "een"))
        before = public_pages()
        transaction.set_rollback(True)
    assert not Item.objects.exists()
    make_user("schrijver", role="redacteur")

    run(tmp_path / "een")
    call_command("export_content", str(tmp_path / "twee"))
    publish_all_drafts()

    files = sorted(path.relative_to(tmp_path / "een") for path in (tmp_path / "een").rglob("*") if path.is_file())
    assert files == sorted(p.relative_to(tmp_path / "twee") for p in (tmp_path / "twee").rglob("*") if p.is_file())
    for path in files:
        assert (tmp_path / "een" / path).read_bytes() == (tmp_path / "twee" / path).read_bytes(), path
    after = public_pages()
    assert after.keys() == before.keys()
    assert {address: (before[address], after[address]) for address in before if before[address] != after[address]} == {}
