"""An outside video service that people join by themselves: Vinteo, TrueConf, or any other conference server.

The operator says once how a room is reached, with `{number}` where its number stands; a dispatcher may enter another
link, number or PIN for one session. We ask the service nothing, so who joined is marked by people.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from konsilium.adapters.video.bare import Bare
from konsilium.adapters.video.driver import (
    GRANT_VALID,
    Capabilities,
    Grant,
    GrantKind,
    Health,
    Party,
    Place,
    Way,
)
from konsilium.workflow.words import N_

BROWSER, PHONE = "browser", "phone"

WAY_LABELS = {
    BROWSER: N_("Browser"),
    "sip": N_("Room codec, SIP"),
    "h323": N_("Room codec, H.323"),
    "vinteo": N_("Vinteo Desktop"),
    "trueconf": N_("TrueConf"),
    "jabber": N_("Jabber Video"),
    PHONE: N_("Telephone, sound only"),
}

_ASKED = N_("Enter the PIN when you are asked for it")
_NAME = N_("Give your name and your organisation as your name there")
STEPS: Mapping[str, tuple[str, ...]] = {
    BROWSER: (N_("Open the link in a current browser and allow camera and microphone"), _NAME, _ASKED),
    "sip": (N_("Choose SIP on the remote control and dial the address exactly as it stands"), _ASKED),
    "h323": (
        N_("Choose H.323 on the remote control and dial the address exactly as it stands"),
        N_("Without a gatekeeper dial the server first, then the number in the tone dialling"),
        _ASKED,
    ),
    "vinteo": (N_("Sign in to Vinteo Desktop, enter the number and press the call button"), _ASKED),
    "trueconf": (N_("Sign in to TrueConf, choose to join a conference, and enter its identifier"), _ASKED),
    "jabber": (N_("Sign in to Jabber Video and enter the address in the search field"), _ASKED),
    PHONE: (N_("Call the number from a telephone, switched to tone dialling"), _ASKED),
}

# Which patterns each product's own programs understand beside the common ones.
KINDS = {
    "mcu": ("sip", "h323", "jabber"),
    "vinteo": ("sip", "h323", "vinteo", "jabber"),
    "trueconf": ("sip", "h323", "trueconf", "jabber"),
}


@dataclass(frozen=True)
class Patterns:
    """How rooms are reached there, each with `{number}`; empty where there is no such way."""

    kind: str = "mcu"
    link: str = ""
    sip: str = ""
    h323: str = ""
    phone: str = ""


class ExternalEngine(Bare):
    """Hands out the ways in. See `Driver`."""

    name = "external"

    def __init__(self, patterns: Patterns) -> None:
        """Take how rooms are reached."""
        self._patterns = patterns

    def capabilities(self) -> Capabilities:
        """See `Driver`."""
        return Capabilities(in_page=False)

    def health(self) -> Health:
        """Be up as far as anybody here can tell: nothing is asked of the service. See `Driver`."""
        return Health(is_up=True)

    def join_grant(
        self, place: Place, party: Party, *, at: datetime, valid: timedelta = GRANT_VALID
    ) -> Grant:
        """See `Driver`."""
        ways = self.ways(place)
        return Grant(
            self.name,
            GrantKind.OUTSIDE,
            at + valid,
            address=next((way.dial for way in ways if way.kind == BROWSER), ""),
            party=str(party.id),
            dial=next((way.dial for way in ways if way.kind != BROWSER), ""),
            pin=place.pin,
            instructions=place.instructions,
            ways=ways,
        )

    def ways(self, place: Place) -> tuple[Way, ...]:
        """Return every way into the room: the link first, then what each kind of endpoint dials."""
        number = place.dial
        dialled = {
            BROWSER: place.link or _filled(self._patterns.link, number),
            **{kind: self._dialled(kind, number) for kind in KINDS[self._patterns.kind]},
            PHONE: _filled(self._patterns.phone, number),
        }
        return tuple(
            Way(kind, WAY_LABELS[kind], dial, place.pin, _steps(kind, place.pin))
            for kind, dial in dialled.items()
            if dial
        )

    def _dialled(self, kind: str, number: str) -> str:
        """Return what to dial. What a person entered with an @ or ## in it is an address already."""
        if kind in ("vinteo", "trueconf"):
            return number.partition("@")[0].rpartition("##")[2]
        if "##" in number or number.lower().startswith("h323:"):
            return number if kind == "h323" else ""
        if "@" in number:
            return "" if kind == "h323" else number
        return _filled(self._patterns.h323 if kind == "h323" else self._patterns.sip, number)


def _filled(pattern: str, number: str) -> str:
    """Put the number into the pattern; without a number only a pattern that needs none is a way in."""
    if "{number}" not in pattern:
        return pattern
    return pattern.replace("{number}", number) if number else ""


def _steps(kind: str, pin: str) -> tuple[str, ...]:
    return tuple(step for step in STEPS[kind] if pin or step != _ASKED)
