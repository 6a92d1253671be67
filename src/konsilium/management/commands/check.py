"""`konsilium check`: what Django checks, and what the operator should know of this deployment."""

from typing import Any

from django.conf import settings
from django.core.management.commands import check


class Command(check.Command):
    """Check the installation, and say what is not configured."""

    def handle(self, *labels: Any, **options: Any) -> None:
        """Run the checks, then tell what works with less than it could. Nothing of that is an error."""
        super().handle(*labels, **options)
        for words in settings.SIGNATURES.trouble():
            self.stdout.write(f"Note: {words}")
