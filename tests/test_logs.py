"""A log line says where and what kind of trouble; it never says about whom."""

import logging
from types import SimpleNamespace

from konsilium.logs import WithoutContent

SECRET = "Иванов Пётр"


def line(name, message, *arguments, error=None, **more):
    info = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord(name, logging.ERROR, __file__, 1, message, arguments, info)
    record.__dict__ |= more
    return (
        logging.Formatter("{message}", style="{").format(record) if WithoutContent().filter(record) else None
    )


def failed():
    try:
        int(SECRET)
    except ValueError as error:
        return error


def request(route, method="GET"):
    return SimpleNamespace(method=method, resolver_match=SimpleNamespace(view_name=route), path=f"/{SECRET}")


def test_a_failed_page_is_told_by_method_route_and_place():
    told = line(
        "django.request",
        "Internal Server Error: /requests/?q=%s",
        SECRET,
        error=failed(),
        request=request("triage:list", "POST"),
        status_code=500,
    )
    assert told.startswith("POST triage:list 500 builtins.ValueError at test_logs.py:")
    assert SECRET not in told


def test_an_address_nobody_knows_is_told_without_it():
    told = line(
        "django.request", "Not Found: %s", SECRET, request=SimpleNamespace(method="GET"), status_code=404
    )
    assert told == "GET 404"


def test_what_other_libraries_say_is_not_repeated():
    assert line("django.db.backends", "SELECT %s", SECRET) == "error"


def test_our_own_words_stay_and_an_exceptions_text_does_not():
    told = line("konsilium.worker", "the worker's chore %s failed", "tell", error=failed())
    assert told.startswith("the worker's chore tell failed builtins.ValueError at test_logs.py:")
    assert SECRET not in told


def test_being_asked_whether_we_are_ready_is_no_trouble():
    assert line("django.request", "x", request=request("readyz"), status_code=503) is None
