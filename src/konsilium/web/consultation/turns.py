"""Whose turn it is, in words for the reader: what to do now, or who is waited for; and how a request ended."""

from typing import Any

from django.utils.translation import gettext

from konsilium.models import Consultation
from konsilium.workflow.consultation import TURN_LABELS, State, Turn
from konsilium.workflow.reasons import REASONS, WITHDRAWAL_REASONS
from konsilium.workflow.roles import Role
from konsilium.workflow.session import SESSION_MOVE_LABELS
from konsilium.workflow.words import N_, OUTCOMES

# What the one whose turn it is has to do.
TASKS = {
    (State.SUBMITTED, Turn.DISPATCHER): N_(
        "Assign a consultant, ask for what is missing, pass it on or reject it."
    ),
    (State.CLARIFICATION, Turn.REQUESTER): N_(
        "The centre asks for more information: answer in the thread below."
    ),
    (State.ASSIGNED, Turn.CONSULTANT): N_("Decide whether video is needed, ask for more, or hand it back."),
    (State.SESSION, Turn.CONSULTANT): N_("Agree on a time for the session, or go on from it."),
    (State.SESSION, Turn.REQUESTER): N_(
        "The centre proposes times for a session: confirm one or offer others."
    ),
    (State.SESSION, Turn.BOTH): N_("A time for the session is agreed. Be there, both sides."),
    (State.CONCLUSION, Turn.CONSULTANT): N_(
        "Write the conclusion and place it with the scan of the signed paper."
    ),
    (State.COMPLETED, Turn.REQUESTER): N_(
        "Read the conclusion, confirm it, and report what became of the patient."
    ),
}
_WAITING = {
    Turn.REQUESTER: N_("We wait for the requesting side."),
    Turn.DISPATCHER: N_("The centre's dispatcher has it."),
    Turn.CONSULTANT: N_("The centre's consultant works on it."),
    Turn.BOTH: N_("Both sides wait for the session."),
    Turn.NOBODY: N_("The request is over. It can be read and printed."),
}

_COUNCIL = N_("A council sits over the request: see what it waits for.")


def turn(
    row: Consultation,
    *,
    roles: frozenset[Role],
    moves: list[dict[str, Any]],
    parts: dict[str, dict[str, Any]],
) -> dict[str, Any]:
    """Return whose turn it is and, when it is the reader's, what to do and the buttons for it."""
    whose = Turn(row.turn)
    mine = whose is Turn.BOTH or whose.value in roles
    task = TASKS.get((State(row.state), whose), _WAITING[whose]) if mine else _WAITING[whose]
    if whose is Turn.CONSULTANT and parts["council"]["panel"]["sits"]:
        task = _COUNCIL
    return {
        "mine": mine,
        "label": gettext(N_("Your turn")) if mine and whose is not Turn.BOTH else gettext(TURN_LABELS[whose]),
        "task": gettext(task),
        "buttons": _buttons(moves, parts) if mine else [],
    }


def _buttons(moves: list[dict[str, Any]], parts: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the main button first: what the session waits for, else the first main move; then the others."""
    main = [move for move in moves if move["main"]]
    waits = _session_button(parts["sessions"]["panel"])
    return [waits, *main] if waits else main


def _session_button(panel: dict[str, Any]) -> dict[str, Any] | None:
    if panel["propose_url"]:
        label = SESSION_MOVE_LABELS["propose"]
        return {"label": gettext(label), "address": panel["propose_url"]}
    if panel["present"]:
        label = N_("Choose a time") if panel["present"]["chooses"] else N_("To the session")
        return {"label": gettext(label), "address": "#sessions"}
    return None


def ending(row: Consultation) -> dict[str, str] | None:
    """Say how the request ended: rejected or withdrawn and why, or closed with which outcome."""
    match row.state:
        case State.REJECTED:
            return _ending(N_("Why it was rejected"), REASONS, row.end_reason, row.end_text)
        case State.WITHDRAWN:
            return _ending(N_("Why it was withdrawn"), WITHDRAWAL_REASONS, row.end_reason, row.end_text)
        case State.CLOSED:
            return _ending(N_("Outcome"), OUTCOMES, row.outcome, row.outcome_text)
        case _:
            return None


def _ending(title: str, labels: dict[str, str], code: str, text: str) -> dict[str, str]:
    return {"title": gettext(title), "what": gettext(labels[code]) if code in labels else "", "text": text}
