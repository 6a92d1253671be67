"""Pages of the desk: consulting."""
