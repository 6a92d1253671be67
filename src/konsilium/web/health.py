"""Does the process live, and can pages be served: for whoever watches over it."""

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse

from konsilium.checks import unsafe_login


def healthz(request: HttpRequest) -> HttpResponse:
    """Answer while the process lives."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 once the database is reached, migrated, and its login safe; 503 with one sentence otherwise."""
    trouble = _trouble()
    return HttpResponse(f"{trouble or 'ready'}\n", content_type="text/plain", status=503 if trouble else 200)


def _trouble() -> str:
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return "The database is not migrated: run `konsilium migrate`."
        return unsafe_login()
    except (DatabaseError, ImproperlyConfigured):
        return "The database can't be reached."
