"""Pages of the desk: requests."""
