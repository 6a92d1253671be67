"""The rules: what would be true with paper and couriers. No Django, no clock, no input or output."""
