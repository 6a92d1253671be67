"""List the documents whose term of keeping is over. Deletes nothing: the worker does, once terms are set."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from konsilium.actions.keeping import list_due


class Command(BaseCommand):
    """Print request, kind and the day since when it is due, one document a line."""

    help = "List the documents whose term of keeping is over; deletes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print them, and how many there are."""
        if not settings.RETENTION:
            self.stdout.write("No terms are set (KONSILIUM_RETENTION): nothing is ever deleted.")
            return
        due = list_due(at=timezone.now())
        for one in due:
            self.stdout.write(f"{one.number}  {one.kind:<16} {one.since:%Y-%m-%d}  {one.document_id}")
        self.stdout.write(f"{len(due)} documents are due. The worker deletes them.")
