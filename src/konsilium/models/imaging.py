"""What was read out of DICOM documents: studies, series and instances; and copies made for looking at any document."""

from django.db import models
from django.db.models.functions import Now

from konsilium.models._base import Row
from konsilium.models.consultation import Consultation
from konsilium.models.document import Document
from konsilium.workflow.roles import LOOKING_IN, Actor


class Study(Row):
    """A DICOM study of a request, as its tags name it. What the tags say of the patient is kept to be compared."""

    consultation = models.ForeignKey(Consultation, on_delete=models.CASCADE, related_name="studies")
    study_uid = models.CharField(max_length=64)
    description = models.CharField(max_length=200, blank=True)
    study_date = models.DateField(null=True)
    institution = models.CharField(max_length=200, blank=True)
    patient_name = models.CharField(max_length=324, blank=True)
    patient_birth_date = models.DateField(null=True)
    patient_sex = models.CharField(max_length=10, blank=True)
    patient_identifier = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [models.UniqueConstraint(fields=["consultation", "study_uid"], name="one_study_a_uid")]


class SeriesQuerySet(models.QuerySet["Series"]):
    """Which series a person sees."""

    def visible_to(self, actor: Actor) -> "SeriesQuerySet":
        """Those of visible requests; who looks in only what was left ticked, with no names to hide."""
        rows = self.filter(consultation__in=Consultation.objects.visible_to(actor))
        return rows.filter(is_included=True).exclude(burned_in="yes") if actor.role in LOOKING_IN else rows


class Series(Row):
    """A series. `metadata_sha256`, `pack_sha256` and `previews` name derived files in the store.

    The pack holds every frame, one after the other; where, each instance says. `facts` are what the pages show
    (spacing in mm, orientation, windows), `layout` how the mosaic is laid.
    """

    WAITING, RENDERING, READY, FAILED = "waiting", "rendering", "ready", "failed"

    consultation = models.ForeignKey(Consultation, on_delete=models.CASCADE, related_name="series")
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="series")
    series_uid = models.CharField(max_length=64)
    number = models.IntegerField(null=True)
    modality = models.CharField(max_length=16, blank=True)
    description = models.CharField(max_length=200, blank=True)
    body_part = models.CharField(max_length=64, blank=True)
    rows = models.PositiveIntegerField(default=0)
    columns = models.PositiveIntegerField(default=0)
    count = models.PositiveIntegerField(default=0)
    is_volume = models.BooleanField(default=False)
    why_not_volume = models.CharField(max_length=40, blank=True)
    facts = models.JSONField(default=dict)
    # Unticked by the requesting side: not shown to the centre.
    is_included = models.BooleanField(default=True)
    # May names be burned into the picture? "" unlikely, "asked" nobody has answered, then "no", "yes" or "hidden".
    burned_in = models.CharField(max_length=6, blank=True)
    state = models.CharField(
        max_length=9,
        choices=[(code, code) for code in (WAITING, RENDERING, READY, FAILED)],
        default=WAITING,
    )
    progress = models.PositiveSmallIntegerField(default=0)
    metadata_sha256 = models.CharField(max_length=64, blank=True)
    pack_sha256 = models.CharField(max_length=64, blank=True)
    pack_syntax = models.CharField(max_length=64, blank=True)
    previews = models.JSONField(default=dict)
    layout = models.JSONField(default=dict)

    objects = SeriesQuerySet.as_manager()

    class Meta:
        ordering = ["number", "id"]
        constraints = [models.UniqueConstraint(fields=["study", "series_uid"], name="one_series_a_uid")]


class Instance(Row):
    """One DICOM object. Its bytes are `file_length` bytes at `file_offset` of the stored file `file_sha256`.

    `ranges` are [offset, length] of each frame in the series' pack.
    """

    consultation = models.ForeignKey(Consultation, on_delete=models.CASCADE, related_name="instances")
    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="instances")
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="instances")
    sop_uid = models.CharField(max_length=64)
    sop_class = models.CharField(max_length=64)
    transfer_syntax = models.CharField(max_length=64)
    number = models.IntegerField(null=True)
    position = models.PositiveIntegerField()
    frames = models.PositiveIntegerField(default=1)
    file_sha256 = models.CharField(max_length=64)
    file_offset = models.BigIntegerField(default=0)
    file_length = models.BigIntegerField()
    ranges = models.JSONField(default=list)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["series", "sop_uid"], name="one_instance_a_uid")]


