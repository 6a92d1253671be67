"""What is still to be told, and what each person was told. No medical content in either."""

from django.db import models

from konsilium.models._base import Row


class Delivery(Row):
    """A pending happening: written with it in one transaction, emptied by the worker, parked after ten tries."""

    event_id = models.UUIDField(unique=True)
    is_desk_event = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    next_try_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    done_at = models.DateTimeField(null=True)
    parked_at = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["next_try_at"],
                name="delivery_waits",
                condition=models.Q(done_at=None, parked_at=None),
            )
        ]


class Notice(Row):
    """One thing told to one person: in the product always, by e-mail where there is an address."""

    event_id = models.UUIDField()
    person_id = models.UUIDField()
    membership_id = models.UUIDField(null=True)
    kind = models.CharField(max_length=40)
    # The number people say aloud, and the page to open; never a patient.
    number = models.CharField(max_length=40, blank=True)
    path = models.CharField(max_length=200, blank=True)
    consultation_id = models.UUIDField(null=True)
    # True until the request or its council moves on, whoever moved it.
    needs_action = models.BooleanField(default=False)
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    mail_to = models.EmailField(blank=True)
    mail_due_at = models.DateTimeField(null=True)
    mail_tries = models.PositiveSmallIntegerField(default=0)
    mailed_at = models.DateTimeField(null=True)
    mail_parked_at = models.DateTimeField(null=True)
    mail_trouble = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event_id", "person_id"], name="told_once")]
        indexes = [
            models.Index(fields=["person_id", "-at", "-id"], name="notices_of_a_person"),
            models.Index(fields=["person_id"], name="notices_unread", condition=models.Q(read_at=None)),
            models.Index(fields=["consultation_id"], name="notices_of_a_request"),
            models.Index(
                fields=["mail_due_at"],
                name="mail_waits",
                condition=models.Q(mailed_at=None, mail_parked_at=None) & ~models.Q(mail_due_at=None),
            ),
        ]
