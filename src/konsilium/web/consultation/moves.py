"""The buttons of a request: the moves that the rules leave open to this person now, each with its page."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext

from konsilium.models import Consultation
from konsilium.workflow.clock import ANSWER_TO_QUESTION
from konsilium.workflow.consultation import MACHINE, Facts, State
from konsilium.workflow.machine import Refused
from konsilium.workflow.roles import Role
from konsilium.workflow.session import FELL_THROUGH, OPEN_SESSION, SessionState
from konsilium.workflow.words import N_


@dataclass(frozen=True)
class Page:
    """Where a move is made: a page with its form, or, where nothing has to be said, a button that posts there.

    The button says what the rules call the move, unless `label` says it better.
    """

    name: str
    label: str = ""
    posts: bool = False
    main: bool = False
    danger: bool = False


PAGES = {
    ("assign", Role.DISPATCHER): Page("triage:assign", main=True),
    ("reassign", Role.DISPATCHER): Page("triage:reassign"),
    ("ask", Role.DISPATCHER): Page("triage:ask"),
    ("pass_on", Role.DISPATCHER): Page("triage:pass_on"),
    ("reject", Role.DISPATCHER): Page("triage:reject", danger=True),
    ("answer", Role.REQUESTER): Page("conversation:answer", main=True),
    ("acknowledge", Role.REQUESTER): Page("closing:acknowledge", posts=True, main=True),
    ("close", Role.REQUESTER): Page("closing:close", main=True),
    ("withdraw", Role.REQUESTER): Page("closing:withdraw", danger=True),
    ("need_video", Role.CONSULTANT): Page("consulting:need_video", posts=True, main=True),
    ("no_video", Role.CONSULTANT): Page("consulting:no_video", posts=True, main=True),
    ("ask", Role.CONSULTANT): Page("consulting:ask"),
    ("hand_back", Role.CONSULTANT): Page("consulting:hand_back"),
    ("give_up_video", Role.CONSULTANT): Page("consulting:give_up_video", posts=True),
    ("reconsider", Role.CONSULTANT): Page("consulting:reconsider", posts=True),
    ("place", Role.CONSULTANT): Page("consulting:write", N_("Write the conclusion"), main=True),
    ("place", Role.SECRETARY): Page("consulting:write", N_("Write the protocol"), main=True),
    ("correct", Role.CONSULTANT): Page("consulting:write", N_("Correct the conclusion")),
    ("correct", Role.SECRETARY): Page("consulting:write", N_("Write the protocol"), main=True),
}

# What the person gives on the move's own page counts as given here.
_GIVEN = {
    "consultant_named": True,
    "other_centre_named": True,
    "text_given": True,
    "reason_stated": True,
    "conclusion_ready": True,
    "correction_explained": True,
    "outcome_given": True,
}


def buttons(
    consultation: Consultation,
    *,
    roles: frozenset[Role],
    session_states: Iterable[str],
    at: datetime,
    council: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """Return the moves that are possible now, in the table's order, for `consultation/_moves.html`.

    `council` is the council's part of the page: whether one sits or has signed, and whether the reader writes for it.
    """
    facts = replace(
        _facts(consultation, frozenset(session_states), at),
        no_open_council=not council["sits"],
        no_council_signed=not council["sits"],
        council_signed=council["writes"],
    )
    found = [
        _button(consultation, move, role, facts)
        for role in roles
        for move in MACHINE.open_to(consultation.state, [role])
    ]
    return [button for button in found if button]


def _facts(row: Consultation, sessions: frozenset[str], at: datetime) -> Facts:
    return Facts(
        asked_by_dispatcher=row.asked_from == State.SUBMITTED,
        asked_by_consultant=row.asked_from == State.ASSIGNED,
        answer_term_passed=row.asked_at is not None and at >= row.asked_at + ANSWER_TO_QUESTION,
        no_open_session=not sessions & OPEN_SESSION,
        session_was_held=SessionState.HELD in sessions,
        session_fell_through=bool(sessions & FELL_THROUGH),
        not_yet_acknowledged=row.acknowledged_at is None,
        **_GIVEN,
    )


def _button(row: Consultation, move: str, role: Role, facts: Facts) -> dict[str, Any] | None:
    page = PAGES.get((move, role))
    if page is None:
        return None
    try:
        MACHINE.find(move, state=row.state, roles=[role], facts=facts)
    except Refused:
        return None
    return {
        "move": move,
        "label": gettext(page.label or MACHINE.labels[move]),
        "address": reverse(page.name, args=[row.pk]),
        "posts": page.posts,
        "main": page.main,
        "danger": page.danger,
    }
