"""Pages of the desk: notices."""
