"""Print forms as they were made, signatures over them, and what checks of the signatures said."""

from django.db import models

from konsilium.models._base import Row, choices
from konsilium.models.consultation import Consultation
from konsilium.workflow.roles import Actor, Role
from konsilium.workflow.signing import (
    FORMAT_LABELS,
    PRINT_KIND_LABELS,
    PRINT_STATE_LABELS,
    SIGNATURE_ROLE_LABELS,
    VERDICT_LABELS,
    Verdict,
)
from konsilium.workflow.words import SIDES, Side

ASKING_ROLES = (Role.REQUESTER, Role.ORG_ADMIN)


class PrintFormQuerySet(models.QuerySet["PrintForm"]):
    """Which print forms a person sees."""

    def visible_to(self, actor: Actor) -> "PrintFormQuerySet":
        """Those of visible requests; the requesting side sees the centre's once they are placed."""
        rows = self.filter(consultation__in=Consultation.objects.visible_to(actor))
        if actor.role in ASKING_ROLES:
            rows = rows.filter(models.Q(side=Side.REQUESTING) | models.Q(placed_at__isnull=False))
        return rows


class PrintForm(Row):
    """A PDF of something as it stood: asked for by a page, made by the worker, never changed.

    `content_sha256` is over the words it was made of: a form of other words is another form.
    """

    consultation = models.ForeignKey(Consultation, on_delete=models.CASCADE, related_name="print_forms")
    kind = models.CharField(max_length=12, choices=choices(PRINT_KIND_LABELS))
    # The conclusion, session or request that is printed.
    subject_id = models.UUIDField()
    edition = models.PositiveSmallIntegerField(default=1)
    # Whose it is: a conclusion's form is the centre's own until it is placed.
    side = models.CharField(max_length=12, choices=choices(SIDES))
    placed_at = models.DateTimeField(null=True)
    content_sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=8, choices=choices(PRINT_STATE_LABELS), default="waiting")
    asked_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    done_at = models.DateTimeField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.PositiveIntegerField(default=0)
    pages = models.PositiveSmallIntegerField(default=0)
    # Since when its author's signature counts and the organisation's is missing; empty when nothing is waited for.
    waits_since = models.DateTimeField(null=True)

    objects = PrintFormQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["asked_at"], condition=models.Q(state="waiting"), name="form_waiting"),
            models.Index(fields=["consultation", "kind", "asked_at"], name="forms_of_a_request"),
            models.Index(
                fields=["waits_since", "id"],
                condition=models.Q(waits_since__isnull=False),
                name="form_waits_organization",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject_id", "edition", "content_sha256"], name="one_form_a_content"
            )
        ]


class SignatureQuerySet(models.QuerySet["Signature"]):
    """Which signatures a person sees."""

    def visible_to(self, actor: Actor) -> "SignatureQuerySet":
        """Those over visible print forms."""
        return self.filter(form__in=PrintForm.objects.visible_to(actor))


class Signature(Row):
    """A signature as it was brought, kept bit for bit. What it is worth is the newest check's word."""

    consultation = models.ForeignKey(Consultation, on_delete=models.CASCADE, related_name="signatures")
    form = models.ForeignKey(PrintForm, on_delete=models.PROTECT, related_name="signatures")
    role = models.CharField(max_length=14, choices=choices(SIGNATURE_ROLE_LABELS))
    person_id = models.UUIDField()
    person_name = models.CharField(max_length=310)
    # What the certificate's own is compared with; shown nowhere.
    person_snils = models.CharField(max_length=11, blank=True)
    organization_name = models.CharField(max_length=500)
    position = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()
    format = models.CharField(max_length=6, choices=choices(FORMAT_LABELS))
    # The CMS itself, or the signed PDF, in the store.
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    # Void where the paper was given back: another edition is signed instead.
    void_at = models.DateTimeField(null=True)
    verdict = models.CharField(max_length=20, choices=choices(VERDICT_LABELS), default=Verdict.WAITING)
    # What the certificate says: subject, issuer, serial, from, until, algorithm; and the time in the signature.
    certificate = models.JSONField(default=dict)
    signed_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)

    objects = SignatureQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["consultation", "at"], name="signatures_of_a_request"),
            models.Index(fields=["at"], condition=models.Q(verdict="waiting"), name="signature_waiting"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["form", "role", "person_id"],
                condition=models.Q(void_at=None),
                name="one_signature_a_role",
            )
        ]


class SignatureCheck(Row):
    """One check of a signature: when, by what, its word, and the material it was checked with."""

    consultation = models.ForeignKey(Consultation, on_delete=models.CASCADE, related_name="+")
    signature = models.ForeignKey(Signature, on_delete=models.CASCADE, related_name="checks")
    at = models.DateTimeField()
    verifier = models.CharField(max_length=60)
    verdict = models.CharField(max_length=20, choices=choices(VERDICT_LABELS))
    details = models.JSONField(default=dict)
    # Certificates and revocation lists as they were then, one bundle in the store.
    material_sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        indexes = [models.Index(fields=["signature", "at"], name="checks_of_a_signature")]
