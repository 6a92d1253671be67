"""Pages of the desk: studies, their series, and names on pictures."""
