"""A form's signatures in words: who, when, by which certificate, and what their newest check said."""

from datetime import datetime
from typing import Any

from django.db.models import Prefetch
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext

from konsilium.actions.signing import forms_of, is_configured, is_current
from konsilium.models import Conclusion, PrintForm, Signature, SignatureCheck
from konsilium.web.clockface import local
from konsilium.workflow.roles import Actor
from konsilium.workflow.signing import (
    FORMAT_LABELS,
    PRINT_KIND_LABELS,
    SIGNATURE_ROLE_LABELS,
    VERDICT_LABELS,
    SignatureRole,
    Verdict,
)

# Only a checked signature is green; one that nobody checked is never.
TONES = {Verdict.VALID: "good", Verdict.WAITING: "", Verdict.UNCHECKED: "warn"}


def name_of(form: PrintForm) -> str:
    """Return what a form is called: its kind, and its edition from the second on."""
    name = gettext(PRINT_KIND_LABELS[form.kind])
    return f"{name}, {gettext('edition')} {form.edition}" if form.edition > 1 else name


def panel(form: PrintForm, *, actor: Actor) -> dict[str, Any]:
    """Return a form's signatures for the template `signing/_panel.html` (two queries)."""
    checks = Prefetch("checks", SignatureCheck.objects.order_by("-at", "-id"), to_attr="newest_first")
    rows = Signature.objects.visible_to(actor).filter(form=form).order_by("at", "id").prefetch_related(checks)
    signatures = [_signature(row, actor) for row in rows]
    return {
        "address": reverse("signing:show", args=[form.pk]),
        "signatures": [one for one in signatures if not one["is_void"]],
        "void": [one for one in signatures if one["is_void"]],
        "is_checked_here": is_configured(),
        "export_url": reverse("signing:export", args=[form.pk]) if signatures else "",
    }


def of_conclusion(subject: Conclusion, *, actor: Actor) -> dict[str, Any] | None:
    """Return a conclusion's document with its signatures in short: the signed one, else the newest (two queries)."""
    standing = Prefetch(
        "signatures", Signature.objects.filter(void_at=None).order_by("at", "id"), to_attr="standing"
    )
    visible = forms_of(subject) & PrintForm.objects.visible_to(actor)
    form = visible.prefetch_related(standing).first()
    if form is None:
        return None
    return {
        "url": reverse("signing:show", args=[form.pk]),
        "is_current": is_current(form, subject),
        "signatures": [_in_short(one) for one in form.standing],
    }


def _in_short(row: Signature) -> dict[str, str]:
    verdict = Verdict(row.verdict)
    return {
        "role": gettext(SIGNATURE_ROLE_LABELS[SignatureRole(row.role)]),
        "who": row.person_name,
        "verdict": gettext(VERDICT_LABELS[verdict]),
        "tone": TONES.get(verdict, "bad"),
    }


def _signature(row: Signature, actor: Actor) -> dict[str, Any]:
    zone = actor.time_zone
    return {
        "pk": row.pk,
        "role": gettext(SIGNATURE_ROLE_LABELS[SignatureRole(row.role)]),
        "who": ", ".join(filter(None, (row.person_name, row.position))),
        "organization": row.organization_name,
        "brought": local(row.at, zone),
        "is_void": row.void_at is not None,
        "verdict": gettext(VERDICT_LABELS[Verdict(row.verdict)]),
        "verdict_code": row.verdict,
        "tone": TONES.get(Verdict(row.verdict), "bad"),
        "is_waiting": row.verdict == Verdict.WAITING,
        "facts": [(label, value) for label, value in _facts(row, zone) if value],
        "checks": [_check(check, zone) for check in row.newest_first],  # type: ignore[attr-defined]
    }


def _facts(row: Signature, zone: str) -> list[tuple[str, str]]:
    certificate = row.certificate
    personal = " ".join(filter(None, (certificate.get("family"), certificate.get("given"))))
    valid = [_moment(certificate.get(name, ""), zone) for name in ("from", "until")]
    return [
        (gettext("Certificate of"), personal or certificate.get("name", "")),
        (gettext("Organisation in the certificate"), certificate.get("organization", "")),
        (gettext("OGRN in the certificate"), certificate.get("ogrn", "")),
        (gettext("Issued by"), certificate.get("issuer", "")),
        (gettext("Serial number"), certificate.get("serial", "")),
        (gettext("Certificate valid"), " — ".join(filter(None, valid))),
        (gettext("Algorithm"), certificate.get("algorithm", "")),
        (gettext("Time in the signature"), local(row.signed_at, zone)),
        (gettext("Form of the signature"), gettext(FORMAT_LABELS[row.format])),
    ]


def _moment(text: str, zone: str) -> str:
    moment: datetime | None = parse_datetime(text) if text else None
    return local(moment, zone)


def _check(check: SignatureCheck, zone: str) -> dict[str, str]:
    return {
        "at": local(check.at, zone),
        "verdict": gettext(VERDICT_LABELS[Verdict(check.verdict)]),
        "verifier": check.verifier,
    }
