import json

import pytest
from django.core.management import CommandError, call_command

from knowledgebase.models import Study
from tests.factories import make_practice, make_source

pytestmark = pytest.mark.django_db
CITED = {"in_short": "- Kort [@jansen-2020].", "when_not": "Nooit."}


def idle(*args):
    with pytest.raises(CommandError, match="findings in") as error:
        call_command("check_content", *args)
    return error.value.returncode


def test_a_source_on_which_no_text_relies_is_a_finding(capsys):
    make_practice("praktijk", **CITED)
    make_source("los-2020", authors=[{"family": "Los", "given": "A."}])

    assert idle() == 1

    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert told.startswith("source/los-2020 [idle-source]: ")
    assert "los-2020 (Los, 2020)" in told


def test_programs_read_the_same(capsys):
    make_source("los-2020")
    idle("--json")
    [row] = json.loads(capsys.readouterr().out)
    assert (row["text"], row["version"], row["rule"], row["blocking"]) == (
        "source/los-2020",
        None,
        "idle-source",
        False,
    )


@pytest.mark.parametrize("state", ["draft", "in_review", "approved", "published"])
def test_a_source_of_a_public_or_coming_text_is_in_use(capsys, state):
    make_practice("praktijk", state=state, **CITED)
    call_command("check_content")
    assert capsys.readouterr().out == "1 texts: nothing is wrong.\n"


@pytest.mark.parametrize("state", ["withdrawn", "discarded"])
def test_a_source_of_what_is_gone_is_idle(state):
    make_practice("praktijk", state=state, **CITED)
    assert idle() == 1


@pytest.mark.parametrize("role", ["synthesis", "source"])
def test_a_source_of_study_rows_is_in_use(role):
    make_practice("praktijk", **CITED)
    used = {"synthesis": make_source("jansen-2020")} | {role: make_source("los-2020")}
    Study.objects.create(key="los-2020", label="Los 2020", **used)
    call_command("check_content")


def test_one_kind_of_text_says_nothing_of_sources(capsys):
    make_source("los-2020")
    call_command("check_content", "--kind=practice")
    assert capsys.readouterr().out == "0 texts: nothing is wrong.\n"
