"""Send a request's pictures to the PACS, or fetch a study from there into a request."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from konsilium.actions import exchanging
from konsilium.actions._step import NotThere
from konsilium.adapters.pacs import NoPacs, PacsRefused, PacsUnavailable, pacs
from konsilium.workflow.machine import Refused

TROUBLES = (NoPacs, PacsRefused, PacsUnavailable, Refused, ValueError)


class Command(BaseCommand):
    """`konsilium pacs send NUMBER`, `konsilium pacs fetch NUMBER STUDY --as LOGIN`."""

    help = "Exchange studies with the PACS at KONSILIUM_PACS_URL."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what to do, for which request."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        send = verbs.add_parser("send", help="send a request's pictures, as the centre is shown them")
        send.add_argument("number", help="the request's number")
        fetch = verbs.add_parser("fetch", help="fetch a study into a request")
        fetch.add_argument("number", help="the request's number")
        fetch.add_argument("study", help="the Study Instance UID")
        fetch.add_argument(
            "--as", dest="login", required=True, help="the login of a doctor who sees the request"
        )
        fetch.add_argument("--kind", default="ct", help="what kind of document it is")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it, and say in one sentence what came of it."""
        try:
            there = pacs(settings.PACS_URL)
            said = _send(there, options) if options["verb"] == "send" else _fetch(there, options)
        except NotThere as nothing:
            raise CommandError("There is no such request for this person.") from nothing
        except TROUBLES as trouble:
            raise CommandError(str(trouble)) from trouble
        self.stdout.write(said)


def _send(there: Any, options: dict[str, Any]) -> str:
    done = exchanging.send(options["number"], there)
    return f"{done.sent} objects sent, {done.withheld} not shown to the centre and kept here"


def _fetch(there: Any, options: dict[str, Any]) -> str:
    who = {"login": options["login"], "kind": options["kind"]}
    exchanging.fetch(options["number"], options["study"], pacs=there, at=timezone.now(), **who)
    return "The study is in the request, and is being looked at"
