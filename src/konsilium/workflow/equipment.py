"""What equipment there is, how each kind is set up, and what a test of it records."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from konsilium.workflow.words import N_

# Ours: how long a passed test holds.
TEST_VALID = timedelta(days=365)


class EndpointKind(StrEnum):
    """A room codec, or the software a hospital without one uses."""

    ROOM = "room"
    SIP = "sip"
    H323 = "h323"
    VINTEO = "vinteo"
    JABBER = "jabber"


ENDPOINT_KIND_LABELS = {
    EndpointKind.ROOM: N_("Built-in browser room"),
    EndpointKind.SIP: N_("Room codec, SIP"),
    EndpointKind.H323: N_("Room codec, H.323"),
    EndpointKind.VINTEO: N_("Vinteo Desktop"),
    EndpointKind.JABBER: N_("Jabber Video"),
}

TRANSPORT_LABELS = {"udp": "UDP", "tcp": "TCP", "tls": "TLS"}
ENCRYPTION_LABELS = {
    "off": N_("No encryption"),
    "allowed": N_("Encrypted where both sides can"),
    "required": N_("Always encrypted"),
}

OUTCOME_LABELS = {
    "passed": N_("Passed"),
    "limited": N_("Passed with limits"),
    "failed": N_("Failed"),
    "skipped": N_("Left out"),
}

PROBE_LABELS = {
    "options": N_("Does it answer (SIP OPTIONS)"),
    "tls": N_("Is the certificate right (TLS)"),
    "register": N_("Are login and password right (SIP REGISTER)"),
    "call": N_("Test call with sound and picture"),
    "echo": N_("Call to the echo line"),
    "h323": N_("Does it answer (H.323)"),
}
PROBE_STATE_LABELS = {"waiting": N_("Waiting"), "running": N_("Running"), "done": N_("Done")}

VERDICTS = {"passed": N_("Passed"), "limited": N_("Passed with limits"), "failed": N_("Failed")}
PASSING = ("passed", "limited")

CHECKS = {
    "heard": N_("We are heard"),
    "seen": N_("We are seen"),
    "hears": N_("They are heard"),
    "sees": N_("They are seen"),
    "second_video": N_("Second video (presentation) works"),
    "ten_minutes": N_("Ten minutes without a drop"),
    "reserve_phone": N_("Reserve phone answers"),
    "room": N_("The room is quiet and private"),
    "light": N_("The light falls on the face"),
}


@dataclass(frozen=True)
class Limit:
    """A measured value's bound from the vendors' guides; `most` or `least` is None where there is none."""

    code: str
    label: str
    unit: str
    most: float | None = None
    least: float | None = None

    def holds(self, value: float) -> bool:
        """Say whether the value is within the bound."""
        return (self.most is None or value <= self.most) and (self.least is None or value >= self.least)


MEASUREMENTS = (
    Limit("loss", N_("Packet loss"), "%", most=1),
    Limit("jitter", N_("Jitter"), "ms", most=40),
    Limit("round_trip", N_("Round trip"), "ms", most=150),
    Limit("rate_in", N_("Rate received"), "kbit/s", least=384),
    Limit("rate_out", N_("Rate sent"), "kbit/s", least=384),
)

_COMMON = {
    "power": N_("The equipment is switched on, its software up to date"),
    "network": N_("A wired network is connected"),
}

GUIDES: dict[EndpointKind, dict[str, str]] = {
    EndpointKind.ROOM: {
        "browser": N_("A current Chromium, Firefox or Yandex browser is installed"),
        "camera": N_("Camera and microphone are connected and allowed for the page"),
        "headset": N_("A headset or a speakerphone is used, not the notebook's speakers"),
        "network": _COMMON["network"],
        "seat": N_("The camera stands at eye level, the light falls on the face"),
    },
    EndpointKind.SIP: {
        **_COMMON,
        "address": N_("A fixed address or a forwarded port is given to the codec"),
        "sip": N_("The SIP account is entered and the codec shows that it is registered"),
        "firewall": N_("UDP and TCP 5060–5061 and the media ports are open"),
        "presentation": N_("The second video (presentation) is switched on"),
        "phone": N_("A reserve phone stands in the room"),
    },
    EndpointKind.H323: {
        **_COMMON,
        "address": N_("A fixed address or a forwarded port is given to the codec"),
        "gatekeeper": N_("The gatekeeper and the H.323 number are entered"),
        "firewall": N_("TCP 1720, UDP 1719 and the media ports are open"),
        "presentation": N_("The second video (H.239) is switched on"),
        "phone": N_("A reserve phone stands in the room"),
    },
    EndpointKind.VINTEO: {
        "install": N_("Vinteo Desktop is installed from the maker's site"),
        "server": N_("Server address, login and password from the coordinator are entered"),
        "camera": N_("Camera, microphone and speakers are chosen in the settings"),
        "rate": N_("The call rate is set to at most half of the line's upload speed"),
        "call": N_("A call to the test number shows and sounds"),
    },
    EndpointKind.JABBER: {
        "install": N_("Jabber Video is installed"),
        "server": N_("Internal and external server, SIP domain and login from the coordinator are entered"),
        "camera": N_("Camera, microphone and speakers are chosen in the settings"),
        "rate": N_("The call rate is set to at most half of the line's upload speed"),
        "call": N_("A call to the test number shows and sounds"),
    },
}

CONTACT_CHANNELS = {
    "phone": N_("Phone"),
    "email": N_("E-mail"),
    "video": N_("Video call"),
    "visit": N_("Visit"),
    "other": N_("Other way"),
}
