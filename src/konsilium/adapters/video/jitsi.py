"""Rooms on a Jitsi Meet server with token authentication: our token opens its page in another tab.

Jitsi has no interface to list, mute or put out from outside; who moderates does it there. Checked against a fake that
looks at tokens as Jitsi's does: a server wasn't to be had, and `Capabilities.checked_with` says so to operators.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import quote, urlsplit

from konsilium.adapters.video.bare import Bare
from konsilium.adapters.video.driver import (
    GRANT_VALID,
    Capabilities,
    Grant,
    GrantKind,
    Health,
    Party,
    Place,
)
from konsilium.adapters.video.tokens import web_token

# What Jitsi's page leaves out: names are in the token, and nothing is sent to analysts or avatar services.
PLAIN_PAGE = (
    "config.prejoinConfig.enabled=true",
    "config.disableThirdPartyRequests=true",
    "config.analytics.disabled=true",
    "config.enableCalendarIntegration=false",
    "config.fileRecordingsEnabled=false",
    "config.liveStreamingEnabled=false",
)


@dataclass(frozen=True)
class JitsiSettings:
    """Where the server is (https), and the application's id and secret that its tokens are made with."""

    url: str
    app: str
    secret: str = field(repr=False)


class JitsiEngine(Bare):
    """Hands out the way in. See `Driver`."""

    name = "jitsi"

    def __init__(self, settings: JitsiSettings) -> None:
        """Take where it is."""
        self._settings = settings

    def capabilities(self) -> Capabilities:
        """See `Driver`."""
        return Capabilities(in_page=False, checked_with="a fake server")

    def health(self) -> Health:
        """Be up as far as anybody here can tell: nothing is asked of the server. See `Driver`."""
        return Health(is_up=True)

    def join_grant(
        self, place: Place, party: Party, *, at: datetime, valid: timedelta = GRANT_VALID
    ) -> Grant:
        """See `Driver`."""
        server = self._settings.url.rstrip("/")
        user = {"id": str(party.id), "name": party.name, "moderator": party.moderates}
        claims = {
            "aud": "jitsi",
            "iss": self._settings.app,
            "sub": urlsplit(server).hostname,
            "room": place.name,
            "nbf": int(at.timestamp()),
            "exp": int((at + valid).timestamp()),
            "context": {"user": user, "features": {"recording": False, "livestreaming": False}},
        }
        token = web_token(self._settings.secret, claims)
        page = "&".join(PLAIN_PAGE)
        return Grant(
            self.name,
            GrantKind.OUTSIDE,
            at + valid,
            address=f"{server}/{quote(place.name, safe='')}?jwt={token}#{page}",
            token=token,
            room=place.name,
            party=str(party.id),
            instructions=place.instructions,
        )
