"""Studies by themselves, what is sent of them, names on pictures, and de-identified copies."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core import signing
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from konsilium.actions import imaging_choices
from konsilium.actions._record import record_viewing
from konsilium.actions._step import NotThere
from konsilium.actions.imaging_choices import Box, copy_purpose
from konsilium.models import Derived, Reading, Series, Study
from konsilium.web.consultation.moving import case
from konsilium.web.documents.handing_out import TICKET_SECONDS, attachment
from konsilium.web.documents.panel import size
from konsilium.web.http import again, found, words
from konsilium.web.studies.panel import panel, preview
from konsilium.web.studies.patient import study_name
from konsilium.workflow.machine import Refused

_SALT = "study copy"
# The largest picture of a series that the inspector made, by its usual names.
PICTURES = ("picture", "coronal", "thumbnail")
ROWS_OF_BOXES = 4


def show(request: Any, pk: UUID) -> HttpResponse:
    """Show a request's studies: the panel alone to a page that asks again by itself, else a page of its own."""
    row = case(request, pk)
    context = {
        "row": row,
        "panel": panel(row, actor=request.actor, at=request.at, roles=row.roles_of(request.actor)),
    }
    template = "studies/_panel.html" if request.headers.get("HX-Request") else "studies/show.html"
    return render(request, template, context)


@require_POST
def include(request: Any, pk: UUID) -> HttpResponse:
    """Tick or untick a series for the centre."""
    series = _series(request, pk)
    wanted = request.POST.get("wanted") == "1"
    try:
        imaging_choices.include(series, wanted, actor=request.actor, at=request.at)
    except Refused as refusal:
        messages.error(request, words(refusal), extra_tags="bad")
    except NotThere as gone:
        raise Http404 from gone
    if request.headers.get("HX-Request"):
        return show(request, series.consultation_id)
    return redirect(_back(series))


def names(request: Any, pk: UUID) -> HttpResponse:
    """Ask whether names stand on a series' pictures; answered, go on to the boxes, or have them blacked out."""
    series = _series(request, pk)
    if request.method != "POST":
        return render(request, "studies/names.html", _names(series))
    go = request.POST.get("go", "")
    try:
        if go == "hide":
            boxes = list(_boxes(request.POST))
            imaging_choices.black_out(series, boxes, actor=request.actor, at=request.at)
            messages.success(
                request, gettext("The names are being blacked out. The original stays with you.")
            )
        else:
            there = go == "there"
            imaging_choices.answer_names(series, there, actor=request.actor, at=request.at)
            if there:
                return redirect("studies:names", series.pk)
    except Refused as refusal:
        return again(request, "studies/names.html", _names(series) | {"refusal": words(refusal)})
    except NotThere as gone:
        raise Http404 from gone
    return redirect(_back(series))


def _boxes(form: Any) -> Any:
    """Yield the boxes of the form's rows; a row that isn't four numbers is none."""
    columns = [form.getlist(name) for name in ("left", "top", "width", "height")]
    for row in zip(*columns, strict=False):
        if all(part.strip().isdecimal() for part in row):
            yield Box(*(min(int(part), 1_000_000) for part in row))


def _names(series: Series) -> dict[str, Any]:
    return {
        "series": series,
        "row": series.consultation,
        "back": _back(series),
        "picture": next(filter(None, (preview(series, name) for name in PICTURES)), ""),
        "rows": range(ROWS_OF_BOXES),
        "boxed": Reading.objects.filter(series=series, task="black_out").exists(),
    }


def _back(series: Series) -> str:
    state = series.consultation.state
    page = "drafting:edit" if state in imaging_choices.IN_WORK else "consultation:show"
    return reverse(page, args=[series.consultation_id]) + "#studies"


def export(request: Any, pk: UUID) -> HttpResponse:
    """Show what a de-identified copy of a study is and isn't; sent, let the inspector make one."""
    study = _study(request, pk)
    if request.method == "POST":
        try:
            imaging_choices.export(study, actor=request.actor, at=request.at)
        except NotThere as gone:
            raise Http404 from gone
        return redirect("studies:export", study.pk)
    readings = Reading.objects.filter(consultation=study.consultation, task="deidentify", done_at=None)
    waiting = next((one for one in readings if one.arguments.get("study") == str(study.pk)), None)
    copy = _copy(request, study)
    context = {
        "study": study,
        "row": study.consultation,
        "title": study_name(study),
        "count": len(imaging_choices.shown_series(study, request.actor)),
        "waiting": waiting,
        "copy": copy,
        "size": size(copy.size) if copy else "",
    }
    return render(request, "studies/export.html", context)


def _copy(request: Any, study: Study) -> Derived | None:
    """Return the copy of exactly what this person sees of the study now; one of other series is none."""
    rows = Derived.objects.filter(consultation=study.consultation, purpose=copy_purpose(study.pk))
    copy = rows.order_by("-made_at").first()
    uids = imaging_choices.shown_series(study, request.actor)
    return copy if copy and copy.facts.get("series") == uids else None


def take_copy(request: Any, pk: UUID) -> HttpResponse:
    """Log that the person takes a study's de-identified copy, and send them to its bytes with a ticket for a minute."""
    study = _study(request, pk)
    found(_copy(request, study))
    record_viewing(study.consultation, "study", study.pk, actor=request.actor, at=request.at)
    ticket = signing.dumps([str(study.pk), str(request.actor.membership_id)], salt=_SALT, compress=True)
    return redirect("studies:file", ticket=ticket)


def file(request: Any, ticket: str) -> HttpResponseBase:
    """Hand out a de-identified copy to the person the ticket was made for, while it is fresh."""
    try:
        study_id, membership_id = signing.loads(ticket, salt=_SALT, max_age=TICKET_SECONDS)
    except signing.SignatureExpired:
        return render(request, "documents/expired.html", status=410)
    except signing.BadSignature as bad:
        raise Http404 from bad
    if membership_id != str(request.actor.membership_id):
        raise Http404
    study = _study(request, study_id)
    copy = found(_copy(request, study))
    name = f"{study.consultation.number}-{study.pk.hex[-6:]}.zip"
    return attachment(request, copy.sha256, copy.size, copy.media_type, name)


def _series(request: Any, pk: UUID) -> Series:
    rows = Series.objects.visible_to(request.actor).select_related("consultation")
    return found(rows.filter(pk=pk).first())


def _study(request: Any, pk: UUID) -> Study:
    """Return a study of which this person sees a series."""
    seen = Series.objects.visible_to(request.actor).filter(study_id=pk)
    rows = Study.objects.select_related("consultation").filter(pk__in=seen.values("study_id"))
    return found(rows.first())
