"""A request's head: what stands above its page and above the small page of every move."""

from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext

from konsilium.models import Consultation
from konsilium.web.clockface import Left, age, left, local, local_clock
from konsilium.workflow.consultation import FINAL, STATE_LABELS, State
from konsilium.workflow.roles import Actor
from konsilium.workflow.words import URGENCIES, Urgency

# Colour is never the only sign: each tone stands beside its word.
STATE_TONES = {
    State.SUBMITTED: "accent",
    State.CLARIFICATION: "warn",
    State.COMPLETED: "good",
    State.REJECTED: "bad",
}


def head(consultation: Consultation, *, actor: Actor, at: datetime) -> dict[str, Any]:
    """Return the head's plain values, for the template `consultation/_head.html` as `head`."""
    row = consultation
    state = State(row.state)
    return {
        "number": row.number,
        "address": reverse("consultation:show", args=[row.pk]),
        "version": row.version,
        "state": gettext(STATE_LABELS[state]),
        "state_tone": STATE_TONES.get(state, ""),
        "urgency": row.urgency,
        "urgency_label": gettext(URGENCIES[Urgency(row.urgency)]),
        "left": None if state in FINAL else time_left(row, at=at),
        "due": "" if state in FINAL else local(row.due_at, actor.time_zone),
        "patient": patient(row),
        "age": age(row.patient_birth_date, at.date()),
        "requesting": row.requesting_name,
        "requesting_time": local_clock(at, row.requesting_time_zone),
        "centre": row.centre_name,
        "centre_time": local_clock(at, row.centre_time_zone) if row.centre_time_zone else "",
        "consultant": row.consultant_name,
    }


def time_left(consultation: Consultation, *, at: datetime) -> Left:
    """Say how much of the answer's term is left."""
    row = consultation
    return left(row.due_at, at=at, paused_at=row.paused_at, answered_at=row.answered_at)


def patient(consultation: Consultation) -> str:
    """Return the patient's name, or that nobody knows it."""
    return gettext("Unknown patient") if consultation.patient_unknown else consultation.patient_name
