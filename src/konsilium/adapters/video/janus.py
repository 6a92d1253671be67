"""Rooms on a Janus server: larger ones, recorded ones, and calls between a browser and a room codec by SIP.

Only we make and end rooms (`admin_key`, and a secret for each room); a browser comes with a token that names its plugin
and ends after minutes, with another that names its room, and with the room's PIN. Secrets and PINs of rooms are made
from the deployment's key, so that nothing has to be kept and a restarted Janus gets the same rooms again.
"""

import hashlib
import hmac
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from konsilium.adapters.video.driver import (
    GRANT_VALID,
    Capabilities,
    EngineAway,
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
    differences,
    following,
    is_our_id,
)
from konsilium.adapters.video.janus_api import VIDEOROOM, JanusApi, JanusRefused
from konsilium.adapters.video.tokens import janus_token
from konsilium.workflow.words import N_

SIP = "janus.plugin.sip"
NO_ROOM, EXISTS, NO_FEED = 426, 427, 428
MOST_PUBLISHERS = 16
# What a sender may reach, bit/s; the page's own ladder stays below it.
MOST_RATE = 1_500_000
# The pages offer sound first, always.
SOUND = "0"


@dataclass(frozen=True)
class JanusSettings:
    """Where Janus is for browsers (`url`) and for us (`api`), its secrets, and the SIP server for codecs."""

    url: str
    api: str
    api_secret: str = field(repr=False)
    token_secret: str = field(repr=False)
    admin_key: str = field(repr=False)
    recordings: str = ""
    sip: str = ""


class JanusEngine:
    """A driver of Janus' VideoRoom. See `Driver`."""

    name = "janus"

    def __init__(self, settings: JanusSettings, *, key: bytes, servers: Servers) -> None:
        """Take where it is, what rooms' secrets are made from, and what hands out ICE servers."""
        self._settings, self._key, self._servers = settings, key, servers
        self._api = JanusApi(settings.api, settings.api_secret)

    def capabilities(self) -> Capabilities:
        """See `Driver`."""
        return Capabilities(
            in_page=True,
            most_parties=MOST_PUBLISHERS,
            lists=True,
            mutes=True,
            removes=True,
            dials=bool(self._settings.sip),
            records=bool(self._settings.recordings),
            checked_with="Janus 1.1.2",
        )

    def health(self) -> Health:
        """See `Driver`."""
        began = time.monotonic()
        try:
            told = self._api.info()
        except EngineAway:
            return Health(is_up=False, trouble=N_("Janus doesn't answer. Look whether it runs."))
        return Health(
            is_up=True, version=str(told.get("version_string", "")), seconds=time.monotonic() - began
        )

    def open_room(self, place: Place) -> None:
        """See `Driver`."""
        recorded = {"rec_dir": self._settings.recordings} if place.is_recorded else {}
        self._ask(
            "create",
            place,
            allowed={EXISTS},
            admin_key=self._settings.admin_key,
            pin=self._made("pin", place.name),
            is_private=True,
            permanent=False,
            publishers=MOST_PUBLISHERS,
            bitrate=MOST_RATE,
            bitrate_cap=True,
            fir_freq=10,
            audiocodec="opus",
            # One that every browser has and that a recording can be made of.
            videocodec="vp8",
            opus_fec=True,
            audiolevel_event=True,
            audio_active_packets=25,
            require_pvtid=True,
            signed_tokens=True,
            record=place.is_recorded,
            lock_record=True,
            **recorded,
        )

    def close_room(self, place: Place) -> None:
        """See `Driver`."""
        self._ask("destroy", place, allowed={NO_ROOM})

    def join_grant(
        self, place: Place, party: Party, *, at: datetime, valid: timedelta = GRANT_VALID
    ) -> Grant:
        """See `Driver`. The consulting side may call a codec too, where there is a SIP server."""
        calls = bool(self._settings.sip) and party.moderates
        secret, ends = self._settings.token_secret, at + valid
        return Grant(
            self.name,
            GrantKind.JANUS,
            ends,
            address=self._settings.url,
            token=janus_token(secret, "janus", (VIDEOROOM, SIP) if calls else (VIDEOROOM,), ends),
            room=place.name,
            party=str(party.id),
            keys={
                "pin": self._made("pin", place.name),
                "room_token": janus_token(secret, VIDEOROOM, (f"room={place.name}",), ends),
                **(self._calling(place) if calls else {}),
            },
            ice=tuple(self._servers(str(party.id), at)),
            is_recorded=place.is_recorded,
            most_parties=MOST_PUBLISHERS,
        )

    def _calling(self, place: Place) -> dict[str, str]:
        """Return the SIP server, and who we are there: a number that a codec can dial while the room is open."""
        number = str(int.from_bytes(hashlib.sha256(place.name.encode()).digest()[:4]) % 10**8).zfill(8)
        server = self._settings.sip
        return {"sip_proxy": f"sip:{server}", "sip_me": f"sip:{number}@{server}"}

    def participants(self, place: Place) -> tuple[Present, ...]:
        """See `Driver`. Whoever sends something is said to send "media": Janus doesn't tell what."""
        told = self._ask("listparticipants", place, allowed={NO_ROOM})
        return tuple(
            Present(str(one["id"]), frozenset({"media"} if one.get("publisher") else ()))
            for one in told.get("participants", ())
            if is_our_id(str(one.get("id")))
        )

    def mute(self, place: Place, party: UUID) -> None:
        """See `Driver`."""
        self._ask("moderate", place, allowed={NO_ROOM, NO_FEED}, id=str(party), mid=SOUND, mute=True)

    def remove(self, place: Place, party: UUID) -> None:
        """See `Driver`."""
        self._ask("kick", place, allowed={NO_ROOM, NO_FEED}, id=str(party))

    def dial_out(self, place: Place, target: str) -> Leg:
        """Leave the call to the consulting side's page, which has the SIP plugin in its grant. See `Driver`."""
        if not self._settings.sip:
            raise NotOffered
        return Leg(target, is_in_page=True)

    def hang_up(self, place: Place, leg: str) -> None:
        """Leave it to the page that called. See `Driver`."""
        if not self._settings.sip:
            raise NotOffered

    def start_recording(self, place: Place) -> Place:
        """See `Driver`."""
        if not self._settings.recordings:
            raise NotOffered(N_("No folder for recordings is set up at the media server. Ask the operator."))
        return self._move(place, recorded=True)

    def stop_recording(self, place: Place) -> Place:
        """See `Driver`."""
        return self._move(place, recorded=False)

    def _move(self, place: Place, *, recorded: bool) -> Place:
        if place.is_recorded == recorded:
            return place
        other = replace(place, name=following(place.name), is_recorded=recorded)
        self.open_room(other)
        self.close_room(place)
        return other

    def reconcile(self, place: Place, known: Mapping[str, Collection[str]]) -> tuple[Happening, ...]:
        """See `Driver`."""
        return differences(self.participants(place), known)

    def _ask(self, verb: str, place: Place, *, allowed: Collection[int], **more: Any) -> dict[str, Any]:
        """Ask the VideoRoom with the room's own secret; an allowed refusal is an empty answer."""
        secret = self._made("secret", place.name)
        try:
            with self._api.plugin() as handle:
                return handle.request(verb, room=place.name, secret=secret, **more)
        except JanusRefused as refusal:
            if refusal.code in allowed:
                return {}
            raise EngineAway from refusal

    def _made(self, purpose: str, name: str) -> str:
        return hmac.new(self._key, f"{purpose} {name}".encode(), hashlib.sha256).hexdigest()[:32]
