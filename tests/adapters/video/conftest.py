from tests.adapters.video.engines import stage  # noqa: F401
