"""What every page needs of HTTP: a form sent once, refusals in words, fragments for htmx."""

import hashlib
import secrets
from collections.abc import Callable
from typing import Any, TypeVar

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext

from konsilium.actions.once import once
from konsilium.workflow.machine import Refused

Row = TypeVar("Row")

KEY_FIELD = "once_key"
VERSION_FIELD = "version"
_NOT_CONTENT = (KEY_FIELD, "csrfmiddlewaretoken")


def new_key() -> str:
    """Make a form's key; the same key sent again gets the same answer."""
    return secrets.token_urlsafe(18)


def seen_version(request: HttpRequest) -> int | None:
    """Return the version the person had before their eyes when they pressed the button."""
    text = request.POST.get(VERSION_FIELD, "")
    return int(text) if text.isdecimal() else None


def send_once(request: Any, run: Callable[[], str]) -> HttpResponse:
    """Run a form's action once for its key and go where it says; the same key again goes to the same place.

    `run` calls one action and returns the address of the next page. Refused passes through: the page shows it.
    """
    key = request.POST.get(KEY_FIELD, "")[:64]
    with once(actor=request.actor, key=key, fingerprint=fingerprint(request), at=request.at) as given:
        if not given.answer:
            given.answer = run()
    return go_to(request, given.answer)


def fingerprint(request: HttpRequest) -> str:
    """Return a hash of what the form says, without its key and token."""
    parts = [request.path]
    for name in sorted(request.POST):
        if name not in _NOT_CONTENT:
            parts += [name, *request.POST.getlist(name)]
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()


def go_to(request: HttpRequest, address: str) -> HttpResponse:
    """Redirect, also when htmx asked."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return redirect(address)


def words(refusal: Refused) -> str:
    """Return a refusal in the reader's language."""
    return gettext(refusal.message) % refusal.params if refusal.params else gettext(refusal.message)


def again(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """Show the same page with its errors: nothing typed is lost, and the status says it was refused."""
    return render(request, template, context, status=422)


def found(row: Row | None) -> Row:
    """Return the row or answer as if it had never been."""
    if row is None:
        raise Http404
    return row
