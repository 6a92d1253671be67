"""What an engine without an API of its own can't do: one face for all that only hand out a way in."""

from collections.abc import Collection, Mapping
from uuid import UUID

from konsilium.adapters.video.driver import Happening, Leg, NotOffered, Place, Present


class Bare:
    """Opens and closes nothing, since nothing needs it, and refuses the rest by name."""

    def open_room(self, place: Place) -> None:
        """Do nothing: the room is there when the first one comes. See `Driver`."""

    def close_room(self, place: Place) -> None:
        """Do nothing: grants end by themselves. See `Driver`."""

    def participants(self, place: Place) -> tuple[Present, ...]:
        """See `Driver`."""
        raise NotOffered

    def mute(self, place: Place, party: UUID) -> None:
        """See `Driver`."""
        raise NotOffered

    def remove(self, place: Place, party: UUID) -> None:
        """See `Driver`."""
        raise NotOffered

    def dial_out(self, place: Place, target: str) -> Leg:
        """See `Driver`."""
        raise NotOffered

    def hang_up(self, place: Place, leg: str) -> None:
        """See `Driver`."""
        raise NotOffered

    def start_recording(self, place: Place) -> Place:
        """See `Driver`."""
        raise NotOffered

    def stop_recording(self, place: Place) -> Place:
        """See `Driver`."""
        raise NotOffered

    def reconcile(self, place: Place, known: Mapping[str, Collection[str]]) -> tuple[Happening, ...]:
        """See `Driver`."""
        raise NotOffered
