"""The dispatcher's verbs: name a consultant, ask for more, reject, pass to another centre."""

from datetime import datetime
from uuid import UUID

from konsilium.actions._record import NOWHERE, Note
from konsilium.actions._step import open_session_state, step
from konsilium.actions.conversation import put_question
from konsilium.models import Consultation, Membership, Organization, Term
from konsilium.models.organization import OrganizationQuerySet
from konsilium.workflow.clock import ANSWER_TO_QUESTION
from konsilium.workflow.consultation import Facts
from konsilium.workflow.reasons import reason_is_stated
from konsilium.workflow.roles import Actor


def assign(
    consultation: Consultation,
    consultant_membership_id: UUID,
    *,
    actor: Actor,
    at: datetime,
    version: int | None = None,
) -> None:
    """Give a new request to an active consultant of the dispatcher's own centre. Raises what `step` raises."""
    _name("assign", consultation, consultant_membership_id, actor=actor, at=at, version=version)


def reassign(
    consultation: Consultation,
    consultant_membership_id: UUID,
    *,
    actor: Actor,
    at: datetime,
    version: int | None = None,
) -> None:
    """Give a request to another consultant of the centre, wherever it stands; its clock runs on.

    Raises what `step` raises: Missing too while a session is open, or when it is the same consultant.
    """
    _name("reassign", consultation, consultant_membership_id, actor=actor, at=at, version=version)


def ask(
    consultation: Consultation, text: str, *, actor: Actor, at: datetime, version: int | None = None
) -> None:
    """Ask the requester for more: the question stands in the thread, the clock stands still but for an emergency.

    Raises what `step` raises.
    """
    with step(
        consultation,
        "ask",
        actor=actor,
        at=at,
        version=version,
        facts=lambda _row: Facts(text_given=bool(text.strip())),
    ) as row:
        put_question(row, text, actor=actor, at=at)


def reject(
    consultation: Consultation,
    reason: str,
    text: str = "",
    *,
    actor: Actor,
    at: datetime,
    version: int | None = None,
) -> None:
    """End a new request, or one whose question was not answered in time, with a reason that the requester reads.

    Raises what `step` raises.
    """
    with step(
        consultation,
        "reject",
        actor=actor,
        at=at,
        version=version,
        facts=lambda row: Facts(
            reason_stated=reason_is_stated(reason, text), answer_term_passed=answer_is_late(row, at)
        ),
        note=Note(reason, text.strip()),
    ) as row:
        row.end_reason, row.end_text = reason, text.strip()
        row.closed_at = at


def pass_on(
    consultation: Consultation,
    centre_id: UUID,
    text: str = "",
    *,
    actor: Actor,
    at: datetime,
    version: int | None = None,
) -> None:
    """Pass a new request to another centre that takes its profile from organisations of its level.

    The other centre's term counts from the same start: the clock never begins again. Raises what `step` raises.
    """
    other = centres_to_pass_to(consultation).filter(pk=centre_id).first()
    with step(
        consultation,
        "pass_on",
        actor=actor,
        at=at,
        version=version,
        facts=lambda row: Facts(other_centre_named=other is not None and other.pk != row.centre_id),
        note=Note(text=text.strip()),
    ) as row:
        if other is not None:
            _move_to(row, other)


def centres_to_pass_to(consultation: Consultation) -> OrganizationQuerySet:
    """Return the other centres that take this request's profile from its organisation's level."""
    open_ones = Organization.objects.centres_for(consultation.requesting_level, consultation.profile_id)
    return open_ones.exclude(pk=consultation.centre_id or NOWHERE)


def answer_is_late(consultation: Consultation, at: datetime) -> bool:
    """Say whether the requester's term for an answer has passed."""
    return consultation.asked_at is not None and at >= consultation.asked_at + ANSWER_TO_QUESTION


def _name(
    move: str,
    consultation: Consultation,
    membership_id: UUID,
    *,
    actor: Actor,
    at: datetime,
    version: int | None,
) -> None:
    chosen = Membership.objects.consultants_of(actor.organization_id).filter(pk=membership_id).first()
    name = chosen.person.full_name if chosen else ""
    with step(
        consultation,
        move,
        actor=actor,
        at=at,
        version=version,
        facts=lambda row: _naming_facts(row, chosen),
        note=Note(text=name),
    ) as row:
        row.consultant, row.consultant_name = (chosen.person if chosen else None), name


def _naming_facts(row: Consultation, chosen: Membership | None) -> Facts:
    return Facts(
        consultant_named=chosen is not None and chosen.person_id != row.consultant_id,
        no_open_session=open_session_state(row) is None,
    )


def _move_to(row: Consultation, centre: Organization) -> None:
    if row.clock and row.centre_id and row.profile_id:
        old, new = (
            Term.objects.of(centre_id=place, profile_id=row.profile_id, urgency=row.urgency)
            for place in (row.centre_id, centre.pk)
        )
        row.set_clock(row.clock.take_term(new, instead_of=old))
    row.centre, row.centre_name, row.centre_time_zone = centre, centre.short_name, centre.time_zone
    row.consultant, row.consultant_name = None, ""
