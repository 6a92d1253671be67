"""The signatory's desk: the centre's documents whose author has signed and that wait for the organisation's signature.

A row says which request and whose words it is; the patient stands in the document alone.
"""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from konsilium.actions.signing import SIGNED_IN, is_current
from konsilium.models import Conclusion, PrintForm, Signature
from konsilium.web.clockface import local
from konsilium.web.signing.panel import name_of
from konsilium.web.signing.texts import texts
from konsilium.workflow.roles import Actor
from konsilium.workflow.signing import COUNTING, LAST_OF_AUTHORS, Verdict

PAGE = 50
After = tuple[datetime, UUID]


def show_list(request: Any) -> HttpResponse:
    """Show what waits, the longest waiting first; several are signed one after the other by the plug-in."""
    after = _after(request.GET.get("after", ""))
    forms = waiting(actor=request.actor, after=after)
    rows = _rows(forms[:PAGE], request.actor)
    context = {
        "rows": rows,
        "any_ready": any(row["is_ready"] for row in rows),
        "first_url": reverse("signing:list") if after else "",
        "next_url": _address(forms[PAGE - 1]) if len(forms) > PAGE else "",
        "config": {"texts": texts()},
    }
    return render(request, "signing/list.html", context)


def waiting(*, actor: Actor, after: After | None = None) -> list[PrintForm]:
    """Return the next PAGE forms and one more, by how long they wait (one query)."""
    rows = PrintForm.objects.visible_to(actor).filter(waits_since__isnull=False, state="ready")
    # What a closed request has overtaken is signed by nobody any more.
    rows = rows.filter(consultation__state__in=SIGNED_IN)
    if after:
        moment, pk = after
        rows = rows.filter(Q(waits_since__gt=moment) | Q(waits_since=moment, pk__gt=pk))
    return list(rows.select_related("consultation").order_by("waits_since", "pk")[: PAGE + 1])


def _rows(forms: list[PrintForm], actor: Actor) -> list[dict[str, Any]]:
    """Return the rows in words (two queries, however many they are)."""
    subjects = Conclusion.objects.in_bulk([form.subject_id for form in forms])
    last = {form.pk: LAST_OF_AUTHORS[form.kind] for form in forms}
    given = Signature.objects.filter(form__in=list(last), void_at=None, verdict__in=COUNTING)
    signed = {one.form_id: one for one in given.order_by("at") if one.role == last[one.form_id]}
    return [_row(form, subjects.get(form.subject_id), signed.get(form.pk), actor) for form in forms]


def _row(
    form: PrintForm, subject: Conclusion | None, signed: Signature | None, actor: Actor
) -> dict[str, Any]:
    return {
        "pk": form.pk,
        "number": form.consultation.number,
        "name": name_of(form),
        "pages": form.pages,
        "author": signed.person_name if signed else "",
        "position": signed.position if signed else "",
        "is_unchecked": signed is not None and signed.verdict == Verdict.UNCHECKED,
        "since": local(form.waits_since, actor.time_zone),
        "is_ready": subject is not None and is_current(form, subject),
        "sha256": form.sha256,
        "url": reverse("signing:show", args=[form.pk]),
        "sign_url": reverse("signing:sign", args=[form.pk]),
        "document_url": reverse("signing:document", args=[form.pk]),
    }


def _address(last: PrintForm) -> str:
    moment = last.waits_since.isoformat() if last.waits_since else ""
    return f"{reverse('signing:list')}?{urlencode({'after': f'{moment},{last.pk}'})}"


def _after(text: str) -> After | None:
    moment, _, pk = text.partition(",")
    try:
        since = datetime.fromisoformat(moment)
        return (since, UUID(pk)) if since.tzinfo else None
    except ValueError:
        return None
