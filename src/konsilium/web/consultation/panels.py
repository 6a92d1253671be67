"""The parts of the request page that other desks own: each gives plain values, and a fragment that shows them."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.urls import NoReverseMatch

from konsilium.models import Consultation
from konsilium.workflow.roles import Actor, Role

DESKS = ("consulting", "sessions", "documents")


def all_of(
    consultation: Consultation, *, actor: Actor, at: datetime, roles: frozenset[Role]
) -> dict[str, dict[str, Any]]:
    """Return each desk's part: its template and its values, by the desk's name."""
    parts: dict[str, dict[str, Any]] = {}
    for desk in DESKS:
        if find_spec(f"konsilium.web.{desk}") and find_spec(f"konsilium.web.{desk}.panel"):
            with suppress(NoReverseMatch):
                values = _of(desk)(consultation, actor=actor, at=at, roles=roles)
                parts[desk] = {"template": f"{desk}/_panel.html", "panel": values}
    return parts


def _of(desk: str) -> Callable[..., dict[str, Any]]:
    panel: Callable[..., dict[str, Any]] = import_module(f"konsilium.web.{desk}.panel").panel
    return panel
