"""The session room's words and bounds: which engines there are, who may be a guest, what a recording needs."""

from datetime import timedelta

from konsilium.workflow.words import N_

ENGINE_LABELS = {
    "mesh": N_("Built-in room"),
    "external": N_("An outside video service"),
    "janus": N_("Built-in room on a media server (Janus)"),
    "livekit": N_("LiveKit"),
    "jitsi": N_("Jitsi"),
}

GUEST_LABELS = {
    "expert": N_("Invited expert"),
    "technician": N_("Technical specialist"),
    "patient": N_("Patient"),
}

RECORDING_STATE_LABELS = {
    "running": N_("Recording"),
    "kept": N_("Kept"),
    "failed": N_("Not recorded"),
}

# More parties than this want a media server: each one's uplink carries a stream for every other.
MOST_IN_MESH = 4
# Ours: how long before its time a room opens, and after its end a link still lets in.
OPENS_EARLY = timedelta(minutes=30)
STAYS_OPEN = timedelta(hours=2)
TICKET_VALID = timedelta(seconds=30)
# A revoked person is out within this.
REVOKED_WITHIN = timedelta(seconds=5)
