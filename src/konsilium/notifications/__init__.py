"""Who is told of what, and how. No medical content leaves the house: a number, and that something waits."""
