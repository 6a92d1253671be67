"""Pages of print forms: ask for one, wait for it, read it."""
