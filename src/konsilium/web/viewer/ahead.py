"""What a consultant's browser fetches ahead while they read something else: the assigned studies' first pictures.

Fetched so, they are logged as "ahead" and not as looked at: nobody has looked yet.
"""

from typing import Any

from django.http import HttpResponse, JsonResponse

from konsilium.models import Series
from konsilium.web.viewer.config import metadata_address, previews
from konsilium.workflow.consultation import State

OPEN = (State.ASSIGNED, State.SESSION, State.CONCLUSION)
# A morning's work; more would fill a thin line for pictures that nobody opens today.
MOST_SERIES = 30
MOST_BYTES = 20 * 1024 * 1024


def show(request: Any) -> HttpResponse:
    """Return the addresses of previews and metadata of the assigned requests' series, the most urgent first."""
    rows = Series.objects.visible_to(request.actor).filter(
        consultation__state__in=OPEN, state=Series.READY, is_included=True
    )
    urgent = rows.select_related("study").order_by("consultation__due_at", "consultation_id", "number", "id")
    addresses: list[str] = []
    left = MOST_BYTES
    for row in urgent[:MOST_SERIES]:
        left -= sum(copy.get("size", 0) for copy in row.previews.values())
        if left < 0:
            break
        addresses += [*(copy["url"] for copy in previews(row).values()), metadata_address(row)]
    response = JsonResponse({"addresses": addresses})
    response.headers["Cache-Control"] = "private, no-store"
    return response
