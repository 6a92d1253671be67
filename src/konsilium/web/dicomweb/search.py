"""QIDO-RS: which studies, series and instances of a request there are."""

import json
from collections.abc import Iterable
from itertools import groupby
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils.cache import patch_vary_headers

from konsilium.models import Consultation, Instance, Series
from konsilium.web.dicomweb import finding, media
from konsilium.web.dicomweb.answers import refused
from konsilium.web.dicomweb.attributes import (
    Attributes,
    instance_attributes,
    matches,
    series_attributes,
    study_attributes,
    unknown,
)
from konsilium.web.http import found
from konsilium.workflow.words import N_

# Names of a query that narrow nothing.
_ABOUT_THE_ANSWER = ("includefield", "fuzzymatching", "limit", "offset", "accept", "v")
NO_JSON = N_("This is only there as application/dicom+json.")
NO_NUMBER = N_("limit and offset must be whole numbers.")


def studies(request: Any, pk: UUID) -> HttpResponse:
    """List the request's studies."""
    rows = _series(request, pk)
    by_study = groupby(sorted(rows, key=lambda row: str(row.study_id)), key=lambda row: row.study)
    described = (_study(request, pk, study, list(own)) for study, own in by_study)
    return _listed(request, described)


def _study(request: Any, pk: UUID, study: Any, rows: list[Series]) -> Attributes:
    return study_attributes(study, rows, address(request, "study", pk=pk, study=study.study_uid))


def series(request: Any, pk: UUID, study: str = "") -> HttpResponse:
    """List the request's series, or those of one study."""
    rows = _series(request, pk, study)
    return _listed(request, (_one_series(request, pk, row) for row in _of_patient(request, rows)))


def _one_series(request: Any, pk: UUID, row: Series) -> Attributes:
    where = {"pk": pk, "study": row.study.study_uid, "series": row.series_uid}
    return series_attributes(row, address(request, "series", **where))


def instances(request: Any, pk: UUID, study: str = "", series: str = "") -> HttpResponse:
    """List instances: the request's, a study's, or a series'."""
    shown = _of_patient(request, _series(request, pk, study, series))
    known = {row.pk: _one_series(request, pk, row) for row in shown}
    rows = finding.instances(request.actor, pk, study=study, series=series).select_related("series__study")
    ordered = rows.order_by("series__number", "series_id", "position")
    described = (
        known[row.series_id] | _instance(request, pk, row) for row in ordered if row.series_id in known
    )
    return _listed(request, described)


def _instance(request: Any, pk: UUID, row: Instance) -> Attributes:
    where = {"pk": pk, "study": row.series.study.study_uid, "series": row.series.series_uid}
    return instance_attributes(row, address(request, "instance", **where, instance=row.sop_uid))


def _series(request: Any, pk: UUID, study: str = "", series: str = "") -> list[Series]:
    """Return the series that the person sees, logged as read; a request that isn't theirs isn't there.

    A study or series that isn't in the request has simply nothing in it.
    """
    found(Consultation.objects.visible_to(request.actor).filter(pk=pk).first())
    rows = finding.series(request.actor, pk, study=study, series=series).select_related(
        "study", "consultation"
    )
    shown = list(rows)
    finding.remember_all(request, shown)
    return shown


def _of_patient(request: Any, rows: list[Series]) -> Iterable[Series]:
    """Narrow series by what the query says of their studies: patient, date, modalities."""
    query = _query(request)
    return (row for row in rows if matches(study_attributes(row.study, [row], ""), query))


def _query(request: Any) -> dict[str, str]:
    return {name: text for name, text in request.GET.items() if name.lower() not in _ABOUT_THE_ANSWER}


def _listed(request: Any, described: Iterable[Attributes]) -> HttpResponse:
    """Answer with what matches the query, from `offset`, at most `limit`."""
    accepted = media.choose(accept(request), (media.JSON, "application/json"))
    if accepted is None:
        return refused(406, NO_JSON)
    offset, limit = request.GET.get("offset", "0"), request.GET.get("limit", "")
    if not _is_number(offset) or (limit and not _is_number(limit)):
        return refused(400, NO_NUMBER)
    query = _query(request)
    rows = [one for one in described if matches(one, query)][int(offset) :]
    response = HttpResponse(_text(rows[: int(limit)] if limit else rows), content_type=accepted)
    ignored = unknown(query)
    if ignored:
        response.headers["Warning"] = f'299 konsilium "not searched by: {_plain(ignored)}"'
    response.headers["Cache-Control"] = "private, no-cache"
    patch_vary_headers(response, ["Accept"])
    return response


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10  # noqa: PLR2004  more rows than there ever are


def _plain(names: list[str]) -> str:
    """Only what can stand in a header: somebody else's words don't."""
    return ", ".join(name for name in names if name.isascii() and name.isalnum())[:200]


def _text(rows: list[Attributes]) -> str:
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))


def accept(request: Any) -> str:
    """Return what the asker accepts: by the query's `accept`, or by the header."""
    text: str = request.GET.get("accept", "") or request.headers.get("Accept", "")
    return text


def address(request: Any, name: str, **where: Any) -> str:
    """Return the absolute address under which it is retrieved."""
    whole: str = request.build_absolute_uri(reverse(f"dicomweb:{name}", kwargs=where))
    return whole
