"""Load the dictionaries that ship with the product; `konsilium migrate` calls it."""

from typing import Any

from django.core.management.base import BaseCommand

from konsilium.actions.dictionaries import load_all


class Command(BaseCommand):
    """`konsilium load_dictionaries`."""

    help = "Load the dictionaries that ship with the product, as the database's owner. Safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        """Load, and say how many entries there are."""
        count = load_all(using="owner")
        if options["verbosity"] > 0:
            self.stdout.write(f"{count} entries")
