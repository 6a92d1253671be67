import pytest

from tests.adapters.video.engines import stage  # noqa: F401
from tests.bed.janus import janus


@pytest.fixture(scope="session")
def janus_server(tmp_path_factory):
    """Debian's Janus in a network namespace; skips by name where it can't be."""
    with janus(tmp_path_factory.mktemp("janus")) as running:
        yield running
