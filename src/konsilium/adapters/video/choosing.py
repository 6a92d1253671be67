"""Which engines a deployment has, read from its environment, and the driver for each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from konsilium.adapters.video.driver import Driver, Servers
from konsilium.adapters.video.external import KINDS, ExternalEngine, Patterns
from konsilium.adapters.video.janus import JanusEngine, JanusSettings
from konsilium.adapters.video.jitsi import JitsiEngine, JitsiSettings
from konsilium.adapters.video.livekit import LiveKitEngine, LiveKitSettings
from konsilium.adapters.video.mesh import MeshEngine
from konsilium.workflow.rooms import ENGINE_LABELS

# What each engine can't do without, by the names of the environment.
NEEDED: Mapping[str, tuple[str, ...]] = {
    "mesh": (),
    "external": (),
    "janus": (
        "KONSILIUM_JANUS_URL",
        "KONSILIUM_JANUS_API",
        "KONSILIUM_JANUS_API_SECRET",
        "KONSILIUM_JANUS_TOKEN_SECRET",
        "KONSILIUM_JANUS_ADMIN_KEY",
    ),
    "livekit": (
        "KONSILIUM_LIVEKIT_URL",
        "KONSILIUM_LIVEKIT_API",
        "KONSILIUM_LIVEKIT_PAGE",
        "KONSILIUM_LIVEKIT_KEY",
        "KONSILIUM_LIVEKIT_SECRET",
    ),
    "jitsi": ("KONSILIUM_JITSI_URL", "KONSILIUM_JITSI_APP", "KONSILIUM_JITSI_SECRET"),
}


class BadChoice(ValueError):
    """Settings of video that can't be used; the text tells the operator what to do."""


@dataclass(frozen=True)
class Choice:
    """The engine of new rooms, and what the environment says of it. Secrets stay out of its text."""

    engine: str = "mesh"
    external: Patterns = field(default_factory=Patterns)
    given: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def recordings(self) -> Path | None:
        """Return the folder in which the media server leaves its recordings for us."""
        folder = self.given.get("KONSILIUM_JANUS_RECORDINGS", "")
        return Path(folder) if folder else None

    def origins(self) -> tuple[str, ...]:
        """Return the addresses that a room's page may open connections to, beside our own."""
        parts = urlsplit(self.given.get("KONSILIUM_JANUS_URL", ""))
        return (f"{parts.scheme}://{parts.netloc}",) if self.engine == "janus" and parts.netloc else ()


def read_choice(environment: Mapping[str, str]) -> Choice:
    """Return what the environment chooses. Raises BadChoice."""
    given = {name: value for name, value in environment.items() if name.startswith("KONSILIUM_") and value}
    engine = given.get("KONSILIUM_VIDEO_ENGINE", "mesh")
    if engine not in NEEDED:
        known = ", ".join(NEEDED)
        raise BadChoice(f"KONSILIUM_VIDEO_ENGINE must be one of {known}, not {engine!r}.")
    _check_addresses(given)
    lacking = [name for name in NEEDED[engine] if name not in given]
    if lacking:
        raise BadChoice(f"For the engine {engine} set {', '.join(lacking)} too.")
    return Choice(engine, _patterns(given), given)


# Media and tokens pass these: in the clear only inside one machine or network, for tests and behind a proxy.
_SCHEMES = {
    "KONSILIUM_JANUS_URL": ("wss", "ws"),
    "KONSILIUM_JANUS_API": ("https", "http"),
    "KONSILIUM_LIVEKIT_URL": ("wss",),
    "KONSILIUM_LIVEKIT_API": ("https", "http"),
    "KONSILIUM_LIVEKIT_PAGE": ("https",),
    "KONSILIUM_JITSI_URL": ("https",),
}


def _check_addresses(given: Mapping[str, str]) -> None:
    for name, schemes in _SCHEMES.items():
        parts = urlsplit(given.get(name, ""))
        if name in given and (parts.scheme not in schemes or not parts.hostname):
            raise BadChoice(f"{name} must be an address that begins with {schemes[0]}://.")


def _patterns(given: Mapping[str, str]) -> Patterns:
    kind = given.get("KONSILIUM_EXTERNAL_KIND", "mcu")
    if kind not in KINDS:
        raise BadChoice(f"KONSILIUM_EXTERNAL_KIND must be one of {', '.join(KINDS)}, not {kind!r}.")
    link, sip, h323, phone = (
        given.get(f"KONSILIUM_EXTERNAL_{name}", "") for name in ("LINK", "SIP", "H323", "PHONE")
    )
    if link and urlsplit(link).scheme != "https":
        raise BadChoice("KONSILIUM_EXTERNAL_LINK must begin with https://.")
    return Patterns(kind, link, sip, h323, phone)


def connect(engine: str, choice: Choice, *, key: bytes, servers: Servers) -> Driver:
    """Return the driver of an engine; `key` is what rooms' own secrets are made from. Asks nobody yet.

    Raises BadChoice for an engine that this deployment has no settings for.
    """
    if engine == "mesh":
        return MeshEngine(servers)
    if engine == "external":
        return ExternalEngine(choice.external)
    if engine in NEEDED and all(name in choice.given for name in NEEDED[engine]):
        return _served(engine, choice.given, key, servers)
    raise BadChoice(f"There is no engine {ENGINE_LABELS.get(engine, engine)!r} here.")


def _served(engine: str, given: Mapping[str, str], key: bytes, servers: Servers) -> Driver:
    values = [given[name] for name in NEEDED[engine]]
    if engine == "livekit":
        return LiveKitEngine(LiveKitSettings(*values))
    if engine == "jitsi":
        return JitsiEngine(JitsiSettings(*values))
    return JanusEngine(_janus(given), key=key, servers=servers)


def _janus(given: Mapping[str, str]) -> JanusSettings:
    def of(name: str) -> str:
        return given.get(f"KONSILIUM_JANUS_{name}", "")

    return JanusSettings(
        of("URL"),
        of("API"),
        of("API_SECRET"),
        of("TOKEN_SECRET"),
        of("ADMIN_KEY"),
        of("RECORDINGS"),
        of("SIP"),
    )
