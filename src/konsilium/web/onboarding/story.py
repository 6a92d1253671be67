"""What happened to an organisation, in words."""

from typing import Any

from django.utils.translation import gettext

from konsilium.models import DeskEvent
from konsilium.web.clockface import local
from konsilium.workflow.roles import ROLE_LABELS, Actor, Role
from konsilium.workflow.words import N_

SHOWN = 40

HAPPENED = {
    "application_submitted": N_("The application came in"),
    "organization_take": N_("Taken into review"),
    "organization_set_up": N_("Setting up began"),
    "organization_test": N_("Testing began"),
    "organization_set_up_again": N_("Back to setting up the equipment"),
    "organization_activate": N_("Activated"),
    "organization_decline": N_("The application was declined"),
    "organization_suspend": N_("The organisation was suspended"),
    "organization_restore": N_("The organisation was restored"),
    "organization_corrected": N_("Names, place or level were corrected"),
    "contact_added": N_("A contact was added"),
    "contact_changed": N_("A contact was changed"),
    "endpoint_added": N_("Equipment was entered"),
    "endpoint_changed": N_("Equipment was changed"),
    "endpoint_password_set": N_("The password of the SIP account was entered"),
    "probe_made": N_("The equipment was looked at from here"),
    "test_opened": N_("A test was begun"),
    "endpoint_approved": N_("The address was approved"),
    "test_passed": N_("A test was passed"),
    "test_limited": N_("A test was passed with limits"),
    "test_failed": N_("A test failed"),
    "retest_in_a_month": N_("Reminded: a test runs out within a month"),
    "retest_in_a_week": N_("Reminded: a test runs out within a week"),
    "person_invited": N_("A person was invited by a one-time link"),
    "person_invited_again": N_("A new one-time link was issued"),
    "access_ended": N_("A person's access was ended"),
    "access_restored": N_("A person's access was given back"),
}


def story(organization_id: Any, *, actor: Actor) -> list[dict[str, Any]]:
    """Return the newest happenings of an organisation, newest first (one query)."""
    rows = DeskEvent.objects.filter(organization_id=organization_id, kind__in=HAPPENED).order_by("-at", "-id")
    return [_event(row, actor) for row in rows[:SHOWN]]


def _event(row: DeskEvent, actor: Actor) -> dict[str, Any]:
    text = row.text
    if row.kind in ("access_ended", "access_restored") and text in set(Role):
        text = gettext(ROLE_LABELS[Role(text)])
    return {
        "at_text": local(row.at, actor.time_zone),
        "words": gettext(HAPPENED[row.kind]),
        "who": row.actor_name,
        "text": text,
        "is_new": False,
    }
