"""The engines of the contract: how each is made, how somebody arrives in it, and what it is checked with."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from konsilium.adapters.video import Driver, Grant
from konsilium.adapters.video.external import ExternalEngine, Patterns
from konsilium.adapters.video.mesh import MeshEngine
from konsilium.adapters.video.null import NullEngine

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


ENGINES = {"null": null, "mesh": mesh, "external": external}


@pytest.fixture(params=ENGINES)
def stage(request):
    with ENGINES[request.param](request) as made:
        yield made
