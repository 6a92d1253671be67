"""The signed paper, photographed: sheets straightened and joined to one PDF, its code compared, laid to the draft."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from konsilium.actions import concluding
from konsilium.actions._files import PIECE, scratch, store
from konsilium.actions._record import Note, record
from konsilium.actions.documents import Upload
from konsilium.actions.paper_codes import CODES, COMPARED_BY, MATCH_LABELS, Match, codes_in, match_of
from konsilium.adapters import sandbox
from konsilium.adapters.kinds import safe_name
from konsilium.models import Conclusion, Document, Event
from konsilium.workflow.machine import Refused
from konsilium.workflow.roles import Actor
from konsilium.workflow.words import N_

MOST = 12
LARGEST = 30 * 1024**2
LARGEST_PDF = 128 * 1024**2
LIMITS = sandbox.Limits(cpu_seconds=60, wall_seconds=90, scratch_bytes=512 * 1024**2)
NAME = "Скан бумажного оригинала.pdf"
QUARTERS = 4
TROUBLE = N_(
    "The photographs could not be joined. Take them again, or lay a PDF of the scan to the conclusion."
)


class NotCompared(Refused):
    """No code was read, and nobody has said that the paper is this edition's."""


class OtherEdition(Refused):
    """The paper's code is another edition's."""


@dataclass(frozen=True)
class Photo:
    """One photograph: its sender's name for it, its bytes, and by how many quarters to turn it clockwise."""

    name: str
    chunks: Iterable[bytes]
    size: int
    quarters: int = 0


def lay(
    conclusion: Conclusion,
    photos: Sequence[Photo],
    *,
    compared: bool,
    actor: Actor,
    at: datetime,
) -> Document:
    """Join photographs of the signed paper to one PDF and lay it to the draft; the child takes a second a sheet.

    `compared` says that the person has compared the paper by eye, which is noted where no code is read. Raises
    NotCompared, OtherEdition, Refused for what is no photograph, and what `concluding.attach_scan` raises.
    """
    concluding.paper_of(conclusion.consultation, actor=actor, at=at)
    _check(photos)
    with scratch() as folder:
        path, codes = _joined(folder, photos)
        match = match_of(codes, conclusion)
        if match is Match.OTHER:
            raise OtherEdition(MATCH_LABELS[match])
        if match is Match.UNREADABLE and not compared:
            raise NotCompared(
                N_("No code was read. Compare the paper with this edition, and tick that it is the same.")
            )
        with path.open("rb") as file:
            stored = store().receive(iter(lambda: file.read(PIECE), b""), LARGEST_PDF)
    by_eye = match is Match.UNREADABLE
    facts = {CODES: codes} | ({COMPARED_BY: str(actor.person_id)} if by_eye else {})
    scan = concluding.attach_scan(conclusion, Upload(stored, NAME, facts), actor=actor, at=at)
    if by_eye:
        record(
            scan.consultation,
            "scan_compared",
            actor=actor,
            at=at,
            subject=("document", scan.pk),
            note=Note(audience=Event.CENTRE),
        )
    return scan


def _check(photos: Sequence[Photo]) -> None:
    if not photos:
        raise Refused(N_("Take at least one photograph of the signed paper."))
    if len(photos) > MOST:
        raise Refused(N_("At most %(most)s photographs at once."), params={"most": MOST})
    for photo in photos:
        if photo.size > LARGEST:
            raise Refused(
                N_("%(name)s is too large for a photograph."), params={"name": safe_name(photo.name)}
            )


def _joined(folder: Path, photos: Sequence[Photo]) -> tuple[Path, list[str]]:
    """Return the PDF in the folder, and its codes. Raises Refused."""
    paths = [_written(folder, number, photo) for number, photo in enumerate(photos, 1)]
    arguments = {"paths": paths, "turns": [photo.quarters % QUARTERS for photo in photos]}
    try:
        said = sandbox.run("join_paper", arguments, scratch=folder, limits=LIMITS)
    except (sandbox.Killed, sandbox.Failed) as broken:
        raise Refused(TROUBLE) from broken
    if "refused" in said:
        raise Refused(
            N_("Photograph %(number)s can't be read as a picture."), params={"number": said["number"]}
        )
    return folder / said["file"], codes_in(said["codes"])


def _written(folder: Path, number: int, photo: Photo) -> str:
    path = folder / f"{number}{Path(photo.name).suffix.lower()[:6]}"
    with path.open("wb") as file:
        file.writelines(photo.chunks)
    return str(path)
