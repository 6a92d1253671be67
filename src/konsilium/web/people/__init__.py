"""Pages of the desk: people."""
