"""What was found when all stored files were read again."""

from django.db import models

from konsilium.models._base import Row


class StoreCheck(Row):
    """A round of reading every stored file, a portion at a time. `position` is the last address that was read.

    `findings` are the first addresses that were damaged or missing, as [address, what]; the counts are of all.
    """

    begun_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    position = models.CharField(max_length=64, blank=True)
    files = models.PositiveBigIntegerField(default=0)
    bytes = models.PositiveBigIntegerField(default=0)
    damaged = models.PositiveIntegerField(default=0)
    missing = models.PositiveIntegerField(default=0)
    findings = models.JSONField(default=list)
    # The system administrator was told of what this round found first.
    is_told = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["-begun_at"], name="storecheck_newest")]
