"""Pages of the desk: dictionary."""
