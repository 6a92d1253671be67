"""What the operator does beside serving."""
