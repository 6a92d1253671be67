"""Numbers as the reader's language writes them."""

from django.utils.formats import number_format


def plain(value: float) -> str:
    """Write a measured number without needless zeros: "0,3" in Russian, "0.3" in English."""
    return number_format(f"{value:g}")
