"""An organisation's way from its application to access."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from konsilium.workflow.machine import Machine, Need, Transition
from konsilium.workflow.roles import Role
from konsilium.workflow.words import N_


class OrganizationState(StrEnum):
    """Where an organisation's registration stands."""

    SUBMITTED = "submitted"
    IN_REVIEW = "in_review"
    EQUIPMENT_SETUP = "equipment_setup"
    EQUIPMENT_TEST = "equipment_test"
    ACTIVE = "active"
    DECLINED = "declined"
    SUSPENDED = "suspended"


ORGANIZATION_STATE_LABELS = {
    OrganizationState.SUBMITTED: N_("Application received"),
    OrganizationState.IN_REVIEW: N_("In review"),
    OrganizationState.EQUIPMENT_SETUP: N_("Equipment is being set up"),
    OrganizationState.EQUIPMENT_TEST: N_("Equipment is being tested"),
    OrganizationState.ACTIVE: N_("Active"),
    OrganizationState.DECLINED: N_("Declined"),
    OrganizationState.SUSPENDED: N_("Suspended"),
}

ORGANIZATION_MOVE_LABELS = {
    "take": N_("Take into review"),
    "set_up": N_("Start setting up the equipment"),
    "test": N_("Start testing"),
    "set_up_again": N_("Back to setting up"),
    "activate": N_("Activate"),
    "decline": N_("Decline"),
    "suspend": N_("Suspend"),
    "restore": N_("Restore"),
}


@dataclass(frozen=True)
class OrganizationFacts:
    """What the needs of an organisation's moves look at."""

    reason_given: bool = False
    endpoint_entered: bool = False
    test_passed: bool = False


REASON = Need("reason_given", N_("Write the reason."))
ENDPOINT = Need("endpoint_entered", N_("Enter at least one endpoint or software client first."))
PASSED = Need("test_passed", N_("A passed test that is still valid is needed."))


def _rows() -> Iterator[Transition]:
    s, role = OrganizationState, Role.COORDINATOR
    yield Transition("take", s.SUBMITTED, s.IN_REVIEW, role)
    yield Transition("set_up", s.IN_REVIEW, s.EQUIPMENT_SETUP, role)
    yield Transition("test", s.EQUIPMENT_SETUP, s.EQUIPMENT_TEST, role, (ENDPOINT,))
    yield Transition("set_up_again", s.EQUIPMENT_TEST, s.EQUIPMENT_SETUP, role)
    yield Transition("activate", s.EQUIPMENT_TEST, s.ACTIVE, role, (PASSED,))
    for state in (s.SUBMITTED, s.IN_REVIEW, s.EQUIPMENT_SETUP, s.EQUIPMENT_TEST):
        yield Transition("decline", state, s.DECLINED, role, (REASON,))
    yield Transition("suspend", s.ACTIVE, s.SUSPENDED, role, (REASON,))
    yield Transition("restore", s.SUSPENDED, s.ACTIVE, role)


ORGANIZATION_MACHINE = Machine(
    OrganizationState, _rows(), initial=OrganizationState.SUBMITTED, labels=ORGANIZATION_MOVE_LABELS
)

LEVELS = {1: N_("First level"), 2: N_("Second level"), 3: N_("Third level")}
