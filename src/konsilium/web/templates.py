"""Templates whose constant words, files and addresses are put in when they are compiled, once for each language.

A page says some forty constant texts; looking each up and rendering it as a part of its own costs more than the page's
query does.
"""

import re
from collections.abc import Callable
from typing import Any

from django.template.loaders import cached, filesystem
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language, gettext

_TAG = re.compile(r"""\{% (translate|static|url) (?:"([^"\\|]*)"|'([^'\\|]*)') %\}""")
_VALUES: dict[str, Callable[[str], str]] = {
    # As the tag itself does: a text that we wrote is markup already.
    "translate": lambda text: gettext(text).replace("%%", "%"),
    "static": static,
    "url": reverse,
}


class Files(filesystem.Loader):
    """Template files, with what is constant put in for the present language."""

    def get_contents(self, origin: Any) -> str:
        """Return the file's text with its constant tags replaced."""
        return filled(super().get_contents(origin))


class Loader(cached.Loader):
    """A cache of compiled templates for each language."""

    def cache_key(self, template_name: str, skip: Any = None) -> str:
        """Keep a template's languages apart."""
        return f"{get_language()}:{super().cache_key(template_name, skip)}"


def filled(text: str) -> str:
    """Put a template's constant words, files' and pages' addresses in; a word that holds a tag stays as it is."""
    return _TAG.sub(_value, text)


def _value(tag: re.Match[str]) -> str:
    value = _VALUES[tag[1]](tag[2] or tag[3] or "")
    return tag[0] if "{" in value else value
