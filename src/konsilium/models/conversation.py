"""The thread inside a request: messages, questions with their answers, and who has read how far."""

from django.db import models

from konsilium.models._base import Row
from konsilium.models.consultation import Consultation
from konsilium.workflow.roles import Actor


class MessageQuerySet(models.QuerySet["Message"]):
    """Which messages a person sees."""

    def visible_to(self, actor: Actor) -> "MessageQuerySet":
        """Those of visible requests."""
        return self.filter(consultation__in=Consultation.objects.visible_to(actor))


class Message(Row):
    """One message. A question waits for an answer; an answer names its question."""

    MESSAGE, QUESTION, ANSWER = "message", "question", "answer"

    consultation = models.ForeignKey(Consultation, on_delete=models.CASCADE, related_name="messages")
    kind = models.CharField(
        max_length=8,
        choices=[(MESSAGE, "message"), (QUESTION, "question"), (ANSWER, "answer")],
        default=MESSAGE,
    )
    answers = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="replies")
    text = models.TextField()
    at = models.DateTimeField()
    author_id = models.UUIDField()
    author_name = models.CharField(max_length=310)
    author_role = models.CharField(max_length=20)
    author_organization = models.CharField(max_length=120)

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["consultation", "at"])]


class ReadMark(models.Model):
    """How far a person has read a request: what stirred later is unread."""

    id = models.BigAutoField(primary_key=True)
    consultation = models.ForeignKey(Consultation, on_delete=models.CASCADE)
    person_id = models.UUIDField()
    read_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person_id", "consultation"], name="one_mark_a_person")
        ]
