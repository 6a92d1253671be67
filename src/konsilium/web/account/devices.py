"""A browser in a few words, from what it says of itself: enough to recognise one's own."""

from django.utils.translation import gettext

# In this order: most browsers call themselves by others' names too.
_BROWSERS = (
    ("YaBrowser", "Yandex"),
    ("OPR", "Opera"),
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
_SHOWN = 60


def device_name(user_agent: str) -> str:
    """Return browser and system, or the beginning of what it said when neither is known."""
    parts = [name for names in (_BROWSERS, _SYSTEMS) if (name := _first(names, user_agent))]
    return ", ".join(parts) or user_agent[:_SHOWN] or gettext("Unknown device")


def _first(names: tuple[tuple[str, str], ...], text: str) -> str:
    return next((name for mark, name in names if mark in text), "")
