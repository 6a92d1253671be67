"""A test's protocol: its steps in order, who or what answers each, and the verdict that the answers propose.

Bands are measured ones (docs/measurements.md); a person decides, and says why when they decide otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from konsilium.workflow.equipment import EndpointKind
from konsilium.workflow.words import N_


@dataclass(frozen=True)
class Band:
    """A number's bands: up to `good`, up to `fair`; with `is_least` from there on instead."""

    code: str
    label: str
    unit: str
    good: float
    fair: float
    is_least: bool = False

    def outcome(self, value: float) -> str:
        """Return passed, limited or failed."""
        if self.is_least:
            return "passed" if value >= self.good else "limited" if value >= self.fair else "failed"
        return "passed" if value <= self.good else "limited" if value <= self.fair else "failed"


NUMBERS = {
    band.code: band
    for band in (
        Band("loss", N_("Packet loss"), "%", 1, 3),
        Band("jitter", N_("Jitter"), "ms", 30, 60),
        Band("round_trip", N_("Round trip"), "ms", 150, 300),
        Band("mos", N_("Sound quality, estimated (MOS)"), "", 3.6, 3.1, is_least=True),
        Band("width", N_("Picture width"), "px", 640, 320, is_least=True),
        Band("fps", N_("Pictures a second"), "", 15, 8, is_least=True),
        Band("rate_in", N_("Rate received"), "kbit/s", 1200, 384, is_least=True),
        Band("rate_out", N_("Rate sent"), "kbit/s", 1200, 384, is_least=True),
        Band("connect_ms", N_("Time to answer"), "ms", 1000, 3000),
    )
}


@dataclass(frozen=True)
class Step:
    """One step: what is looked at, the probe that can answer it, the numbers that belong to it, and whether a pass needs it."""

    code: str
    label: str
    hint: str
    probe: str = ""
    numbers: tuple[str, ...] = ()
    is_needed: bool = True
    kinds: frozenset[EndpointKind] = frozenset(EndpointKind)


_SIP = frozenset({EndpointKind.SIP})
_CODECS = frozenset({EndpointKind.SIP, EndpointKind.H323})

STEPS = (
    Step("reach", N_("The equipment answers"), N_("The address answers from outside."), "options", ("connect_ms",), kinds=_SIP),
    Step("reach_h323", N_("The equipment answers (H.323)"), N_("It answers or rejects a call; whether sound and picture come is not told by it."), "h323", ("connect_ms",), kinds=frozenset({EndpointKind.H323})),
    Step("tls", N_("Encryption"), N_("The certificate is valid for the address, or encryption is agreed to be off."), "tls", is_needed=False, kinds=_SIP),
    Step("credentials", N_("Login and password"), N_("The server takes the account's login and password."), "register", is_needed=False, kinds=_SIP),
    Step("call", N_("The call is set up"), N_("Call each other; the call stands within ten seconds."), "call", ("round_trip",)),
    Step("sound_out", N_("We are heard"), N_("Count to ten: the hospital repeats what it heard."), "", ("loss", "jitter", "mos")),
    Step("sound_in", N_("They are heard"), N_("The hospital counts to ten; no echo, no gaps."), "", ("loss", "jitter", "mos")),
    Step("picture_out", N_("We are seen"), N_("The hospital says what it sees on the picture held up."), "", ("width", "fps")),
    Step("picture_in", N_("They are seen"), N_("Fingers held up at two metres can be counted."), "", ("width", "fps")),
    Step("second_video", N_("Second video (presentation)"), N_("A page with small print is shown and read."), is_needed=False),
    Step("bandwidth", N_("Rate both ways"), N_("As the equipment's statistics show it during the call."), "", ("rate_in", "rate_out")),
    Step("ten_minutes", N_("Ten minutes without a drop"), N_("Leave the call standing, look at it again after ten minutes.")),
    Step("room", N_("The room is quiet and private"), N_("Nobody passes through; the door closes.")),
    Step("light", N_("The light falls on the face"), N_("No window behind the person.")),
    Step("reserve_phone", N_("Reserve phone answers"), N_("Ring it while the call stands.")),
)  # fmt: skip
BY_CODE = {step.code: step for step in STEPS}


class Proposal(StrEnum):
    """What the answers propose."""

    PASSED = "passed"
    LIMITED = "limited"
    FAILED = "failed"
    OPEN = "open"


def steps_of(kind: str) -> tuple[Step, ...]:
    """Return the steps of a kind of equipment, in order."""
    return tuple(step for step in STEPS if kind in step.kinds)


def outcome_of(numbers: Mapping[str, float]) -> str:
    """Return the worst outcome of measured numbers; "" for none."""
    found = {NUMBERS[code].outcome(value) for code, value in numbers.items() if code in NUMBERS}
    return next((worst for worst in ("failed", "limited", "passed") if worst in found), "")


def proposed(kind: str, outcomes: Mapping[str, str]) -> Proposal:
    """Return the verdict that outcomes by step propose: any failure fails, what is needed must be answered."""
    steps = steps_of(kind)
    needed = [outcomes.get(step.code, "") for step in steps if step.is_needed]
    given = [outcomes.get(step.code, "") for step in steps]
    if "failed" in needed:
        return Proposal.FAILED
    if "" in needed:
        return Proposal.OPEN
    limits = {"limited", "skipped"} & set(needed) or {"failed", "limited"} & set(given)
    return Proposal.LIMITED if limits else Proposal.PASSED
