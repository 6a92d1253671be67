"""Files on their way to a request: what both sides see of them, and what the page that sends them needs."""

from typing import Any, NamedTuple
from uuid import UUID

from django.utils.translation import gettext

from konsilium.models import Consultation, Upload
from konsilium.workflow.roles import Actor
from konsilium.workflow.words import DOCUMENT_KINDS, N_

ADDRESS = "/uploads/"
# Said by frontend/src/uploads; each under the name that stands there.
TEXTS = {
    "reading": N_("Reading the file before sending …"),
    "announcing": N_("Connecting …"),
    "waiting": N_("Waits for its turn: %(done)s of %(whole)s"),
    "night": N_("Waits until %(from)s. This page must stay open."),
    "sending": N_("On its way: %(percent)s %% · %(done)s of %(whole)s"),
    "paused": N_("Paused: %(done)s of %(whole)s"),
    "received": N_("It has arrived."),
    "hadIt": N_("This file is here already: nothing had to be sent."),
    "unread": N_("The file can't be read any more. Choose it again."),
    "failed": N_("It could not be sent. Choose the file again."),
    "gone": N_("The request or this upload is not there any more. Load the page again."),
    "signedOut": N_("You are signed out. Sign in in another tab, then go on here: nothing is lost."),
    "full": N_("There is no room on the server now. Tell the administrator; what arrived is kept."),
    "tooLarge": N_("These files together are larger than 4 GB. Send them in several folders."),
    "leftOut": N_("Left out, because they are no DICOM files (%(count)s): %(names)s. Add them on their own."),
    "together": N_("Files on their way: %(count)s · %(done)s of %(whole)s"),
    "speed": N_("%(speed)s a second"),
    "left": N_("about %(time)s left"),
    "pauseAll": N_("Pause everything"),
    "resumeAll": N_("Go on"),
    "cancel": N_("Cancel"),
    "close": N_("Close"),
    "seconds": N_("%(count)s s"),
    "minutes": N_("%(count)s min"),
    "hours": N_("%(hours)s h %(minutes)s min"),
    "kB": N_("kB"),
    "MB": N_("MB"),
    "GB": N_("GB"),
    "comma": N_("."),
}


class Arriving(NamedTuple):
    """A file on its way, as text; `place` only for its sender, who may go on with it or give it up."""

    pk: UUID
    name: str
    kind: str
    kind_label: str
    percent: int
    length: int
    place: str


def arriving(consultation: Consultation, *, actor: Actor) -> list[Arriving]:
    """Return the files on their way to this request (one query)."""
    rows = Upload.objects.visible_to(actor).on_the_way().filter(consultation=consultation)
    return [
        Arriving(
            pk=row.pk,
            name=row.file_name,
            kind=row.kind,
            kind_label=gettext(DOCUMENT_KINDS.get(row.kind, row.kind)),
            percent=row.offset * 100 // row.length,
            length=row.length,
            place=f"{ADDRESS}{row.pk}" if row.author_id == actor.person_id else "",
        )
        for row in rows.order_by("created_at", "id")
    ]


def config(consultation: Consultation) -> dict[str, Any]:
    """Return what the sending script is told: where to, for which request, and its words."""
    texts = {name: gettext(text).replace("%%", "%") for name, text in TEXTS.items()}
    return {"address": ADDRESS, "consultation": str(consultation.pk), "texts": texts}
