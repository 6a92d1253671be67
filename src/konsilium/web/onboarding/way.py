"""How far a registration is, in words for both sides."""

from typing import Any

from django.utils.translation import gettext

from konsilium.workflow.onboarding import ORGANIZATION_STATE_LABELS, OrganizationState
from konsilium.workflow.words import N_

_S = OrganizationState
WAY = (_S.SUBMITTED, _S.IN_REVIEW, _S.EQUIPMENT_SETUP, _S.EQUIPMENT_TEST, _S.ACTIVE)

NEXT_FOR_APPLICANT = {
    _S.SUBMITTED: N_(
        "The coordinating centre will look at the application and ring your responsible person."
    ),
    _S.IN_REVIEW: N_(
        "A coordinator checks the data and gets in touch with you and your technical specialists."
    ),
    _S.EQUIPMENT_SETUP: N_(
        "Your technical specialists set the equipment up by the guide, together with the centre."
    ),
    _S.EQUIPMENT_TEST: N_(
        "The centre tests picture, sound and line together with your technical specialists."
    ),
    _S.ACTIVE: N_("Access is open. The responsible person gets a one-time link and invites the doctors."),
    _S.DECLINED: N_(
        "The application was declined. If the reason is gone, get in touch with the coordinating centre."
    ),
    _S.SUSPENDED: N_("Access is suspended for now. The coordinating centre says what is needed."),
}

NEXT_FOR_COORDINATOR = {
    _S.SUBMITTED: N_("Take the application: you become the one who answers for it."),
    _S.IN_REVIEW: N_("Check the data, ring the responsible person, then start setting up."),
    _S.EQUIPMENT_SETUP: N_(
        "Enter the equipment and go through the guide with the specialists, then start testing."
    ),
    _S.EQUIPMENT_TEST: N_("Hold the test call, record it, and activate after a passed test."),
    _S.ACTIVE: N_("The organisation works."),
    _S.DECLINED: N_("The application is closed."),
    _S.SUSPENDED: N_("Nobody of this organisation gets in until it is restored."),
}

TONES = {_S.SUBMITTED: "accent", _S.ACTIVE: "good", _S.DECLINED: "bad", _S.SUSPENDED: "warn"}


def steps_of(state: str) -> list[dict[str, Any]]:
    """Return the steps of the way with how far this state is; none for a way that ended elsewhere."""
    if state not in WAY:
        return []
    here = WAY.index(OrganizationState(state))
    last = len(WAY) - 1
    return [
        {"label": gettext(ORGANIZATION_STATE_LABELS[step]), "state": _how(place, here, last)}
        for place, step in enumerate(WAY)
    ]


def _how(place: int, here: int, last: int) -> str:
    if place == here != last:
        return "now"
    return "done" if place <= here else "ahead"
