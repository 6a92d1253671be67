"""Janus' own HTTP interface, as far as we need it: a session, a plugin's handle, and requests that answer at once."""

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPException
from typing import Any
from urllib.request import Request, urlopen

from konsilium.adapters.video.driver import EngineAway

SECONDS = 4
LONGEST = 1024 * 1024
VIDEOROOM = "janus.plugin.videoroom"


class JanusRefused(Exception):
    """Janus' plugin said no, with a number of its own."""

    def __init__(self, code: int, text: str) -> None:
        """Keep both."""
        super().__init__(f"{code}: {text}")
        self.code = code


class JanusApi:
    """Speaks to one Janus with the API's secret, which no browser has."""

    def __init__(self, address: str, secret: str) -> None:
        """Take the address that ends in /janus; asks nothing yet."""
        self._address, self._secret = address.rstrip("/"), secret

    def info(self) -> dict[str, Any]:
        """Return what the server says of itself. Raises EngineAway."""
        return self._fetch(f"{self._address}/info", None)

    @contextmanager
    def plugin(self, name: str = VIDEOROOM) -> Iterator["Handle"]:
        """Open a session with a handle of this plugin and end both afterwards. Raises EngineAway."""
        session = f"{self._address}/{self.ask(self._address, 'create')['data']['id']}"
        try:
            handle = self.ask(session, "attach", plugin=name)["data"]["id"]
            yield Handle(self, f"{session}/{handle}")
        finally:
            # It ends by itself within a minute.
            with suppress(EngineAway):
                self.ask(session, "destroy")

    def ask(self, address: str, verb: str, **more: Any) -> dict[str, Any]:
        """Say one thing to Janus' core and return its answer. Raises EngineAway, also when it says no."""
        said = {"janus": verb, "transaction": secrets.token_hex(8), "apisecret": self._secret, **more}
        answer = self._fetch(address, said)
        if answer.get("janus") == "error":
            raise EngineAway
        return answer

    def _fetch(self, address: str, said: Mapping[str, Any] | None) -> dict[str, Any]:
        body = None if said is None else json.dumps(said).encode()
        # The operator's own address, not one that somebody typed.
        request = Request(address, body, {"Content-Type": "application/json"})  # noqa: S310
        try:
            with urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
                told = json.loads(answer.read(LONGEST))
        except (OSError, HTTPException, ValueError) as error:
            raise EngineAway from error
        if not isinstance(told, dict):
            raise EngineAway
        return told


class Handle:
    """A plugin's handle: `request` asks it something."""

    def __init__(self, api: JanusApi, address: str) -> None:
        """Take where it is."""
        self._api, self._address = api, address

    def request(self, verb: str, **more: Any) -> dict[str, Any]:
        """Return the plugin's answer. Raises JanusRefused when it says no, EngineAway when nothing sensible comes."""
        answer = self._api.ask(self._address, "message", body={"request": verb, **more})
        data = answer.get("plugindata", {}).get("data")
        if not isinstance(data, dict):
            raise EngineAway
        if "error_code" in data:
            raise JanusRefused(int(data["error_code"]), str(data.get("error", "")))
        return data
