"""What the prober can do with an endpoint, by kinds of probes: each look is a plain function in one table.

A look gets the task and `reach`: the only way to an address. `reach(host, port)` judges the host for the task's
organisation, keeps targets from being looked at too often, and returns the number to connect to. A look never resolves
a name itself, connects to nothing else, and returns a closed answer; NotReached from `reach` ends it with its code.
"""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol
from uuid import UUID

from django.conf import settings

from konsilium.adapters import h323
from konsilium.adapters.reach import Target
from konsilium.adapters.sip.addresses import SipUri, read_uri
from konsilium.adapters.sip.asking import ask_options
from konsilium.adapters.sip.baresip import program
from konsilium.adapters.sip.calls import Setting, make_call
from konsilium.adapters.sip.registering import Account, ask_registrar
from konsilium.workflow.probing import Found, NotReached


class Reach(Protocol):
    """The only way to an address."""

    def __call__(self, host: str, port: int) -> Target:
        """Judge a host and take its turn. Raises NotReached, or TooSoon of the prober."""

    def media(self, host: str, port: int) -> Target:
        """Judge where a call that stands wants its sound or picture. Raises NotReached."""


@dataclass(frozen=True)
class Task:
    """A probe that is being done: the approved facts of its endpoint, read together with the approval.

    `oid` is the organisation's; `echo_number` that of the open test; `password` the SIP account's, kept out of its text.
    """

    pk: UUID
    kind: str
    endpoint_id: UUID
    test_id: UUID | None
    organization_id: UUID
    oid: str
    endpoint_kind: str
    address: str
    dial_string: str
    transport: str
    encryption: str
    account: str
    registrar: str
    is_approved: bool
    echo_number: str = ""
    password: str = field(default="", repr=False)


Look = Callable[[Task, Reach, ssl.SSLContext | None], Found]


def address_of(task: Task, text: str = "") -> SipUri:
    """Read the address (or another text) as a SIP address, with the passport's transport. Raises NotReached."""
    text = text or task.address
    if not text.strip():
        raise NotReached("no_address")
    return read_uri(text).with_transport(task.transport)


def look_options(task: Task, reach: Reach, trust: ssl.SSLContext | None) -> Found:
    """Does it answer?"""
    return _asked(address_of(task), reach, trust)


def look_tls(task: Task, reach: Reach, trust: ssl.SSLContext | None) -> Found:
    """Does it answer over TLS, with a certificate that is valid for its name?"""
    uri = address_of(task)
    # A port that was written for another transport isn't the one of TLS.
    port = uri.port if uri.transport == "tls" else 0
    return _asked(replace(uri, transport="tls", port=port), reach, trust)


def look_register(task: Task, reach: Reach, trust: ssl.SSLContext | None) -> Found:
    """Does the account's server take login and password?"""
    if not task.account or not task.password:
        raise NotReached("no_password")
    server = address_of(task, task.registrar)
    login = read_uri(task.account if "@" in task.account else f"{task.account}@{server.place}")
    target = reach(server.host, server.port_or_usual)
    domain = login.host if "@" in task.account else target.host
    return ask_registrar(target, Account(login.user, domain, task.password), server.transport, trust)


def look_call(task: Task, reach: Reach, trust: ssl.SSLContext | None) -> Found:
    """Does a call with sound and picture stand, and what does the line lose each way?"""
    uri = address_of(task)
    # A bare host is called by the account's name, as its own people would.
    if not uri.user and task.account:
        uri = replace(uri, user=read_uri(task.account if "@" in task.account else f"{task.account}@x").user)
    if program() is None:
        raise NotReached("not_here")
    target = reach(uri.host, uri.port_or_usual)
    setting = Setting(settings.MEDIA, trust)
    return make_call(
        target, replace(uri, host=target.host), uri.transport, _login(task, uri), reach.media, setting
    )


def look_h323(task: Task, reach: Reach, _trust: ssl.SSLContext | None) -> Found:
    """Does it answer a call's signalling, and its gatekeeper a question? Of sound and picture this tells nothing."""
    place = h323.read_address(task.address)
    if not h323.is_here():
        raise NotReached("not_here")
    said = _gatekeeper(task, reach)
    target = reach(place.host, place.port or h323.SIGNALLING_PORT)
    found = h323.call(target, (place.alias or task.dial_string)[:100])
    return replace(found, measured={**found.measured, **said})


def _gatekeeper(task: Task, reach: Reach) -> dict[str, str]:
    """Return what the passport's gatekeeper says; a place that can't be asked is told too and spoils no call."""
    if not task.registrar.strip():
        return {}
    try:
        keeper = h323.read_address(task.registrar)
        target = reach(keeper.host, keeper.port or h323.GATEKEEPER_PORT)
    except NotReached as trouble:
        return {"gatekeeper": trouble.code}
    return {"gatekeeper": h323.ask_gatekeeper(target)}


def _login(task: Task, called: SipUri) -> Account | None:
    """Return the endpoint's own login, for its own server alone: nobody else's question is answered with it."""
    if not task.account or not task.password:
        return None
    server = address_of(task, task.registrar)
    login = read_uri(task.account if "@" in task.account else f"{task.account}@{server.place}")
    return Account(login.user, login.place, task.password) if server.host == called.host else None


def _asked(uri: SipUri, reach: Reach, trust: ssl.SSLContext | None) -> Found:
    target = reach(uri.host, uri.port_or_usual)
    return ask_options(target, replace(uri, host=target.host), uri.transport, trust)


# A kind that isn't here is answered with "not_here"; calls to the echo line come by themselves (`echoing`).
LOOKS: Mapping[str, Look] = {
    "options": look_options,
    "tls": look_tls,
    "register": look_register,
    "call": look_call,
    "h323": look_h323,
}
