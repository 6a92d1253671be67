"""Uploads on their way: announced, received piece by piece, and at the end a document."""

from django.db import models

from konsilium.models._base import Row, choices
from konsilium.models.conclusion import Conclusion
from konsilium.models.consultation import Consultation
from konsilium.models.document import Document
from konsilium.workflow.roles import Actor
from konsilium.workflow.upload import UPLOAD_STATE_LABELS, UploadState


class UploadQuerySet(models.QuerySet["Upload"]):
    """Which uploads a person sees."""

    def visible_to(self, actor: Actor) -> "UploadQuerySet":
        """Those of visible requests; the other side too sees that pictures are on their way."""
        return self.filter(consultation__in=Consultation.objects.visible_to(actor))

    def on_the_way(self) -> "UploadQuerySet":
        """Those whose bytes are still expected."""
        return self.filter(state=UploadState.RECEIVING)


class Upload(Row):
    """One file on its way. `offset` is what was acknowledged: it is safe on the disk and is never lost.

    `fence` grows with each taker-over: whoever writes with an older one has to stop.
    """

    consultation = models.ForeignKey(Consultation, on_delete=models.CASCADE, related_name="uploads")
    author_id = models.UUIDField()
    organization_id = models.UUIDField()
    kind = models.CharField(max_length=20)
    conclusion = models.ForeignKey(Conclusion, null=True, on_delete=models.SET_NULL)
    file_name = models.CharField(max_length=160)
    note = models.CharField(max_length=300, blank=True)
    length = models.BigIntegerField()
    offset = models.BigIntegerField(default=0)
    # What the browser says of the content: compared at the end, and the key to going on from another computer.
    sha256 = models.CharField(max_length=64, blank=True)
    fence = models.PositiveIntegerField(default=0)
    state = models.CharField(
        max_length=10, choices=choices(UPLOAD_STATE_LABELS), default=UploadState.RECEIVING
    )
    refusal = models.CharField(max_length=300, blank=True)
    document = models.ForeignKey(Document, null=True, on_delete=models.SET_NULL, related_name="uploads")
    created_at = models.DateTimeField()
    touched_at = models.DateTimeField()

    objects = UploadQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [
            models.Index(
                fields=["touched_at"],
                condition=models.Q(state=UploadState.RECEIVING),
                name="upload_receiving",
            )
        ]
