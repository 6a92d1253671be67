"""What the prober can do with an endpoint, by kinds of probes: each look is a plain function in one table.

A look gets the task and `reach`: the only way to an address. `reach(host, port)` judges the host for the task's
organisation, keeps targets from being looked at too often, and returns the number to connect to. A look never resolves
a name itself, connects to nothing else, and returns a closed answer; NotReached from `reach` ends it with its code.
"""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from konsilium.adapters.reach import Target
from konsilium.adapters.sip.addresses import SipUri, read_uri
from konsilium.adapters.sip.asking import ask_options
from konsilium.adapters.sip.registering import Account, ask_registrar
from konsilium.workflow.probing import Found, NotReached

Reach = Callable[[str, int], Target]


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


def _asked(uri: SipUri, reach: Reach, trust: ssl.SSLContext | None) -> Found:
    target = reach(uri.host, uri.port_or_usual)
    return ask_options(target, replace(uri, host=target.host), uri.transport, trust)


# "call" and "echo" are added by their own files; a kind that isn't here is answered with "not_here".
LOOKS: Mapping[str, Look] = {"options": look_options, "tls": look_tls, "register": look_register}
