"""The thread inside a request."""
