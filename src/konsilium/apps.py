"""The one Django application."""

from django.apps import AppConfig


class KonsiliumConfig(AppConfig):
    """Konsilium: one application, one migration history, cut by floors."""

    name = "konsilium"
    label = "konsilium"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks that refuse an unsafe start."""
        from konsilium import checks  # noqa: PLC0415, F401  registering is the import's purpose
