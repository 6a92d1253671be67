"""Where a session's sound and pictures run: one driver for each engine, all under the same contract."""

from konsilium.adapters.video.choosing import BadChoice, Choice, connect, read_choice
from konsilium.adapters.video.driver import (
    GRANT_VALID,
    Capabilities,
    Driver,
    EngineAway,
    EngineTrouble,
    Grant,
    GrantKind,
    Happening,
    Health,
    Leg,
    NotOffered,
    Party,
    Place,
    Present,
    Servers,
    Way,
)

__all__ = [
    "GRANT_VALID",
    "BadChoice",
    "Capabilities",
    "Choice",
    "Driver",
    "EngineAway",
    "EngineTrouble",
    "Grant",
    "GrantKind",
    "Happening",
    "Health",
    "Leg",
    "NotOffered",
    "Party",
    "Place",
    "Present",
    "Servers",
    "Way",
    "connect",
    "read_choice",
]
