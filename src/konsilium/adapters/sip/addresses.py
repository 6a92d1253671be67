"""SIP addresses as people type them, read into a value of checked parts; nothing else is ever pasted into a message."""

import re
from dataclasses import dataclass, replace

from konsilium.workflow.probing import NotReached

PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061}
_USER = r"[A-Za-z0-9_.!~*+=&$-]{1,64}"
_HOST = r"\[[0-9A-Fa-f:.]{2,45}\]|[^\s@:;?<>\"\[\]/\\,()&=+$#%]{1,190}"
_FORM = re.compile(
    rf"(?:(?P<scheme>sips?):)?(?:(?P<user>{_USER})@)?(?P<host>{_HOST})(?::(?P<port>[0-9]{{1,5}}))?"
    r"(?P<rest>;transport=(?P<transport>udp|tcp|tls))?",
    re.IGNORECASE,
)
MOST_PORT = 65535


@dataclass(frozen=True)
class SipUri:
    """Where to and whom: `port` is 0 and `transport` empty where none was written."""

    user: str
    host: str
    port: int = 0
    transport: str = ""

    def with_transport(self, transport: str) -> "SipUri":
        """Return it with the transport that the passport names, where its own text named none."""
        return self if self.transport else replace(self, transport=transport or "udp")

    @property
    def place(self) -> str:
        """Return host and port as a message carries them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" if self.port else host

    @property
    def port_or_usual(self) -> int:
        """Return the port to connect to."""
        return self.port or PORTS[self.transport or "udp"]

    def __str__(self) -> str:
        return f"sip:{self.user}@{self.place}" if self.user else f"sip:{self.place}"


def read_uri(text: str) -> SipUri:
    """Read sip:user@host:port;transport=tls, or as little as a host of it. Raises NotReached("bad_address").

    A password, headers and any other parameter are refused: what isn't understood isn't passed on.
    """
    match = _FORM.fullmatch(text.strip(" "))
    if match is None or int(match["port"] or 0) > MOST_PORT:
        raise NotReached("bad_address")
    is_secure = (match["scheme"] or "").lower() == "sips"
    transport = (match["transport"] or ("tls" if is_secure else "")).lower()
    if is_secure and transport != "tls":
        raise NotReached("bad_address")
    return SipUri(match["user"] or "", match["host"].strip("[]"), int(match["port"] or 0), transport)
