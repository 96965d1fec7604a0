"""What a supervisor asks: does the process answer, and is the site ready for readers?"""

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

PLAIN = "text/plain; charset=utf-8"


@require_safe
def alive(request: HttpRequest) -> HttpResponse:
    """The process answers; the database is not asked."""
    return HttpResponse("ok", content_type=PLAIN)


@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """The database answers and has every migration, else 503 with what is wrong."""
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Error:
        return HttpResponse(_("The database does not answer."), content_type=PLAIN, status=503)
    if missing:
        return HttpResponse(_("The database misses migrations: run migrate."), content_type=PLAIN, status=503)
    return HttpResponse("ok", content_type=PLAIN)
