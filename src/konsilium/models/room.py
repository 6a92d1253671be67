"""The room a session is held in: who was there, what was said beside the video, who may enter, what was recorded."""

from django.db import models

from konsilium.models._base import Row, choices
from konsilium.models.session import Session
from konsilium.workflow.rooms import ENGINE_LABELS, GUEST_LABELS, RECORDING_STATE_LABELS
from konsilium.workflow.words import SIDES


class Room(Row):
    """Where a session meets. Our row is the truth; an engine's memory isn't."""

    session = models.OneToOneField(Session, on_delete=models.CASCADE, related_name="room")
    engine = models.CharField(max_length=10, choices=choices(ENGINE_LABELS), default="mesh")
    # The engine's own name and key of it; for an outside one its link, number, PIN and how to join.
    name = models.CharField(max_length=64)
    link = models.URLField(max_length=400, blank=True)
    dial = models.CharField(max_length=200, blank=True)
    pin = models.CharField(max_length=20, blank=True)
    instructions = models.TextField(blank=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    # What everybody looks at together: document or series, slice, window, pointer.
    shared = models.JSONField(default=dict)
    is_recorded = models.BooleanField(default=False)
    # Who asks for a recording, and until somebody ends it: it runs while everybody present says yes.
    recording_asked_by = models.CharField(max_length=310, blank=True)


class Attendance(Row):
    """One presence in a session: whoever comes back within the same page goes on in the same row."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="attendances")
    # The page's own key, made there at random: a lost line comes back with it.
    seat = models.CharField(max_length=40)
    person_id = models.UUIDField(null=True)
    guest_id = models.UUIDField(null=True)
    endpoint_id = models.UUIDField(null=True)
    name = models.CharField(max_length=310)
    organization_name = models.CharField(max_length=120)
    side = models.CharField(max_length=12, choices=choices(SIDES), blank=True)
    role = models.CharField(max_length=16)
    # Empty where the room itself saw it; else who marked it.
    marked_by = models.CharField(max_length=200, blank=True)
    joined_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)
    # Which connection of which process holds it now; a newer one takes over.
    fence = models.PositiveIntegerField(default=1)
    interruptions = models.PositiveSmallIntegerField(default=0)
    seconds_away = models.PositiveIntegerField(default=0)
    # audio, video, screen, hand, mode: what others see of them now.
    state = models.JSONField(default=dict)
    # Samples, worst and mean of loss %, jitter ms, round trip ms, kbit/s each way; seconds in each mode.
    quality = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["session", "joined_at"], name="attendance_of_session")]
        constraints = [models.UniqueConstraint(fields=["session", "seat"], name="one_row_a_seat")]


class Signal(Row):
    """What one page tells another to find a way to it: too long for a notification, kept for a minute."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="signals")
    sender = models.UUIDField()
    # None: for everybody.
    receiver = models.UUIDField(null=True)
    body = models.JSONField()
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["at"], name="signal_old")]


class RoomLine(Row):
    """A line of the room's chat. It stays in the case."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="lines")
    at = models.DateTimeField()
    author_id = models.UUIDField()
    author_name = models.CharField(max_length=310)
    organization_name = models.CharField(max_length=120)
    text = models.TextField()

    class Meta:
        indexes = [models.Index(fields=["session", "at"], name="lines_of_session")]


class SessionGuest(Row):
    """Somebody without an account who may enter one session: a link used once, bound to its time."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="guests")
    kind = models.CharField(max_length=12, choices=choices(GUEST_LABELS))
    name = models.CharField(max_length=200)
    organization_name = models.CharField(max_length=120)
    email = models.EmailField(blank=True)
    side = models.CharField(max_length=12, choices=choices(SIDES))
    invited_by = models.CharField(max_length=200)
    invited_at = models.DateTimeField()
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField()
    link_hash = models.CharField(max_length=64, unique=True)
    used_at = models.DateTimeField(null=True)
    # The browser that used the link.
    cookie_hash = models.CharField(max_length=64, blank=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["session", "invited_at"], name="guests_of_session")]


class Readiness(Row):
    """A side's word before a session that it will be there, by one tap, with what a look at the line said."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="readiness")
    side = models.CharField(max_length=12, choices=choices(SIDES))
    at = models.DateTimeField()
    person_name = models.CharField(max_length=200)
    # The confirmed beginning it was said for; another time asks again.
    starts_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session", "side"], name="ready_once_a_side")]


class RecordingConsent(Row):
    """What one who is present said to being recorded. Without everybody's yes nothing is recorded."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="consents")
    attendance_id = models.UUIDField()
    name = models.CharField(max_length=310)
    at = models.DateTimeField()
    is_given = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "attendance_id"], name="one_consent_a_presence")
        ]


class Recording(Row):
    """One track of a session, encrypted: its own key is sealed by the deployment's."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="recordings")
    attendance_id = models.UUIDField(null=True)
    label = models.CharField(max_length=310)
    kind = models.CharField(max_length=8)
    state = models.CharField(max_length=8, choices=choices(RECORDING_STATE_LABELS))
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    size = models.PositiveBigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    sealed_key = models.BinaryField(default=bytes)
    delete_on = models.DateField(null=True)

    class Meta:
        indexes = [models.Index(fields=["session", "began_at"], name="recordings_of_session")]


class RecordingAccess(Row):
    """Who may listen to a session's recording, given by whom, until when."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="recording_access")
    person_id = models.UUIDField()
    person_name = models.CharField(max_length=310)
    given_by = models.CharField(max_length=310)
    given_at = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session", "person_id"], name="one_access_a_listener")]


class SocketTicket(models.Model):
    """A word that opens one socket once: asked for by a page of the signed-in person or guest, good for half a minute."""

    ticket_hash = models.CharField(max_length=64, primary_key=True)
    # room or test, and which one.
    subject = models.CharField(max_length=8)
    subject_id = models.UUIDField()
    # The hash of the web session's key, or the guest's cookie: asked again while the socket is open.
    key_hash = models.CharField(max_length=64)
    guest_id = models.UUIDField(null=True)
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="ticket_old")]
