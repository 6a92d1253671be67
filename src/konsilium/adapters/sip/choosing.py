"""What a deployment says of its media's place and of the echo line, read strictly."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass

from konsilium.adapters.sip.ports import FIRST, LAST, Place

LEAST_PORTS, MOST_PORT, FREE = 20, 65535, 1024


class BadMedia(ValueError):
    """A setting that can't be used; the text tells the operator what to do."""


@dataclass(frozen=True)
class Echo:
    """Where the echo line listens, and the address that people dial after the number."""

    host: str
    port: int
    dial: str


def read_place(environ: Mapping[str, str]) -> Place:
    """Read KONSILIUM_MEDIA_ADDRESS and KONSILIUM_MEDIA_PORTS. Raises BadMedia."""
    address = environ.get("KONSILIUM_MEDIA_ADDRESS", "").strip()
    try:
        address and ipaddress.ip_address(address)
    except ValueError as error:
        raise BadMedia(f"KONSILIUM_MEDIA_ADDRESS is a number like 203.0.113.7, not {address!r}.") from error
    text = environ.get("KONSILIUM_MEDIA_PORTS", "").strip() or f"{FIRST}-{LAST}"
    match = re.fullmatch(r"([0-9]{4,5})-([0-9]{4,5})", text)
    if not match or not FREE <= int(match[1]) <= int(match[2]) - LEAST_PORTS <= MOST_PORT - LEAST_PORTS:
        raise BadMedia(
            f"KONSILIUM_MEDIA_PORTS is a range of at least 20 ports like {FIRST}-{LAST}, not {text!r}."
        )
    return Place(address, int(match[1]), int(match[2]))


def read_echo(environ: Mapping[str, str]) -> Echo | None:
    """Read KONSILIUM_ECHO_LISTEN and KONSILIUM_ECHO_DIAL; None where there is no echo line. Raises BadMedia."""
    text = environ.get("KONSILIUM_ECHO_LISTEN", "").strip()
    if not text:
        return None
    host, _, port = text.rpartition(":")
    try:
        number = ipaddress.ip_address(host.strip("[]"))
    except ValueError as error:
        raise BadMedia(
            f"KONSILIUM_ECHO_LISTEN is a number and a port like 203.0.113.7:5060, not {text!r}."
        ) from error
    if not port.isascii() or not port.isdecimal() or not 0 < int(port) <= MOST_PORT:
        raise BadMedia(f"KONSILIUM_ECHO_LISTEN needs a port, as in 203.0.113.7:5060, not {text!r}.")
    if number.is_unspecified and not environ.get("KONSILIUM_MEDIA_ADDRESS", "").strip():
        raise BadMedia(
            "KONSILIUM_ECHO_LISTEN is open at every address: say in KONSILIUM_MEDIA_ADDRESS which is ours."
        )
    dial = environ.get("KONSILIUM_ECHO_DIAL", "").strip() or text
    if not re.fullmatch(r"[A-Za-z0-9.:\[\]-]{1,200}", dial):
        raise BadMedia(
            f"KONSILIUM_ECHO_DIAL is what is dialled after the number, like echo.example.org, not {dial!r}."
        )
    return Echo(str(number), int(port), dial)
