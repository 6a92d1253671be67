"""Documents of a request; the bytes stand in the store under their content's hash."""

from django.db import models

from konsilium.models._base import VersionedRow, choices
from konsilium.models.consultation import Consultation
from konsilium.workflow.document import DOCUMENT_STATE_LABELS, DocumentState
from konsilium.workflow.roles import CENTRE_ROLES, LOOKING_IN, Actor, Role
from konsilium.workflow.words import (
    CONCLUSION_SCAN,
    CONCLUSION_SCAN_LABEL,
    DOCUMENT_KINDS,
    KEY_IMAGE,
    KEY_IMAGE_LABEL,
)


class Withheld(models.Func):
    """Whether a document also holds pictures that the centre isn't shown; the database looks past its own policies."""

    function = "konsilium_withheld"
    output_field = models.BooleanField()


class DocumentQuerySet(models.QuerySet["Document"]):
    """Which documents a person sees."""

    def visible_to(self, actor: Actor) -> "DocumentQuerySet":
        """Those of visible requests; the centre's scans once they are placed, but for the centre and a scan's author."""
        rows = self.filter(consultation__in=Consultation.objects.visible_to(actor))
        if actor.role in CENTRE_ROLES:
            return rows
        unplaced = models.Q(kind=CONCLUSION_SCAN, placed_at=None)
        if actor.role is Role.COUNCIL_MEMBER:
            unplaced &= ~models.Q(author_id=actor.person_id)
        return rows.exclude(unplaced)

    def handed_to(self, actor: Actor) -> "DocumentQuerySet":
        """Those whose bytes this person may have: who looks in, no file that also holds pictures they aren't shown."""
        rows = self.visible_to(actor)
        return (
            rows.alias(withheld=Withheld("pk")).filter(withheld=False) if actor.role in LOOKING_IN else rows
        )

    def present(self) -> "DocumentQuerySet":
        """Those that count: neither removed nor superseded nor refused."""
        gone = (DocumentState.REMOVED, DocumentState.SUPERSEDED, DocumentState.REFUSED)
        return self.exclude(state__in=gone)


class Document(VersionedRow):
    """One file of a request. Its original is kept bit for bit; `sha256` is its address in the store."""

    consultation = models.ForeignKey(Consultation, on_delete=models.CASCADE, related_name="documents")
    state = models.CharField(
        max_length=12, choices=choices(DOCUMENT_STATE_LABELS), default=DocumentState.QUARANTINED
    )
    kind = models.CharField(
        max_length=20,
        choices=[
            *choices(DOCUMENT_KINDS),
            (CONCLUSION_SCAN, CONCLUSION_SCAN_LABEL),
            (KEY_IMAGE, KEY_IMAGE_LABEL),
        ],
    )
    file_name = models.CharField(max_length=160)
    media_type = models.CharField(max_length=100)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64, db_index=True)
    note = models.CharField(max_length=300, blank=True)
    # Which view of the photo protocol a photograph is, by the word of whoever added it.
    photo_view = models.CharField(max_length=24, blank=True)
    # What the check said; "not_checked" where no scanner is configured, and the page says so.
    verdict = models.CharField(max_length=40, blank=True)
    refusal = models.CharField(max_length=300, blank=True)
    added_at = models.DateTimeField()
    author_id = models.UUIDField()
    author_name = models.CharField(max_length=310)
    author_role = models.CharField(max_length=20)
    message = models.ForeignKey("Message", null=True, on_delete=models.SET_NULL, related_name="documents")
    conclusion = models.ForeignKey("Conclusion", null=True, on_delete=models.SET_NULL, related_name="scans")
    # For the centre's scan: when it was placed with its conclusion and so became the requester's to see.
    placed_at = models.DateTimeField(null=True)
    # What the inspector found out: pages, pixels, triangles; never what stands in the document.
    facts = models.JSONField(default=dict)

    objects = DocumentQuerySet.as_manager()

    class Meta:
        ordering = ["added_at", "id"]

    def roles_of(self, actor: Actor) -> frozenset[Role]:
        """Return the actor's hats of the request, if the document is their own (time may do anything)."""
        if actor.role is Role.SYSTEM or self.author_id == actor.person_id:
            return self.consultation.roles_of(actor)
        return frozenset()
