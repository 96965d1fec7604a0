"""The script that readers take along, run where nothing of this project can be imported."""

import json
import math
import subprocess
import sysconfig
import venv
from pathlib import Path

import pytest

from knowledgebase import downloads
from tests.factories import make_effect, make_practice, make_study
from tests.knowledgebase.evidence.reference import rows

pytestmark = pytest.mark.django_db

BASE = "/praktijken/schrijven/cijfers/"


@pytest.fixture(scope="session")
def clean_python(tmp_path_factory):
    """A virtual environment in which only numpy and scipy are installed, linked from ours (there may be no network)."""
    folder = tmp_path_factory.mktemp("schoon")
    venv.create(folder, with_pip=False)
    packages = next((folder / "lib").glob("python3*")) / "site-packages"
    ours = Path(sysconfig.get_path("purelib"))
    for name in ("numpy", "scipy", "numpy.libs", "scipy.libs"):
        if (ours / name).exists():
            (packages / name).symlink_to(ours / name)
    python = folder / "bin" / "python"
    for module in ("django", "knowledgebase", "yaml"):
        assert subprocess.run([python, "-I", "-c", f"import {module}"], capture_output=True, check=False).returncode
    return python


def of_set(name, study, *, year="year", pupils="", moderators=(), outcome=""):
    """Effects of a reference set, as rows of ours."""
    studies, found = {}, []
    for number, row in enumerate(rows(name)):
        key = row[study]
        if key not in studies:
            size = int(float(row[pupils])) if pupils and row[pupils] else None
            studies[key] = make_study(key=f"{name}-{key}"[:60], label=f"Studie {key}", year=int(row[year]), pupils=size)
        told = {column: _number(row[column]) for column in moderators if row[column]}
        found.append(
            make_effect(
                float(row["yi"]), float(row["vi"]), study=studies[key], moderators=told,
                outcome=row[outcome] if outcome else str(number),
            )
        )  # fmt: skip
    return found


def _number(text):
    try:
        return int(text) if text.lstrip("-").isdigit() else float(text)
    except ValueError:
        return text


def run(client, clean_python, folder, query=""):
    """Take every file along, start the script there; what it says, and the result of the page."""
    for name in downloads.FILES:
        response = client.get(f"{BASE}{name}{query}")
        assert response.status_code == 200
        (folder / name).write_bytes(response.content)
    done = subprocess.run(
        [clean_python, "-I", "reken-na.py", "--json"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Alle cijfers zijn gelijk" in done.stderr
    return json.loads(done.stdout), json.loads((folder / "resultaat.json").read_text())["result"]


def compared(mine, theirs):
    """How many numbers of the script were laid beside those of the page, each within 1e-9."""
    if isinstance(mine, dict):
        return sum(compared(value, theirs[name]) for name, value in mine.items())
    if isinstance(mine, list):
        assert len(mine) == len(theirs)
        return sum(compared(one, other) for one, other in zip(mine, theirs, strict=True))
    if isinstance(mine, float):
        assert math.isclose(mine, theirs, rel_tol=1e-9, abs_tol=1e-9)
        return 1
    assert mine == theirs
    return 0


def test_one_effect_a_study(client, clean_python, tmp_path):
    make_practice(
        "schrijven",
        effects=of_set(
            "bangertdrowns2004",
            "id",
            pupils="ni",
            moderators=("grade", "length", "feedback", "meta"),
            outcome="subject",
        ),
        selection={"moderators": ["grade", "length", "feedback", "year"]},
    )
    mine, theirs = run(client, clean_python, tmp_path)
    assert (theirs["model"], theirs["k_studies"]) == ("independent", 48)
    assert [groups["moderator"] for groups in mine["subgroups"]] == ["grade", "feedback"]
    assert [slope["moderator"] for slope in mine["slopes"]] == ["length", "year"]
    assert theirs["small_studies"]["predictor"] == "size"
    assert compared(mine, theirs) > 300
    digits = [f"{mine[name]:.3f}" for name in ("estimate", "tau2", "I2")]
    assert digits == [f"{theirs[name]:.3f}" for name in ("estimate", "tau2", "I2")] == ["0.222", "0.050", "58.373"]


@pytest.mark.slow
@pytest.mark.parametrize("query", ["?vanaf=1990", "?zonder-uitschieters=ja", "?vanaf=1993", "?vanaf=2010"])
def test_what_was_switched(client, clean_python, tmp_path, query):
    make_practice("schrijven", effects=of_set("bangertdrowns2004", "id"), selection={"moderators": ["year"]})
    mine, theirs = run(client, clean_python, tmp_path, query)
    assert mine["k_studies"] == theirs["k_studies"] < 48
    assert compared(mine, theirs) > 0 or not mine["k_studies"]


@pytest.mark.slow
@pytest.mark.parametrize("model", ["che", "three-level"])
@pytest.mark.parametrize("query", ["", "?model=per-studie", "?vanaf=1995"])
def test_several_effects_a_study(client, clean_python, tmp_path, model, query):
    make_practice(
        "schrijven",
        effects=of_set("konstantopoulos2011", "district", moderators=("era", "year_c")),
        selection={"model": model, "moderators": ["era", "year_c", "outcome"], "measure": "SMD"},
    )
    mine, theirs = run(client, clean_python, tmp_path, query)
    assert theirs["model"] == ("per-study" if "per-studie" in query else model)
    assert compared(mine, theirs) > 50
    assert ("sensitivity" in mine) == ("per-studie" not in query)


@pytest.mark.slow
def test_correlations_of_many_studies(client, clean_python, tmp_path):
    make_practice(
        "schrijven",
        effects=of_set("crede2010", "studyid", pupils="ni", moderators=("criterion", "class"), outcome="criterion"),
        selection={"model": "che", "measure": "z", "moderators": ["criterion", "class", "year", "outcome"]},
    )
    mine, theirs = run(client, clean_python, tmp_path)
    assert (theirs["k_studies"], theirs["k_effects"], theirs["small_studies"]["predictor"]) == (68, 97, "error")
    assert compared(mine, theirs) > 400


@pytest.mark.slow
@pytest.mark.parametrize("method", ["DL", "PM"])
@pytest.mark.parametrize("test", ["z", "adhoc"])
def test_other_methods(client, clean_python, tmp_path, method, test):
    make_practice("schrijven", effects=of_set("bcg", "trial"), selection={"method": method, "test": test})
    mine, theirs = run(client, clean_python, tmp_path)
    assert (theirs["method"], theirs["test"]) == (method, test)
    assert compared(mine, theirs) > 50


def test_a_digit_that_differs_is_told(client, clean_python, tmp_path):
    make_practice("schrijven", effects=of_set("bcg", "trial"))
    run(client, clean_python, tmp_path)
    told = json.loads((tmp_path / "resultaat.json").read_text())
    told["result"]["estimate"] += 1e-6
    (tmp_path / "resultaat.json").write_text(json.dumps(told))
    done = subprocess.run(
        [clean_python, "-I", "reken-na.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "estimate" in done.stdout
    assert "op de website" in done.stdout


def test_the_script_needs_no_result_beside_it(client, clean_python, tmp_path):
    make_practice("schrijven", effects=of_set("bcg", "trial"))
    run(client, clean_python, tmp_path)
    (tmp_path / "resultaat.json").unlink()
    done = subprocess.run([clean_python, "-I", "reken-na.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("13 studies, 13 effecten")
    assert "interval van 95%: -1,1" in done.stdout
