"""The built-in engine: pages send to each other, and the room's own socket brings them together.

Who is there, who is muted and who was put out is the socket's business, and it needs nobody else for it: that is why
muting and removing succeed here without doing anything.
"""

from datetime import datetime, timedelta
from uuid import UUID

from konsilium.adapters.video.bare import Bare
from konsilium.adapters.video.driver import (
    GRANT_VALID,
    Capabilities,
    Grant,
    GrantKind,
    Health,
    NotOffered,
    Party,
    Place,
    Servers,
)
from konsilium.workflow.rooms import MOST_IN_MESH
from konsilium.workflow.words import N_


class MeshEngine(Bare):
    """A grant is the ICE servers, and nothing else has to be asked for."""

    name = "mesh"

    def __init__(self, servers: Servers) -> None:
        """Take what hands out ICE servers."""
        self._servers = servers

    def capabilities(self) -> Capabilities:
        """See `Driver`."""
        return Capabilities(
            in_page=True, most_parties=MOST_IN_MESH, mutes=True, removes=True, checked_with="Chromium"
        )

    def health(self) -> Health:
        """Be up: there is nothing beside our own pages. See `Driver`."""
        return Health(is_up=True)

    def join_grant(
        self, place: Place, party: Party, *, at: datetime, valid: timedelta = GRANT_VALID
    ) -> Grant:
        """See `Driver`."""
        return Grant(
            self.name,
            GrantKind.MESH,
            at + valid,
            room=place.name,
            party=str(party.id),
            ice=tuple(self._servers(str(party.id), at)),
            most_parties=MOST_IN_MESH,
        )

    def mute(self, place: Place, party: UUID) -> None:
        """Leave it to the room's socket. See `Driver`."""

    def remove(self, place: Place, party: UUID) -> None:
        """Leave it to the room's socket. See `Driver`."""

    def start_recording(self, place: Place) -> Place:
        """Refuse: no server sees the sound and the pictures. See `Driver`."""
        raise NotOffered(
            N_("In the built-in room nothing passes a server, so it can't be recorded. A media server can.")
        )
