"""The parts of the request page that other desks own: each gives plain values, and a fragment that shows them."""

from datetime import datetime
from typing import Any

from konsilium.models import Consultation
from konsilium.web.consulting.panel import panel as conclusion_panel
from konsilium.web.councils.panel import panel as council_panel
from konsilium.web.documents.panel import panel as documents_panel
from konsilium.web.sessions.panel import panel as sessions_panel
from konsilium.web.studies.panel import panel as studies_panel
from konsilium.workflow.roles import Actor, Role

PARTS = {
    "conclusion": ("consulting/_panel.html", conclusion_panel),
    "council": ("councils/_panel.html", council_panel),
    "sessions": ("sessions/_panel.html", sessions_panel),
    "documents": ("documents/_panel.html", documents_panel),
    "studies": ("studies/_panel.html", studies_panel),
}


def all_of(
    consultation: Consultation, *, actor: Actor, at: datetime, roles: frozenset[Role]
) -> dict[str, dict[str, Any]]:
    """Return each part: its template and its values, by name."""
    return {
        name: {"template": template, "panel": panel(consultation, actor=actor, at=at, roles=roles)}
        for name, (template, panel) in PARTS.items()
    }
