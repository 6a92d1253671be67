"""The requester's end of a request."""
