"""Uploads: how large, how long they may rest, and what an organisation may hold."""

from datetime import timedelta
from enum import StrEnum

from konsilium.workflow.words import N_

# One file, resumed as often as the line needs. A CBCT is 250 MB to 1 GB.
LARGEST = 4 * 1024**3
# What an organisation may hold where the operator has set nothing else.
QUOTA = 200 * 1024**3
# A broken upload waits this long for its sender, who may be back after a weekend.
RESTS = timedelta(days=7)


class UploadState(StrEnum):
    """Where an upload stands."""

    RECEIVING = "receiving"
    DONE = "done"
    REFUSED = "refused"
    CANCELLED = "cancelled"


UPLOAD_STATE_LABELS = {
    UploadState.RECEIVING: N_("On its way"),
    UploadState.DONE: N_("Received"),
    UploadState.REFUSED: N_("Refused"),
    UploadState.CANCELLED: N_("Cancelled"),
}
