"""Short-lived addresses of what pages show: copies for looking, and originals of a few harmless kinds.

The address is made for one membership and changes every quarter of an hour, so that a browser keeps a picture for a
while and a copied address is soon worth nothing. Whoever comes by it is asked again what they may see.
"""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.core import signing
from django.urls import reverse

from konsilium.adapters.kinds import JPEG, MP4, PDF, PLY, PNG, STL
from konsilium.workflow.roles import Actor

QUARTER = 900
# A film may be watched for an hour and be wound back.
QUARTERS_KEPT = 4
ORIGINAL, VIEW, THUMBNAIL = "original", "view", "thumbnail"
# What a browser shows and can't run. SVG and HTML are refused at the door, and would not be shown here either.
SHOWN_ORIGINALS = (PDF, MP4, STL, PLY, JPEG, PNG)
SHOWN_COPIES = ("image/webp", JPEG, PNG)
_SIGNER = signing.Signer(salt="looking")


class Looked(NamedTuple):
    """What an address names: a document, and which copy of it."""

    document: UUID
    purpose: str


def address(document: UUID, purpose: str, *, actor: Actor, at: datetime) -> str:
    """Return where the person finds the copy (or the original) for the next hour."""
    parts = [document.hex, purpose, actor.membership_id.hex, _quarter(at)]
    return reverse("gallery:looking", args=[_SIGNER.sign_object(parts, compress=True)])


def read(ticket: str, *, actor: Actor, at: datetime) -> Looked | None:
    """Return what an address names, if it was made for this membership within the last hour."""
    try:
        document, purpose, membership, quarter = _SIGNER.unsign_object(ticket)
    except (signing.BadSignature, ValueError):
        return None
    if membership != actor.membership_id.hex or not 0 <= _quarter(at) - quarter <= QUARTERS_KEPT:
        return None
    return Looked(UUID(document), purpose)


def _quarter(at: datetime) -> int:
    return int(at.timestamp()) // QUARTER
