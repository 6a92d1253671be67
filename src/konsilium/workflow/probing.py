"""What a look at an endpoint's address can answer: closed codes, each in words, with what to do about it.

Nothing that the other side says of itself gets through: its words could be anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from konsilium.workflow.words import N_

# Of one target, whoever asks.
ONE_EVERY = timedelta(seconds=30)
# A probe whose process died is given up after this, by kinds: no look takes as long.
LONGEST = timedelta(minutes=1)
LONGEST_OF = {"call": timedelta(minutes=5), "echo": timedelta(minutes=20)}


@dataclass(frozen=True)
class Answer:
    """An answer in words, what to do, and what it makes of the step it belongs to ("": it tells nothing of it)."""

    words: str
    advice: str = ""
    outcome: str = "failed"


class NotReached(Exception):
    """A probe ended early with an answer: `code` is one of ANSWERS."""

    def __init__(self, code: str, /, **measured: Any) -> None:
        super().__init__(code)
        self.code, self.measured = code, measured


@dataclass(frozen=True)
class StepFound:
    """What a probe found of one step of the protocol; without an outcome its numbers say it by their bands."""

    outcome: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """What a probe found: a code of ANSWERS, its numbers, steps by codes of workflow.protocol, a received picture."""

    answer: str
    measured: Mapping[str, Any] = field(default_factory=dict)
    steps: Mapping[str, StepFound] = field(default_factory=dict)
    # A PNG or JPEG that the call received; the action keeps it with the test.
    picture: bytes | None = field(default=None, repr=False)


_NUMBER = N_("Write the host as the administrators gave it: a full name, or a plain number like 203.0.113.7.")
_ASK_LINE = N_(
    "Ask the hospital's network people whether the port is open from outside and the equipment is on."
)

# The guard's own answers: nothing was connected to, so no step has an answer.
_BEFORE = {
    "not_approved": Answer(
        N_("The address isn't approved."), N_("A coordinator approves it in the passport."), ""
    ),
    "bad_address": Answer(N_("The address can't be read."), _NUMBER, ""),
    "bad_port": Answer(
        N_("This port isn't one that video equipment uses."),
        N_("Use 443, 1719, 1720, 5060, 5061 or a port above 1023."),
        "",
    ),
    "no_address": Answer(N_("The passport names no address for this."), N_("Enter it in the passport."), ""),
    "no_name": Answer(
        N_("No such name is known to the name service."),
        N_("Compare the name letter by letter, or use the number."),
        "failed",
    ),
    "closed_address": Answer(
        N_("The address lies in a network that is not connected to from here."),
        N_(
            "Use the public address. A private network is opened by the operator, for one organisation at a time."
        ),
        "",
    ),
    "no_password": Answer(
        N_("Login or password isn't entered."),
        N_("Enter both in the passport; the password is kept sealed."),
        "",
    ),
    "not_here": Answer(
        N_("This installation can't do that."),
        N_("The operator's page on equipment says what to install. Test by hand meanwhile."),
        "",
    ),
    "broke": Answer(
        N_("The look broke off here; that is no fault of the equipment."), N_("Ask for it again."), ""
    ),
}
_REACHED = {
    "answers": Answer(N_("It answers."), "", "passed"),
    "answers_no": Answer(
        N_("It answers, but refuses to say more."), N_("It is reached; try a call."), "passed"
    ),
    "wants_login": Answer(
        N_("It answers and asks for a login."), N_("It is reached; look at the login too."), "passed"
    ),
    "not_found": Answer(
        N_("A server answers, but knows no such number."),
        N_("Look whether the equipment is registered there, and compare the number."),
        "limited",
    ),
    "moved": Answer(
        N_("It sends callers on to another address. Nobody followed it."),
        N_("Enter the address where the equipment really is; a coordinator approves it."),
        "failed",
    ),
    "refused": Answer(N_("Nobody listens at this port."), _ASK_LINE),
    "silent": Answer(N_("No answer came in time."), _ASK_LINE),
    "no_way": Answer(N_("There is no way to this network from here."), _ASK_LINE),
    "not_sip": Answer(
        N_("Something answers, but not a SIP device."), N_("Compare port and transport (UDP, TCP, TLS).")
    ),
    "no_tls": Answer(
        N_("It is reached, but no encryption could be agreed."),
        N_("Compare port and transport; old equipment may know old TLS only."),
    ),
    "old_tls": Answer(
        N_("It offers old encryption only (before TLS 1.2)."),
        N_("Update the equipment or choose another transport."),
    ),
    "expired": Answer(N_("Its certificate has expired."), N_("The hospital renews it.")),
    "other_name": Answer(
        N_("Its certificate is for another name."),
        N_("Enter the name that stands in the certificate, or have it issued for this one."),
    ),
    "unknown_issuer": Answer(
        N_("Nobody known here vouches for its certificate."),
        N_("It may be self-signed: install a proper one, or the operator adds its issuer."),
    ),
    "bad_certificate": Answer(N_("Its certificate can't be accepted."), N_("Install a proper one.")),
}
_LOGIN = {
    "login_right": Answer(N_("The server takes login and password."), "", "passed"),
    "login_wrong": Answer(
        N_("The server doesn't take this login and password."),
        N_("Enter both anew in the passport."),
    ),
    "login_refused": Answer(
        N_("The server refuses this login."),
        N_("Ask the server's people whether the account exists and is open."),
    ),
    "login_not_asked": Answer(
        N_("The server takes anybody without a password."),
        N_("Whether the password is right, this can't say. Have the server ask for it."),
        "limited",
    ),
    "login_other_way": Answer(
        N_("The server wants the login in a way that is unsafe or unknown here."),
        N_("Digest with MD5 or SHA-256 is what is known."),
        "limited",
    ),
}
_H323 = {
    "h323_answers": Answer(
        N_("It answers a call's signalling."),
        N_("Whether sound and picture come, this can't tell: call it."),
        "passed",
    ),
    "h323_rejects": Answer(
        N_("It answers and rejects the call."),
        N_(
            "It is reached. Allow calls from unknown numbers for the test, or register both at one gatekeeper."
        ),
        "limited",
    ),
    "not_h323": Answer(
        N_("Something answers, but not an H.323 device."), N_("Compare address and port (1720).")
    ),
}
_CALL = {
    "call_good": Answer(N_("The call stood, sound and picture went both ways."), "", "passed"),
    "call_limited": Answer(
        N_("The call stood, with losses or a small picture."),
        N_("Look at the numbers of the steps."),
        "limited",
    ),
    "no_media_in": Answer(
        N_("The call stood, but nothing came from the equipment."),
        N_("Its firewall lets no media out, or it names an inner address: look at address translation."),
    ),
    "no_media_out": Answer(
        N_("The call stood, but nothing reached the equipment."),
        N_("Its firewall lets no media in: open the media ports."),
    ),
    "no_media": Answer(
        N_("The call stood, but no media went either way."),
        N_("Open the media ports on the hospital's firewall."),
    ),
    "sound_only": Answer(
        N_("Sound went both ways, the picture didn't."),
        N_("Switch video on in the call's settings; look at the picture codecs."),
        "limited",
    ),
    "not_registered": Answer(
        N_("The equipment isn't there now: switched off, or not registered."),
        N_("Switch it on and look at its login."),
    ),
    "busy": Answer(N_("It is busy."), N_("Try again when its call is over."), ""),
    "declined": Answer(
        N_("The call was declined."), N_("Answer it, or switch automatic answer on for the test.")
    ),
    "not_answered": Answer(
        N_("It rang, nobody answered."), N_("Answer it, or switch automatic answer on for the test.")
    ),
    "no_common_codec": Answer(
        N_("Both sides know no common sound or picture codec."), N_("Allow G.711 or Opus, and H.264 or VP8.")
    ),
    "call_failed": Answer(
        N_("The call couldn't be set up."), N_("Look at the equipment's own call history.")
    ),
    "echo_good": Answer(N_("The equipment called; sound and picture came back to it."), "", "passed"),
    "echo_limited": Answer(
        N_("The equipment called; the line lost some of it."),
        N_("Look at the numbers of the steps."),
        "limited",
    ),
    "echo_no_media": Answer(
        N_("The equipment called, but no media came."), N_("Open the media ports on the hospital's firewall.")
    ),
    "echo_nobody": Answer(
        N_("Nobody called the echo line in time."), N_("Dial the number shown, then ask for this again."), ""
    ),
}
ANSWERS: Mapping[str, Answer] = _BEFORE | _REACHED | _LOGIN | _H323 | _CALL
