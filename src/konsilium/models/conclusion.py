"""Conclusions: a draft is its author's, a placed one is never changed, a correction is a new version."""

from django.db import models

from konsilium.models._base import Row, VersionedRow, choices
from konsilium.models.consultation import Consultation, Question
from konsilium.models.council import Council
from konsilium.models.organization import Organization
from konsilium.workflow.roles import Actor, Role
from konsilium.workflow.words import CERTAINTIES, GOALS, KINDS, MODES, URGENCIES


class ConclusionQuerySet(models.QuerySet["Conclusion"]):
    """Which conclusions a person sees."""

    def visible_to(self, actor: Actor) -> "ConclusionQuerySet":
        """Placed ones of visible requests; a draft is for the consultant alone."""
        rows = self.filter(consultation__in=Consultation.objects.visible_to(actor))
        return rows if actor.role == Role.CONSULTANT else rows.exclude(placed_at=None)


class Conclusion(VersionedRow):
    """One version of a conclusion. `placed_at` empty: a draft; `superseded_at` set: a newer one was placed."""

    consultation = models.ForeignKey(Consultation, on_delete=models.CASCADE, related_name="conclusions")
    edition = models.PositiveSmallIntegerField()
    author_id = models.UUIDField()
    author_name = models.CharField(max_length=310)
    author_position = models.CharField(max_length=200, blank=True)
    author_specialty = models.CharField(max_length=200, blank=True)
    author_organization = models.CharField(max_length=500)
    kind = models.CharField(max_length=14, choices=choices(KINDS), default="consultation")
    mode = models.CharField(max_length=10, choices=choices(MODES), default="deferred")
    goal = models.CharField(max_length=14, choices=choices(GOALS), blank=True)
    diagnosis_code = models.CharField(max_length=10, blank=True)
    diagnosis_text = models.TextField(blank=True)
    diagnosis_certainty = models.CharField(max_length=12, choices=choices(CERTAINTIES), blank=True)
    text = models.TextField(blank=True)
    visit_needed = models.BooleanField(default=False)
    admission_needed = models.BooleanField(default=False)
    repeat_needed = models.BooleanField(default=False)
    next_date = models.DateField(null=True)
    correction = models.TextField(blank=True)
    # The sections of the profile's template, by their codes.
    sections = models.JSONField(default=dict)
    # A council's protocol is a conclusion that its secretary writes.
    council = models.ForeignKey(Council, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    placed_at = models.DateTimeField(null=True)
    superseded_at = models.DateTimeField(null=True)

    objects = ConclusionQuerySet.as_manager()

    class Meta:
        ordering = ["edition"]
        constraints = [
            models.UniqueConstraint(fields=["consultation", "edition"], name="one_conclusion_an_edition"),
            models.UniqueConstraint(
                fields=["consultation"], condition=models.Q(placed_at=None), name="one_conclusion_draft"
            ),
        ]


class Answer(Row):
    """The conclusion's answer to one of the requester's questions."""

    conclusion = models.ForeignKey(Conclusion, on_delete=models.CASCADE, related_name="answers")
    # The database itself lets a draft's answer go with its question (migration 0002): the requester, who takes a
    # question back while more is asked, sees no draft.
    question = models.ForeignKey(Question, on_delete=models.PROTECT, db_constraint=False)
    text = models.TextField(blank=True)

    class Meta:
        ordering = ["question__number"]
        constraints = [
            models.UniqueConstraint(fields=["conclusion", "question"], name="one_answer_a_question")
        ]


class Recommendation(Row):
    """One thing recommended, and how soon."""

    conclusion = models.ForeignKey(Conclusion, on_delete=models.CASCADE, related_name="items")
    number = models.PositiveSmallIntegerField()
    text = models.TextField()
    urgency = models.CharField(max_length=12, choices=choices(URGENCIES), default="planned")

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(
                fields=["conclusion", "number"],
                name="one_recommendation_a_number",
                deferrable=models.Deferrable.DEFERRED,
            )
        ]


class Studied(Row):
    """A document of the case that the author has studied, by the name it had."""

    conclusion = models.ForeignKey(Conclusion, on_delete=models.CASCADE, related_name="studied")
    # No key of the database: the conclusion outlives the pictures' term.
    document_id = models.UUIDField()
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=24)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["conclusion", "document_id"], name="a_document_studied_once")
        ]


class ConclusionPicture(Row):
    """A key image with its marks that the conclusion shows, in its order."""

    conclusion = models.ForeignKey(Conclusion, on_delete=models.CASCADE, related_name="pictures")
    # The document of a KeyImage, by the same rule as above.
    document_id = models.UUIDField()
    number = models.PositiveSmallIntegerField()
    caption = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["conclusion", "document_id"], name="a_picture_once")]


class Phrase(Row):
    """Words that a consultant uses again: their own, or their centre's. No patient's words stand here."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="phrases")
    # None: the whole centre's.
    person_id = models.UUIDField(null=True)
    title = models.CharField(max_length=120)
    text = models.TextField()
    used = models.PositiveIntegerField(default=0)
    updated_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["organization", "person_id", "-used"], name="phrases_by_use")]
