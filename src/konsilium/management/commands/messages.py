"""Compile the Russian catalogue from the desks' parts, and find texts that have no Russian yet."""

import io
import re
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polib
from babel.messages.extract import extract
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation.template import templatize

PACKAGE = Path(__file__).resolve().parents[2]
PARTS = PACKAGE / "locale" / "ru"
KEYWORDS: dict[str, Any] = {
    "_": None,
    "N_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
STRING = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
CALL = re.compile(rf"""\b(?:\w*gettext|_)\((?:{STRING}|[^()'"])*\)""")
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]")


def compile_catalogue() -> int:
    """Join the desks' parts into one catalogue and compile it. Returns how many texts it holds.

    Raises CommandError when two parts translate a text differently, or a translation loses a placeholder.
    """
    joined = polib.POFile()
    joined.metadata = {
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Transfer-Encoding": "8bit",
        "Language": "ru",
        "Plural-Forms": "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && "
        "(n%100<10 || n%100>=20) ? 1 : 2);",
    }
    known: dict[tuple[str | None, str], polib.POEntry] = {}
    for entry in (entry for part in sorted(PARTS.glob("*.po")) for entry in polib.pofile(str(part))):
        _check(entry, known.get((entry.msgctxt, entry.msgid)))
        if (entry.msgctxt, entry.msgid) not in known:
            known[entry.msgctxt, entry.msgid] = entry
            joined.append(entry)
    folder = PARTS / "LC_MESSAGES"
    folder.mkdir(exist_ok=True)
    joined.save(str(folder / "django.po"))
    joined.save_as_mofile(str(folder / "django.mo"))
    return len(known)


def missing() -> list[str]:
    """Return the texts of pages and code that have no Russian, with where they stand."""
    catalogue = polib.pofile(str(PARTS / "LC_MESSAGES" / "django.po"))
    known = {(entry.msgctxt, entry.msgid) for entry in catalogue if entry.translated()}
    return [f"{place}: {text}" for place, context, text in used() if (context, text) not in known]


def used() -> Iterator[tuple[str, str | None, str]]:
    """Yield every text that pages and code mark for translation: place, context, text."""
    for path in sorted((*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.html"), *PACKAGE.rglob("*.txt"))):
        source = path.read_text()
        if path.suffix != ".py":
            source = _calls(templatize(source, origin=str(path)))
        for line, message, _, context in extract("python", io.BytesIO(source.encode()), keywords=KEYWORDS):
            text = message if isinstance(message, str) else next(part for part in message if part)
            yield f"{path.relative_to(PACKAGE)}:{line}", context, text


def _calls(source: str) -> str:
    """Keep only the marked texts of a page, each on its own line: what stands around them is no Python."""
    return "\n".join("; ".join(CALL.findall(line)) for line in source.splitlines())


def _check(entry: polib.POEntry, earlier: polib.POEntry | None) -> None:
    if earlier and (earlier.msgstr, earlier.msgstr_plural) != (entry.msgstr, entry.msgstr_plural):
        raise CommandError(f"Two translations of {entry.msgid!r}: {earlier.msgstr!r} and {entry.msgstr!r}.")
    if entry.msgstr and set(PLACEHOLDER.findall(entry.msgid)) != set(PLACEHOLDER.findall(entry.msgstr)):
        raise CommandError(f"The Russian of {entry.msgid!r} has other placeholders.")


class Command(BaseCommand):
    """`konsilium messages [--check]`."""

    help = "Compile the Russian catalogue; with --check also list texts without Russian."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take --check."""
        parser.add_argument("--check", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Compile, then look for what is missing."""
        count = compile_catalogue()
        if options["check"]:
            lost = missing()
            if lost:
                raise CommandError("These texts have no Russian:\n" + "\n".join(lost))
        if options["verbosity"] > 1:
            self.stdout.write(f"{count} texts")
