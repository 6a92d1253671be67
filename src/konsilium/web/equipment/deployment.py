"""The facts of this deployment that a set-up guide needs: what is configured is filled in, what isn't is said."""

from typing import Any, NamedTuple

from django.conf import settings
from django.utils.translation import gettext

from konsilium.models import Endpoint
from konsilium.workflow.equipment import EndpointKind
from konsilium.workflow.words import N_


class Fact(NamedTuple):
    """A fact to enter somewhere; `value` is empty where nobody has configured it."""

    label: str
    value: str


class Port(NamedTuple):
    """What the hospital's firewall lets through."""

    what: str
    ports: str
    way: str


_OUT, _BOTH = N_("outwards"), N_("both ways")
_WEB = (N_("The pages and the room's control (HTTPS)"), "TCP 443", _OUT)
_CLIENT = (N_("The software client's server, as its maker says"), "TCP 443, TCP/UDP 5060–5061", _OUT)
# Ports as the makers' manuals and the standards (RFC 3261, H.323, RFC 8656) name them; media ports differ by maker.
PORTS = {
    EndpointKind.ROOM: (
        _WEB,
        (N_("Media through the relay (TURN)"), "UDP 3478, TCP/TLS 5349", _OUT),
        (N_("Media from page to page, where both sides allow it"), "UDP 1024–65535", _BOTH),
    ),
    EndpointKind.SIP: (
        (N_("SIP signalling"), "UDP 5060, TCP 5060, TLS 5061", _BOTH),
        (N_("Media (RTP), as the codec's manual says"), "UDP 16384–32767", _BOTH),
    ),
    EndpointKind.H323: (
        (N_("H.323 signalling (H.225, H.245)"), "TCP 1720, TCP 1024–65535", _BOTH),
        (N_("Gatekeeper (RAS)"), "UDP 1719", _BOTH),
        (N_("Media (RTP), as the codec's manual says"), "UDP 16384–32767", _BOTH),
    ),
    EndpointKind.VINTEO: (_WEB, _CLIENT),
    EndpointKind.JABBER: (_WEB, _CLIENT),
}


def facts_of(row: Endpoint) -> dict[str, Any]:
    """Return what is to be entered for an endpoint of its kind, and which ports it needs."""
    kind = EndpointKind(row.kind)
    return {
        "deployment": [Fact(gettext(label), value) for label, value in _facts(kind, row)],
        "ports": [Port(gettext(what), ports, gettext(way)) for what, ports, way in PORTS[kind]],
    }


def _facts(kind: EndpointKind, row: Endpoint) -> list[tuple[str, str]]:
    if kind is EndpointKind.ROOM:
        return [
            (N_("Address of the pages"), settings.PUBLIC_URL),
            (N_("Relay for media (TURN)"), ", ".join(settings.TURN.urls)),
        ]
    return [
        (N_("SIP server or gatekeeper"), row.registrar),
        (N_("Login"), row.account),
        (N_("Own number or address"), row.dial_string or row.address),
        (N_("Conference server, how a number is dialled"), _outside(kind)),
        (N_("Number for a test"), settings.ECHO.dial if settings.ECHO else ""),
    ]


def _outside(kind: EndpointKind) -> str:
    patterns = settings.VIDEO.external
    return patterns.h323 if kind is EndpointKind.H323 else patterns.sip
