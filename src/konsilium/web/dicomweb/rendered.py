"""WADO-RS "rendered": frames as plain JPEG, for programs that can't window by themselves.

The inspector makes them for a whole series once somebody asks; until then the asker is told when to ask again.
"""

from typing import Any
from uuid import UUID

from django.http import HttpResponseBase

from konsilium.actions import picturing
from konsilium.adapters.storage import NotStored
from konsilium.web.dicomweb import finding, media
from konsilium.web.dicomweb.answers import GONE, Piece, kept, refused, sent, unchanged
from konsilium.web.dicomweb.retrieve import BAD_FRAMES, NEVER, NO_FRAME, NOT_YET, SOON, numbers_of
from konsilium.web.dicomweb.search import accept
from konsilium.web.http import found
from konsilium.workflow.words import N_

JPEG = "image/jpeg"
NO_JPEG = N_("Rendered pictures are only there as image/jpeg, one at a time.")


def rendered(
    request: Any, pk: UUID, study: str, series: str, instance: str, numbers: str = "1"
) -> HttpResponseBase:
    """Send a frame as JPEG; of an instance with several the first. `window` and `viewport` are not heeded."""
    rows = finding.instances(request.actor, pk, study=study, series=series, instance=instance)
    row = found(rows.select_related("series", "consultation").first())
    finding.remember(row.consultation, row.series.study_id, actor=request.actor, at=request.at)
    wanted = numbers_of(numbers)
    if wanted is None:
        return refused(400, BAD_FRAMES)
    if len(wanted) > 1 or media.choose(accept(request), (JPEG,)) is None:
        return refused(406, NO_JPEG)
    if wanted[0] > row.frames:
        return refused(404, NO_FRAME)
    made = picturing.pictures_of(row.series, row.sop_uid)
    return _not_made(request, row.series) if made is None else _sent(request, made[0], made[1][wanted[0] - 1])


def _not_made(request: Any, series: Any) -> HttpResponseBase:
    if picturing.could_not(series):
        return refused(404, NEVER)
    picturing.order(series, at=request.at)
    return refused(503, NOT_YET, again=SOON)


def _sent(request: Any, sha256: str, place: list[int]) -> HttpResponseBase:
    mark = f"{sha256}-{place[0]}"
    try:
        piece = Piece(sha256, place[0], place[1], JPEG)
        return unchanged(request, mark) or kept(request, sent([piece], JPEG, is_multipart=False), mark)
    except NotStored:
        return refused(503, GONE)