class LeftOut(Row):
    """A part of a document that was not imported, by its name in the archive, and why."""

    consultation = models.ForeignKey(Consultation, on_delete=models.CASCADE)
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="left_out")
    name = models.CharField(max_length=300)
    reason = models.CharField(max_length=40)

    class Meta:
        ordering = ["name"]


class Derived(Row):
    """A copy made for looking at a document; the original stays as it came. Both hashes are recorded."""

    consultation = models.ForeignKey(Consultation, on_delete=models.CASCADE)
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="derived")
    purpose = models.CharField(max_length=20)
    sha256 = models.CharField(max_length=64, db_index=True)
    size = models.BigIntegerField()
    media_type = models.CharField(max_length=100)
    facts = models.JSONField(default=dict)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["document", "purpose"], name="one_copy_a_purpose")]


class Reading(Row):
    """Work that waits for the inspector: read a document's DICOM, render a series, make copies for looking."""

    consultation = models.ForeignKey(Consultation, on_delete=models.CASCADE)
    document = models.ForeignKey(Document, null=True, on_delete=models.CASCADE, related_name="readings")
    series = models.ForeignKey(Series, null=True, on_delete=models.CASCADE, related_name="readings")
    task = models.CharField(max_length=20)
    # What the task is told beside its document or series: boxes to black out, the study to export.
    arguments = models.JSONField(default=dict)
    progress = models.PositiveSmallIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(db_default=Now())
    trouble = models.CharField(max_length=40, blank=True)
    done_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            models.Index(fields=["next_try_at"], condition=models.Q(done_at=None), name="reading_waiting")
        ]


class MarkQuerySet(models.QuerySet["Mark"]):
    """Which marks a person sees."""

    def visible_to(self, actor: Actor) -> "MarkQuerySet":
        """Those of visible requests."""
        return self.filter(consultation__in=Consultation.objects.visible_to(actor))

    def present(self) -> "MarkQuerySet":
        """Those neither taken back nor replaced by a newer edition."""
        return self.filter(removed_at=None)


class Mark(Row):
    """A measure, an arrow, a text, or a surface's fit, drawn by somebody on a picture; shared with the case.

    A change is a new edition that names the one it replaces. `data` are the viewer's own points in mm.
    """

    consultation = models.ForeignKey(Consultation, on_delete=models.CASCADE, related_name="marks")
    series = models.ForeignKey(Series, null=True, on_delete=models.CASCADE, related_name="marks")
    document = models.ForeignKey(Document, null=True, on_delete=models.CASCADE, related_name="marks")
    sop_uid = models.CharField(max_length=64, blank=True)
    frame = models.PositiveIntegerField(default=1)
    kind = models.CharField(max_length=20)
    text = models.CharField(max_length=300, blank=True)
    data = models.JSONField()
    edition = models.PositiveIntegerField(default=1)
    replaces = models.ForeignKey("self", null=True, on_delete=models.SET_NULL)
    author_id = models.UUIDField()
    author_name = models.CharField(max_length=310)
    author_role = models.CharField(max_length=20)
    created_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)

    objects = MarkQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]


class KeyImage(Row):
    """A picture that somebody took of a slice with its marks: a document, with the way back to slice and marks."""

    consultation = models.ForeignKey(Consultation, on_delete=models.CASCADE)
    document = models.OneToOneField(Document, on_delete=models.CASCADE, related_name="key_image")
    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="key_images")
    sop_uid = models.CharField(max_length=64, blank=True)
    frame = models.PositiveIntegerField(default=1)
    view = models.JSONField(default=dict)
