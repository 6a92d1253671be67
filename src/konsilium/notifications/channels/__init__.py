"""The ways a person is reached, one file each."""
