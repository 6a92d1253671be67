"""Real servers of other makers for tests, each started in the foreground with a folder of its own, ended by its id."""
