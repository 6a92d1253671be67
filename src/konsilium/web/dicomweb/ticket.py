"""Tickets for DICOM programs: a program reads one request for an hour, as the person who made the ticket.

A ticket says which web session it was made in, so it ends with that session: with signing out, with the person's or the
organisation's access, with a change of role. It opens only what lies under the request's own DICOMweb address, and only
to be read.
"""

import hashlib
import secrets
from typing import Any
from uuid import UUID

from django.core import signing

from konsilium.models import WebSession
from konsilium.models.access import signing_in
from konsilium.workflow.roles import Actor

SECONDS = 3600
ROOT = "/dicomweb/"
_SALT = "dicom program"
_SCHEME = "Bearer "


def make(consultation: UUID, *, actor: Actor, session: str) -> str:
    """Return a ticket to a request for the actor's present web session, named by its stored key."""
    said = [str(consultation), str(actor.person_id), str(actor.membership_id), _trace(session)]
    return signing.dumps(said, salt=_SALT, compress=True)


def is_shown(request: Any) -> bool:
    """Say whether a program came with a ticket to where tickets count."""
    is_bearer: bool = request.headers.get("Authorization", "").startswith(_SCHEME)
    return is_bearer and request.path.startswith(ROOT)


def stored_key(request: Any) -> str:
    """Return what is kept of the key of the web session that the ticket was made in; "" where it opens nothing."""
    if request.method not in ("GET", "HEAD"):
        return ""
    try:
        text = request.headers["Authorization"].removeprefix(_SCHEME).strip()
        consultation, person, membership, trace = signing.loads(text, salt=_SALT, max_age=SECONDS)
    except (signing.BadSignature, ValueError):
        return ""
    if not request.path.startswith(f"{ROOT}{consultation}/"):
        return ""
    with signing_in():
        rows = WebSession.objects.filter(person_id=person, membership_id=membership)
        keys = list(rows.values_list("session_key", flat=True))
    return next((key for key in keys if secrets.compare_digest(_trace(key), trace)), "")


def _trace(key: str) -> str:
    """What is signed can be read, and names no row of ours."""
    return hashlib.sha256(f"{_SALT}:{key}".encode()).hexdigest()[:32]
