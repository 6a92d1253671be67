"""WADO-RS: metadata, frames, whole objects and pictures of what a request holds; bytes by ranges, nothing is parsed."""

import json
import re
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase
from django.utils.cache import patch_vary_headers

from konsilium.actions.documents import store
from konsilium.adapters.storage import NotStored
from konsilium.models import Consultation, Instance, Series
from konsilium.web.dicomweb import finding, media
from konsilium.web.dicomweb.answers import GONE, Piece, kept, refused, sent, unchanged
from konsilium.web.dicomweb.search import NO_JSON, accept
from konsilium.web.http import found
from konsilium.workflow.words import N_

SOON = 5
_NUMBER = re.compile(r"0{0,3}[1-9][0-9]{0,6}")
NOT_YET = N_("The pictures of this series are still being prepared. Ask again in a few seconds.")
NEVER = N_("The pictures of this series could not be made. The file itself can be downloaded.")
NO_FRAME = N_("There is no such frame.")
BAD_FRAMES = N_("Frames are numbers from 1, separated by commas.")
OTHER_SYNTAX = N_("The frames are only there in transfer syntax %(syntax)s.")
OTHER_OBJECT = N_("This object is only there as application/dicom, in the transfer syntax it came in.")


def metadata(request: Any, pk: UUID, study: str, series: str = "", instance: str = "") -> HttpResponseBase:
    """Send the metadata of a series as it stands in the store, or that of a study or one instance out of it."""
    rows = finding.series(request.actor, pk, study=study, series=series)
    shown = list(rows.select_related("consultation"))
    if not shown or (instance and not _instances(request, pk, study, series, instance).exists()):
        raise Http404
    finding.remember_all(request, shown)
    accepted = media.choose(accept(request), (media.JSON, "application/json"))
    if accepted is None:
        return refused(406, NO_JSON)
    unready = [row for row in shown if not row.metadata_sha256]
    if unready:
        return _not_ready(unready[0].state)
    mark = "-".join((*(row.metadata_sha256 for row in shown), *([instance] if instance else [])))
    return unchanged(request, mark) or _metadata(request, shown, instance, accepted, mark)


def _metadata(request: Any, rows: list[Series], instance: str, accepted: str, mark: str) -> HttpResponseBase:
    texts = [_whole(row.metadata_sha256) for row in rows]
    text = texts[0] if len(texts) == 1 and not instance else _picked(texts, instance)
    return kept(request, HttpResponse(text, content_type=accepted), mark)


def _picked(texts: list[bytes], instance: str) -> bytes:
    """Join our own JSON of several series, or take one instance out of it."""
    every = [one for text in texts for one in json.loads(text)]
    chosen = [one for one in every if not instance or one.get("00080018", {}).get("Value") == [instance]]
    return json.dumps(chosen, ensure_ascii=False, separators=(",", ":")).encode()


def _whole(sha256: str) -> bytes:
    return b"".join(store().open_range(sha256))


def frames(request: Any, pk: UUID, study: str, series: str, instance: str, numbers: str) -> HttpResponseBase:
    """Send frames out of the series' pack, in the order asked for: one query, one range of the pack each."""
    place = found(finding.frames_of(request.actor, pk, study, series, instance))
    case = Consultation(pk=pk, state=place.consultation_state)
    finding.remember(case, place.study_id, actor=request.actor, at=request.at)
    wanted = numbers_of(numbers)
    if wanted is None:
        return refused(400, BAD_FRAMES)
    if not place.ranges:
        return _not_ready(place.state)
    if max(wanted) > len(place.ranges):
        return refused(404, NO_FRAME)
    return _frames(request, place, wanted)


def _frames(request: Any, place: finding.Place, wanted: list[int]) -> HttpResponseBase:
    pack, syntax = place.pack_sha256, place.pack_syntax
    chosen = media.choose_frames(accept(request), syntax, len(wanted))
    if chosen is None:
        return refused(406, OTHER_SYNTAX, syntax=syntax)
    kind = f"{chosen.media_type}; transfer-syntax={syntax}"
    ranges = (place.ranges[number - 1] for number in wanted)
    pieces = [Piece(pack, start, length, kind) for start, length in ranges]
    starts = "-".join(str(piece.start) for piece in pieces)
    mark = f"{pack}-{starts}-{'parts' if chosen.is_multipart else 'alone'}"
    return unchanged(request, mark) or kept(request, _sent(pieces, chosen), mark)


def _sent(pieces: list[Piece], chosen: media.Answer) -> HttpResponseBase:
    try:
        response = sent(pieces, chosen.media_type, is_multipart=chosen.is_multipart)
    except NotStored:
        return refused(503, GONE)
    patch_vary_headers(response, ["Accept"])
    return response


def numbers_of(text: str) -> list[int] | None:
    """Read a list of frames' numbers; None where it is none."""
    parts = text.split(",")
    if not all(_NUMBER.fullmatch(part) for part in parts):
        return None
    return [int(part) for part in parts]


def objects(request: Any, pk: UUID, study: str, series: str = "", instance: str = "") -> HttpResponseBase:
    """Send whole DICOM objects as they came, only their preambles wiped: one, a series' or a study's."""
    rows = _instances(request, pk, study, series, instance).select_related("series", "consultation")
    shown = list(rows.order_by("series__number", "series_id", "position"))
    if not shown:
        raise Http404
    finding.remember(shown[0].consultation, shown[0].series.study_id, actor=request.actor, at=request.at)
    chosen = [media.choose_instance(accept(request), row.transfer_syntax) for row in shown]
    if any(one is None or (len(shown) > 1 and not one.is_multipart) for one in chosen):
        return refused(406, OTHER_OBJECT)
    return _objects(shown, is_multipart=all(one is None or one.is_multipart for one in chosen))


def _objects(rows: list[Instance], *, is_multipart: bool) -> HttpResponseBase:
    pieces = [
        Piece(row.file_sha256, row.file_offset, row.file_length, _object_type(row), is_object=True)
        for row in rows
    ]
    return _sent(pieces, media.Answer(media.DICOM, "", is_multipart))


def _object_type(row: Instance) -> str:
    return f"{media.DICOM}; transfer-syntax={row.transfer_syntax}"


def _instances(request: Any, pk: UUID, study: str, series: str, instance: str) -> QuerySet[Instance]:
    return finding.instances(request.actor, pk, study=study, series=series, instance=instance)


def _not_ready(state: str) -> HttpResponse:
    if state == Series.FAILED:
        return refused(404, NEVER)
    return refused(503, NOT_YET, again=SOON)
