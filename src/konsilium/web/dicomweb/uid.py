"""Unique identifiers in addresses."""


class Uid:
    """A DICOM unique identifier: digits and points, at most 64."""

    regex = "[0-9.]{1,64}"

    def to_python(self, value: str) -> str:
        """Take it as it is."""
        return value

    def to_url(self, value: str) -> str:
        """Give it as it is."""
        return value
