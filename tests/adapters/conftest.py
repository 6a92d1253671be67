"""What tests of stores share: one S3 server for the whole run."""

import pytest

from tests import bucket


@pytest.fixture(scope="session")
def s3_endpoint(tmp_path_factory):
    """The address of a running S3 server."""
    with bucket.serving(tmp_path_factory.mktemp("s3")) as endpoint:
        yield endpoint
