"""The storage panel: where files stand, the room that is left, and what the last reading of all files found."""

from typing import Any

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext, ngettext

from konsilium.actions.documents import store
from konsilium.models import StoreCheck
from konsilium.web.clockface import local
from konsilium.workflow.retention import UNANSWERED, UNUSED, Term
from konsilium.workflow.words import (
    CONCLUSION_SCAN,
    CONCLUSION_SCAN_LABEL,
    DOCUMENT_KINDS,
    KEY_IMAGE,
    KEY_IMAGE_LABEL,
    N_,
)

WHAT = {"damaged": N_("Damaged"), "missing": N_("Missing")}
KEPT_LABELS = {
    **DOCUMENT_KINDS,
    KEY_IMAGE: KEY_IMAGE_LABEL,
    CONCLUSION_SCAN: CONCLUSION_SCAN_LABEL,
    UNANSWERED: N_("All of a rejected or withdrawn request"),
    UNUSED: N_("Files refused by the check, taken back or superseded"),
}


def panel(time_zone: str) -> dict[str, Any]:
    """Return what the panel shows; asking a bucket nothing, so that the page doesn't wait for it."""
    free = store().free_bytes()
    rounds = list(StoreCheck.objects.order_by("-begun_at")[:2])
    done = next((row for row in rounds if row.done_at), None)
    running = next((row for row in rounds if not row.done_at), None)
    return {
        "is_bucket": bool(settings.STORE_URL),
        "free": "" if free is None else filesizeformat(free),
        "last": _round(done, time_zone) if done else None,
        "running": _round(running, time_zone) if running else None,
        "terms": [(gettext(KEPT_LABELS[name]), _length(term)) for name, term in settings.RETENTION.items()],
    }


def _round(row: StoreCheck, time_zone: str) -> dict[str, Any]:
    return {
        "begun": local(row.begun_at, time_zone),
        "done": local(row.done_at, time_zone),
        "files": row.files,
        "size": filesizeformat(row.bytes),
        "damaged": row.damaged,
        "missing": row.missing,
        "findings": [(gettext(WHAT[what]), address) for address, what in row.findings],
    }


def _length(term: Term) -> str:
    if term.years:
        return ngettext("%(count)s year", "%(count)s years", term.years) % {"count": term.years}
    return gettext("%(days)s d") % {"days": term.days}
