"""What takes long to build and many modules begin with, such as all texts published: built once, then copied from a file.

A file holds for one state of the sources and the fixtures; both databases read the same one.
"""

import hashlib
import pickle
from collections.abc import Callable
from functools import cache
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection

from knowledgebase.editorial import guards
from knowledgebase.editorial.findings import blocking, findings
from knowledgebase.models import Version
from practices import facets
from tests.factories import make_user, publish_all

FOLDER = Path(settings.BASE_DIR) / ".cache" / "snapshots"
SOURCES = ("knowledgebase", "practices", "leerpunt", "tests/factories", "fixtures")


@cache
def _sources() -> str:
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for name in SOURCES:
        for path in sorted((Path(settings.BASE_DIR) / name).rglob("*")):
            if path.is_file() and path.suffix != ".pyc":
                digest.update(f"{path}\0{path.stat().st_size}\0".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _models():
    every = (model for app in ("knowledgebase", "practices") for model in apps.get_app_config(app).get_models())
    models = [model for model in every if not model._meta.proxy]
    return [*models, *(field.remote_field.through for model in models for field in model._meta.local_many_to_many)]


def built(name: str, build: Callable[[], object]) -> None:
    """The database as `build` makes it, from the file of an earlier call where there is one. Needs a transaction."""
    path = FOLDER / f"{name}-{_sources()}.pickle"
    if path.exists():
        _restore(pickle.loads(path.read_bytes()))  # noqa: S301  # our own file
        return
    build()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for older in FOLDER.glob(f"{name}-*"):
        older.unlink(missing_ok=True)
    unfinished = path.with_suffix(f".{connection.vendor}.{connection.settings_dict['NAME'].rsplit('/')[-1][-12:]}")
    unfinished.write_bytes(pickle.dumps(_rows()))
    unfinished.replace(path)


def _rows():
    return {
        model._meta.label: list(
            model._base_manager.order_by("pk").values_list(*(f.attname for f in model._meta.local_concrete_fields))
        )
        for model in _models()
    }


def _restore(rows) -> None:
    models = _models()
    with guards.door("a snapshot takes the place of what was there"), connection.cursor() as cursor:
        for model in reversed(models):
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(model._meta.db_table)}")  # noqa: S608
        for model in models:
            fields = model._meta.local_concrete_fields
            names = ", ".join(connection.ops.quote_name(field.column) for field in fields)
            table = connection.ops.quote_name(model._meta.db_table)
            places = ", ".join(["%s"] * len(fields))
            cursor.executemany(
                f"INSERT INTO {table} ({names}) VALUES ({places})",  # noqa: S608
                [
                    [field.get_db_prep_save(value, connection) for field, value in zip(fields, row, strict=True)]
                    for row in rows[model._meta.label]
                ],
            )
        for statement in connection.ops.sequence_reset_sql(no_style(), models):
            cursor.execute(statement)


def published_texts() -> None:
    """Every text of the fixtures, published by the account `redacteur`."""
    make_user("redacteur", role="redacteur")
    call_command("load_texts", "--by=redacteur", "--demo", verbosity=0)
    drafts = [version.specific() for version in Version.objects.select_related("item")]
    assert {problem for draft in drafts for problem in blocking(findings(draft))} == set()
    publish_all(drafts)
    facets.rebuild()
