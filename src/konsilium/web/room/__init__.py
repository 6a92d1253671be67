"""The room of a session, and what opens its sockets."""
