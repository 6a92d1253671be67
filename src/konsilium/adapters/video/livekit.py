"""Rooms on a LiveKit server: our token opens its page in another tab, and we list, mute and put out through its API.

Checked against a fake that follows LiveKit's published interface only: a server wasn't to be had. The grant says so to
operators (`Capabilities.checked_with`).
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen
from uuid import UUID

from konsilium.adapters.video.bare import Bare
from konsilium.adapters.video.driver import (
    GRANT_VALID,
    Capabilities,
    EngineAway,
    Grant,
    GrantKind,
    Happening,
    Health,
    Party,
    Place,
    Present,
    differences,
    is_our_id,
)
from konsilium.adapters.video.tokens import web_token
from konsilium.workflow.words import N_

SECONDS = 4
LONGEST = 1024 * 1024
NOT_FOUND = 404
# Nobody has to be there for the room to stay until its session ends.
EMPTY_SECONDS = 4 * 3600


@dataclass(frozen=True)
class LiveKitSettings:
    """Where the server is for browsers (`url`, wss) and for us (`api`), its web page, and our key with its secret."""

    url: str
    api: str
    page: str
    key: str
    secret: str = field(repr=False)


class LiveKitEngine(Bare):
    """A driver of LiveKit's room service. See `Driver`."""

    name = "livekit"

    def __init__(self, settings: LiveKitSettings) -> None:
        """Take where it is; asks nothing yet."""
        self._settings = settings

    def capabilities(self) -> Capabilities:
        """See `Driver`."""
        return Capabilities(in_page=False, lists=True, mutes=True, removes=True, checked_with="a fake server")

    def health(self) -> Health:
        """See `Driver`."""
        try:
            self._ask("ListRooms", {"roomList": True})
        except EngineAway:
            return Health(is_up=False, trouble=N_("LiveKit doesn't answer, or doesn't know our key."))
        return Health(is_up=True)

    def open_room(self, place: Place) -> None:
        """See `Driver`."""
        self._ask("CreateRoom", {"roomCreate": True}, name=place.name, empty_timeout=EMPTY_SECONDS)

    def close_room(self, place: Place) -> None:
        """See `Driver`."""
        self._ask("DeleteRoom", {"roomCreate": True}, room=place.name)

    def join_grant(
        self, place: Place, party: Party, *, at: datetime, valid: timedelta = GRANT_VALID
    ) -> Grant:
        """See `Driver`. The address is the page with the token in it, for it is the page that speaks to the server."""
        rights = {"room": place.name, "roomJoin": True, "canPublish": True, "canSubscribe": True}
        token = self._token({"sub": str(party.id), "name": party.name, "video": rights}, at, at + valid)
        query = urlencode({"liveKitUrl": self._settings.url, "token": token})
        return Grant(
            self.name,
            GrantKind.OUTSIDE,
            at + valid,
            address=f"{self._settings.page}?{query}",
            token=token,
            room=place.name,
            party=str(party.id),
            instructions=place.instructions,
        )

    def participants(self, place: Place) -> tuple[Present, ...]:
        """See `Driver`."""
        return tuple(
            Present(one["identity"], frozenset(str(track.get("type", "")).lower() for track in _tracks(one)))
            for one in self._people(place)
            if is_our_id(str(one.get("identity")))
        )

    def mute(self, place: Place, party: UUID) -> None:
        """See `Driver`."""
        for one in self._people(place):
            if one.get("identity") != str(party):
                continue
            for track in _tracks(one):
                if track.get("type") == "AUDIO":
                    self._admin(
                        "MutePublishedTrack", place, identity=str(party), track_sid=track["sid"], muted=True
                    )

    def remove(self, place: Place, party: UUID) -> None:
        """See `Driver`."""
        self._admin("RemoveParticipant", place, identity=str(party))

    def reconcile(self, place: Place, known: Mapping[str, Collection[str]]) -> tuple[Happening, ...]:
        """See `Driver`."""
        return differences(self.participants(place), known)

    def _people(self, place: Place) -> list[dict[str, Any]]:
        return list(self._admin("ListParticipants", place).get("participants") or ())

    def _admin(self, method: str, place: Place, **more: Any) -> dict[str, Any]:
        return self._ask(method, {"roomAdmin": True, "room": place.name}, room=place.name, **more)

    def _ask(self, method: str, rights: Mapping[str, Any], **said: Any) -> dict[str, Any]:
        """Return the service's answer; nothing where what it is about isn't there. Raises EngineAway."""
        # The server compares with its own clock, so this one token is made by ours.
        now = datetime.now(UTC)
        token = self._token({"video": dict(rights)}, now, now + timedelta(minutes=1))
        address = f"{self._settings.api.rstrip('/')}/twirp/livekit.RoomService/{method}"
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        # The operator's own address, not one that somebody typed.
        request = Request(address, json.dumps(said).encode(), headers)  # noqa: S310
        try:
            with urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
                told = json.loads(answer.read(LONGEST))
        except HTTPError as error:
            error.close()
            if error.code == NOT_FOUND:
                return {}
            raise EngineAway from error
        except (OSError, HTTPException, ValueError) as error:
            raise EngineAway from error
        if not isinstance(told, dict):
            raise EngineAway
        return told

    def _token(self, claims: Mapping[str, Any], since: datetime, until: datetime) -> str:
        times = {"nbf": int(since.timestamp()), "exp": int(until.timestamp())}
        return web_token(self._settings.secret, {"iss": self._settings.key, **times, **claims})


def _tracks(one: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list(one.get("tracks") or ())
