"""The `konsilium` command: everything an operator does, each part also alone."""

import argparse
import os
import sys
from collections.abc import Sequence

PARTS = {
    "serve": "database, migrations, pages, worker, inspector and prober together",
    "pages": "the pages alone",
    "worker": "the worker alone",
    "inspector": "the inspector alone: looks at the files that arrive, in a sandbox",
    "prober": "the prober alone: looks at equipment's addresses, and at nothing else",
    "database": "the embedded database alone",
    "migrate": "bring the database to this version, as its owner",
    "cast": "the demonstration's people and how they sign in (--json)",
    "demo": "build the demonstration world in an empty database",
}
BAD_USE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; trouble that the operator can mend is one sentence and exit code 2."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "konsilium.settings")
    if arguments and arguments[0] not in PARTS and not arguments[0].startswith("-"):
        return _management(arguments)
    parser = argparse.ArgumentParser(
        prog="konsilium", description="Konsilium: consultations between doctors."
    )
    parts = parser.add_subparsers(dest="part", required=True)
    for name, words in PARTS.items():
        part = parts.add_parser(name, help=words)
        if name == "cast":
            part.add_argument("--json", action="store_true", help="for programs")
    return _run(parser.parse_args(arguments))


def _run(options: argparse.Namespace) -> int:
    from konsilium import serve  # noqa: PLC0415  settings are read on import, and may refuse
    from konsilium.adapters.postgres import CantRun  # noqa: PLC0415

    try:
        return serve.run(options.part, as_json=getattr(options, "json", False))
    except (CantRun, serve.CantServe) as trouble:
        return _say(trouble)


def _management(arguments: Sequence[str]) -> int:
    from django.core.management import execute_from_command_line  # noqa: PLC0415
    from django.db import OperationalError  # noqa: PLC0415

    try:
        execute_from_command_line(["konsilium", *arguments])
    except OperationalError:
        return _say("The database can't be reached. Start it with `konsilium database`, and try again.")
    return 0


def _say(trouble: Exception | str) -> int:
    print(f"konsilium: {trouble}", file=sys.stderr)
    return BAD_USE


def entry() -> int:
    """Run `main`, and say a bad setting in one sentence wherever it is met."""
    try:
        return main()
    except Exception as trouble:
        if type(trouble).__name__ == "BadSetting":
            return _say(trouble)
        raise
