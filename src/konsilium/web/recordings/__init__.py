"""A session's recording: who may listen, and listening."""
