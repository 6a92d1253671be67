"""An access line of the project's own, put between real programs: rate, delay, jitter and loss of each direction."""
