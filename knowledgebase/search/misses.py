"""What readers look for and do not find: counted per day, without anything that tells who asked.

A page is never slower or broken for it: a count that cannot be written at once is not written.
"""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.utils import timezone

from knowledgebase.models import SearchMiss

LONGEST = 80  # characters; longer ones are stories, and may be about somebody
MOST_A_DAY = 500  # different queries
MOST_A_MINUTE = 60  # counts that one worker writes
KEPT = timedelta(days=180)
WAIT = 100  # milliseconds for another writer
_PERSONAL = re.compile(r"@|\d(?:[\s./-]*\d){5}")  # an address, or a number that may be of a telephone or a person

_lock = threading.Lock()
_this_minute = {"minute": 0, "written": 0}


def count(query: str) -> None:
    """Count a query that found nothing, unless it looks personal, is too long, or there are very many today."""
    text = " ".join(query.casefold().split())
    if not text or len(text) > LONGEST or _PERSONAL.search(text) or not _may_write():
        return
    try:
        with _patience(), transaction.atomic():
            _write(text)
    except DatabaseError:
        return


def _write(text: str) -> None:
    today = timezone.localdate()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{WAIT}ms"])
    if SearchMiss.objects.filter(day=today, query=text).update(times=F("times") + 1):
        return
    different = SearchMiss.objects.filter(day=today).count()
    if different == 0:
        SearchMiss.objects.filter(day__lt=today - KEPT).delete()
    if different < MOST_A_DAY:
        SearchMiss.objects.bulk_create([SearchMiss(day=today, query=text)], ignore_conflicts=True)


@contextmanager
def _patience() -> Iterator[None]:
    """Give up soon where SQLite's one writer is somebody else."""
    if connection.vendor != "sqlite":
        yield
        return
    usual = int(1_000 * connection.settings_dict["OPTIONS"].get("timeout", 5))
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {WAIT}")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {usual}")


def _may_write() -> bool:
    minute = int(time.monotonic() // 60)
    with _lock:
        if _this_minute["minute"] != minute:
            _this_minute.update(minute=minute, written=0)
        _this_minute["written"] += 1
        return _this_minute["written"] <= MOST_A_MINUTE
