"""The engines of the contract: how each is made, how somebody arrives in it, and what it is checked with."""

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from websockets.sync.client import connect as connect_socket

from konsilium.adapters.video import Driver, Grant, connect, read_choice
from konsilium.adapters.video.external import ExternalEngine, Patterns
from konsilium.adapters.video.mesh import MeshEngine
from konsilium.adapters.video.null import NullEngine
from tests.adapters.video.fakes import KEY, SECRET, livekit_server, open_jitsi

ICE = [{"urls": ["turn:turn.example.org:3478"], "username": "1:x", "credential": "y"}]
PATTERNS = Patterns(
    "vinteo",
    "https://vks.example.org/c/{number}",
    "{number}@vks.example.org",
    "vks.example.org##{number}",
    "+7 495 000-00-00, {number}#",
)


@dataclass
class Stage:
    """An engine, and what people's pages would do with a grant of it."""

    driver: Driver
    arrive: Callable[[Grant], Any] = lambda grant: None
    leave: Callable[[Grant], Any] = lambda grant: None


@contextlib.contextmanager
def null(request):
    engine = NullEngine()
    yield Stage(engine, engine.arrive, engine.leave)


@contextlib.contextmanager
def mesh(request):
    yield Stage(MeshEngine(lambda name, at: ICE))


@contextlib.contextmanager
def external(request):
    yield Stage(ExternalEngine(PATTERNS))


class Page:
    """What a browser would do at Janus' WebSocket, without media: join with a grant, and stay while it is open."""

    def __init__(self, grant):
        self.open = contextlib.ExitStack()
        self.socket = self.open.enter_context(
            connect_socket(grant.address, subprotocols=["janus-protocol"], proxy=None)
        )
        self.token = grant.token
        self.session = self.ask(janus="create")["data"]["id"]
        self.handle = self.ask(janus="attach", plugin="janus.plugin.videoroom")["data"]["id"]
        self.joined = self.message(
            request="join", ptype="publisher", room=grant.room, id=grant.party, **self.keys(grant)
        )

    def keys(self, grant):
        return {"pin": grant.keys["pin"], "token": grant.keys["room_token"]}

    def message(self, **body):
        answer = self.ask(janus="message", body=body)
        return answer.get("plugindata", answer).get("data", answer)

    def ask(self, **said):
        """Say it and wait for its answer, past what else comes."""
        for name in ("session", "handle"):
            if hasattr(self, name):
                said[f"{name}_id"] = getattr(self, name)
        said |= {"token": self.token, "transaction": uuid4().hex}
        self.socket.send(json.dumps(said))
        while True:
            told = json.loads(self.socket.recv(timeout=5))
            if told.get("transaction") == said["transaction"] and told["janus"] != "ack":
                return told

    def close(self):
        with contextlib.suppress(Exception):
            self.message(request="leave")
            self.ask(janus="destroy")
        self.open.close()


@contextlib.contextmanager
def janus(request):
    running = request.getfixturevalue("janus_server")
    choice = read_choice({**running.environment, "KONSILIUM_JANUS_SIP": "sip.example.org"})
    pages = {}

    def arrive(grant):
        pages[grant.party] = Page(grant)
        assert pages[grant.party].joined["videoroom"] == "joined"

    try:
        yield Stage(
            connect("janus", choice, key=b"a key", servers=lambda name, at: ICE),
            arrive,
            lambda grant: pages.pop(grant.party).close(),
        )
    finally:
        for page in pages.values():
            page.close()


JITSI = {
    "KONSILIUM_VIDEO_ENGINE": "jitsi",
    "KONSILIUM_JITSI_URL": "https://meet.example.org",
    "KONSILIUM_JITSI_APP": KEY,
    "KONSILIUM_JITSI_SECRET": SECRET,
}


def livekit_choice(fake, **more):
    given = {
        "KONSILIUM_VIDEO_ENGINE": "livekit",
        "KONSILIUM_LIVEKIT_URL": "wss://lk.example.org",
        "KONSILIUM_LIVEKIT_API": fake.address,
        "KONSILIUM_LIVEKIT_PAGE": "https://video.example.org/custom",
        "KONSILIUM_LIVEKIT_KEY": KEY,
        "KONSILIUM_LIVEKIT_SECRET": SECRET,
    }
    return read_choice({**given, **more})


@contextlib.contextmanager
def livekit(request):
    with livekit_server() as fake:
        engine = connect("livekit", livekit_choice(fake), key=b"", servers=lambda name, at: [])
        yield Stage(
            engine, lambda grant: fake.join(grant.token), lambda grant: fake.leave(grant.room, grant.party)
        )


@contextlib.contextmanager
def jitsi(request):
    engine = connect("jitsi", read_choice(JITSI), key=b"", servers=lambda name, at: [])
    yield Stage(engine, lambda grant: open_jitsi(grant.address))


ENGINES = {
    "null": null,
    "mesh": mesh,
    "external": external,
    "janus": janus,
    "livekit": livekit,
    "jitsi": jitsi,
}


@pytest.fixture(params=ENGINES)
def stage(request):
    with ENGINES[request.param](request) as made:
        yield made
