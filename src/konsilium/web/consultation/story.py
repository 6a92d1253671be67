"""The timeline: what happened to a request, each kind in words."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext

from konsilium.models import Consultation, Event
from konsilium.web.clockface import local
from konsilium.workflow.reasons import REASONS, WITHDRAWAL_REASONS
from konsilium.workflow.roles import ROLE_LABELS, Actor, Role
from konsilium.workflow.session import CANCEL_REASONS
from konsilium.workflow.words import N_, OUTCOMES

PAGE = 50

HAPPENED = {
    "begin": N_("The draft was begun"),
    "copied": N_("The draft was copied from an earlier request"),
    "submit": N_("The request was sent to the centre"),
    "assign": N_("A consultant was assigned"),
    "reassign": N_("Another consultant was assigned"),
    "ask": N_("More information was asked"),
    "answer": N_("The question was answered"),
    "pass_on": N_("The request was passed to another centre"),
    "reject": N_("The request was rejected"),
    "hand_back": N_("The consultant handed the request back to the dispatcher"),
    "need_video": N_("The consultant decided that video is needed"),
    "no_video": N_("The consultant decided to answer without video"),
    "reconsider": N_("The need for video is being reconsidered"),
    "session_held": N_("After the session: on to the conclusion"),
    "give_up_video": N_("On to the conclusion without video"),
    "place": N_("The conclusion was placed"),
    "correct": N_("A corrected conclusion was placed"),
    "acknowledge": N_("The conclusion was read"),
    "close": N_("The request was closed with the outcome"),
    "expire": N_("The request closed by itself: no outcome was reported"),
    "withdraw": N_("The request was withdrawn"),
    "message_posted": N_("A message was written in the thread"),
    "session_propose": N_("Times for a session were proposed"),
    "session_counter": N_("Other times for the session were proposed"),
    "session_confirm": N_("The session's time was confirmed"),
    "session_accept": N_("A time of the requesting side was accepted"),
    "session_reschedule": N_("New times for the session were proposed"),
    "session_start": N_("The session began"),
    "session_hold": N_("The session took place"),
    "session_miss": N_("A side didn't come to the session"),
    "session_fail": N_("The session failed for technical reasons"),
    "session_cancel": N_("The session was cancelled"),
    "document_added": N_("A document was added"),
    "document_release": N_("A document passed the check"),
    "document_refuse": N_("A document was refused by the check"),
    "document_remove": N_("A document was removed"),
    "document_supersede": N_("A document was superseded"),
    "document_expired": N_("A document was deleted: its term of keeping was over"),
    "series_left_out": N_("A series of pictures was left out"),
    "series_included": N_("A series of pictures was put back"),
    "names_found": N_("Names were found on pictures"),
    "names_denied": N_("It was said that no names stand on pictures"),
    "names_boxed": N_("Names on pictures are blacked out"),
    "study_exported": N_("A de-identified copy of a study was ordered"),
    "recording_began": N_("The recording of the session began, with everybody's consent"),
    "recording_ended": N_("The recording of the session ended"),
    "recording_lost": N_("A part of the session's recording could not be kept"),
    "recording_given": N_("Somebody was allowed to listen to the session's recording"),
    "recording_taken_back": N_("Somebody may listen to the session's recording no more"),
    "recording_heard": N_("The session's recording was listened to"),
    "recording_expired": N_("The session's recording was deleted: its term of keeping was over"),
    "room_put_out": N_("Somebody was put out of the session's room"),
    "room_let_in": N_("Somebody may come into the session's room again"),
    "photo_named": N_("It was said what a photograph shows"),
    "session_remind_day": N_("Both sides were reminded of the session a day ahead"),
    "session_remind_hour": N_("Both sides were reminded of the session an hour ahead"),
    "session_ready": N_("A side said that it will be at the session"),
    "guest_invited": N_("A guest was invited to the session"),
    "guest_revoked": N_("A guest's invitation was taken back"),
    "signature_brought": N_("A document was signed electronically"),
    "scan_compared": N_("A scan of signed paper without a readable code was compared by eye"),
    "signature_bad": N_("An electronic signature was checked and is not good"),
    "signature_waits": N_("A document waits for the organisation's signature"),
    "council_call": N_("A council was called"),
    "council_accept": N_("A member takes part in the council"),
    "council_decline": N_("A member declined the council"),
    "council_substitute": N_("A substitute was called to the council"),
    "council_seal": N_("A member sealed their opinion"),
    "council_open": N_("The opinions of the council were opened"),
    "council_decide": N_("The council has decided"),
    "council_rediscuss": N_("The council went back to the discussion"),
    "council_dissent": N_("A dissent was recorded"),
    "council_submit": N_("The council's protocol was given to be signed"),
    "council_sign": N_("A member signed the protocol"),
    "council_sign_last": N_("The chair signed the protocol"),
    "council_refuse": N_("A member refused to sign the protocol"),
    "council_cancel": N_("The council was cancelled"),
}

OTHERWISE = N_("Something else happened")
_REASONS = {**CANCEL_REASONS, **WITHDRAWAL_REASONS, **REASONS, **OUTCOMES}


# What goes as it should: a request with ten documents would have ten lines that say nothing.
QUIET = ("document_release",)


def story(
    consultation: Consultation, *, actor: Actor, read_at: datetime | None = None, before: UUID | None = None
) -> dict[str, Any]:
    """Return a page of what happened, newest first, and from where the earlier ones go on (one query)."""
    rows = Event.objects.visible_to(actor).filter(consultation=consultation).exclude(kind__in=QUIET)
    if before is not None:
        last = Event.objects.filter(pk=before, consultation=consultation).values("at")[:1]
        rows = rows.filter(Q(at__lt=last) | Q(at=last, pk__lt=before))
    page = list(rows.order_by("-at", "-id")[: PAGE + 1])
    address = reverse("consultation:timeline", args=[consultation.pk])
    return {
        "events": [_event(row, actor, read_at) for row in page[:PAGE]],
        "earlier": f"{address}?before={page[PAGE - 1].pk}" if len(page) > PAGE else "",
    }


def _event(row: Event, actor: Actor, read_at: datetime | None) -> dict[str, Any]:
    words = gettext(HAPPENED.get(row.kind, OTHERWISE))
    if row.audience == Event.CENTRE:
        words = gettext("%(what)s (seen inside the centre only)") % {"what": words}
    reason = gettext(_REASONS[row.reason]) if row.reason in _REASONS else ""
    return {
        "at_text": local(row.at, actor.time_zone),
        "words": words,
        "who": _who(row),
        "text": ". ".join(part for part in (reason, row.text) if part),
        "is_new": row.actor_id != actor.person_id and (read_at is None or row.at > read_at),
    }


def _who(row: Event) -> str:
    role = gettext(ROLE_LABELS[Role(row.actor_role)]) if row.actor_role else ""
    return ", ".join(part for part in (row.actor_name, role, row.actor_organization) if part)
