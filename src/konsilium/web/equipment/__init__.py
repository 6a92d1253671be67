"""Equipment and its tests, and an organisation's own page."""
