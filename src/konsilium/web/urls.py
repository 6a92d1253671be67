"""Every address on one page, each with the right it needs (a right of workflow/roles.py, or public, or signed_in)."""

from typing import Any

from django.urls import URLPattern, path

from konsilium.web import health
from konsilium.web.access import PUBLIC, View


def page(route: str, view: View, action: str, name: str) -> URLPattern:
    """Declare an address: its view, the right it needs, and its name."""

    def declared(request: Any, **kwargs: Any) -> Any:
        return view(request, **kwargs)

    declared.action = action  # type: ignore[attr-defined]
    declared.__name__ = getattr(view, "__name__", name)
    return path(route, declared, name=name)


urlpatterns = [
    page("healthz", health.healthz, PUBLIC, "healthz"),
    page("readyz", health.readyz, PUBLIC, "readyz"),
]
