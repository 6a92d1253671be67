"""What the viewer's page tells its script, as one JSON object (`<script type="application/json" id="viewer-config">`).

`{v}` marks stand in addresses: what is asked for by its content's mark may be kept for good. `{instance}` and `{frame}`
in `frames` are for the script to fill in: a SOP instance UID out of the metadata, and a number from 1.
"""

from typing import Any
from uuid import UUID

from django.middleware.csrf import get_token
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language, gettext

from konsilium.actions.picturing import RENDERED
from konsilium.models import Consultation, Document, KeyImage, Mark, Series, Study
from konsilium.web.clockface import local
from konsilium.web.dicomweb.answers import MARK
from konsilium.web.dicomweb.finding import READABLE
from konsilium.web.viewer.texts import TEXTS
from konsilium.workflow.consultation import FINAL
from konsilium.workflow.marks import MARK_KINDS
from konsilium.workflow.roles import ROLE_LABELS, Actor, Role, may

# What the script loads by itself, under names that hold their content's hash.
ASSETS = {"engine": "engine.js", "decoder": "decoder.js", "wasm": "openjphjs.wasm"}
SURFACES = ("model/stl", "model/ply")


def config(request: Any, consultation: Consultation, study: Study, rows: list[Series]) -> dict[str, Any]:
    """Return the settings of the viewer of a study with those of its series that the person sees."""
    actor: Actor = request.actor
    return {
        "consultation": str(consultation.pk),
        "number": consultation.number,
        "back": reverse("consultation:show", args=[consultation.pk]) + "#documents",
        "study": _study(study),
        "dicomweb": reverse("dicomweb:studies", args=[consultation.pk]).removesuffix("/studies"),
        "series": [_series(row, study) for row in rows],
        "studies": _others(consultation, actor),
        "surfaces": _surfaces(consultation, actor),
        "marks": marks_config(consultation, actor),
        "keyImages": {"add": reverse("viewer:keep_image", args=[consultation.pk])},
        "start": _start(request, consultation),
        "csrf": get_token(request),
        "assets": {name: static(f"dist/viewer/{file}") for name, file in ASSETS.items()},
        "language": get_language(),
        "texts": {name: gettext(text) for name, text in TEXTS.items()},
    }


def _study(study: Study) -> dict[str, Any]:
    return {
        "pk": str(study.pk),
        "uid": study.study_uid,
        "description": study.description,
        "date": study.study_date.isoformat() if study.study_date else "",
        "institution": study.institution,
        "patient": study.patient_name.partition("=")[0].replace("^", " ").strip(),
    }


def _series(row: Series, study: Study) -> dict[str, Any]:
    where = {"pk": row.consultation_id, "study": study.study_uid, "series": row.series_uid}
    numbered = {"instance": "0", "numbers": "0"}
    frames = reverse("dicomweb:frames", kwargs={**where, **numbered}).removesuffix("/0/frames/0")
    pack = row.pack_sha256[:MARK]
    return {
        "pk": str(row.pk),
        "uid": row.series_uid,
        "number": row.number,
        "modality": row.modality,
        "description": row.description,
        "bodyPart": row.body_part,
        "rows": row.rows,
        "columns": row.columns,
        "count": row.count,
        "isVolume": row.is_volume,
        "whyNot": row.why_not_volume,
        "state": row.state,
        "progress": row.progress,
        "burnedIn": row.burned_in,
        "facts": row.facts,
        "layout": {name: value for name, value in row.layout.items() if name != RENDERED},
        "syntax": row.pack_syntax,
        "version": pack,
        "metadata": metadata_address(row),
        "frames": f"{frames}/{{instance}}/frames/{{frame}}" + (f"?v={pack}" if pack else ""),
        "previews": previews(row),
    }


def metadata_address(row: Series) -> str:
    """Return where a series' metadata is, with its mark once it is there; `study` must be loaded."""
    where = {"pk": row.consultation_id, "study": row.study.study_uid, "series": row.series_uid}
    mark = row.metadata_sha256[:MARK]
    return reverse("dicomweb:series_metadata", kwargs=where) + (f"?v={mark}" if mark else "")


def previews(row: Series) -> dict[str, dict[str, Any]]:
    """Return the address, media type and size of each preview of a series."""
    return {
        name: {
            "url": reverse("viewer:preview", args=[row.pk, name]) + f"?v={copy['sha256'][:MARK]}",
            "mediaType": copy.get("media_type", ""),
            "size": copy.get("size", 0),
        }
        for name, copy in row.previews.items()
        if name != RENDERED
    }


def _others(consultation: Consultation, actor: Actor) -> list[dict[str, str]]:
    """Return every study of the request with a series that the person sees, to switch to."""
    shown = Series.objects.visible_to(actor).filter(consultation=consultation).values("study_id")
    return [
        {
            "pk": str(row.pk),
            "description": row.description,
            "date": row.study_date.isoformat() if row.study_date else "",
            "url": reverse("viewer:show", args=[consultation.pk, row.pk]),
        }
        for row in Study.objects.filter(consultation=consultation, pk__in=shown)
    ]


def _surfaces(consultation: Consultation, actor: Actor) -> list[dict[str, Any]]:
    rows = Document.objects.handed_to(actor).filter(
        consultation=consultation, media_type__in=SURFACES, state__in=READABLE
    )
    return [
        {
            "pk": str(row.pk),
            "name": row.file_name,
            "size": row.size,
            "mediaType": row.media_type,
            "url": reverse("documents:open", args=[row.pk]),
        }
        for row in rows
    ]


def marks_config(consultation: Consultation, actor: Actor) -> dict[str, Any]:
    """Return the marks of a request and where to add, change and remove them (`{mark}` is a mark's key)."""
    nowhere = UUID(int=0)
    changed = reverse("viewer:change_mark", args=[nowhere]).replace(str(nowhere), "{mark}")
    removed = reverse("viewer:remove_mark", args=[nowhere]).replace(str(nowhere), "{mark}")
    return {
        "may": may(actor.role, "mark.write")
        and bool(consultation.roles_of(actor))
        and consultation.state not in FINAL,
        "url": reverse("viewer:marks", args=[consultation.pk]),
        "change": changed,
        "remove": removed,
        "kinds": {kind: gettext(label) for kind, label in MARK_KINDS.items()},
        "rows": marks_of(consultation, actor),
    }


def marks_of(consultation: Consultation, actor: Actor) -> list[dict[str, Any]]:
    """Return a request's present marks, the oldest first."""
    rows = Mark.objects.visible_to(actor).filter(consultation=consultation).present()
    return [mark_of(row, actor) for row in rows]


def mark_of(row: Mark, actor: Actor) -> dict[str, Any]:
    """Return a mark as the script draws it."""
    return {
        "pk": str(row.pk),
        "series": str(row.series_id) if row.series_id else None,
        "document": str(row.document_id) if row.document_id else None,
        "instance": row.sop_uid,
        "frame": row.frame,
        "kind": row.kind,
        "text": row.text,
        "data": row.data,
        "edition": row.edition,
        "own": row.author_id == actor.person_id,
        "author": f"{row.author_name}, {gettext(ROLE_LABELS[Role(row.author_role)])}",
        "at": local(row.created_at, actor.time_zone),
    }


def _start(request: Any, consultation: Consultation) -> dict[str, Any] | None:
    """Return the slice that a key image or a mark named in the address leads to, if it is in this request."""
    key, mark = _named(request, "image"), _named(request, "mark")
    if key:
        image = KeyImage.objects.filter(consultation=consultation, pk=key).first()
        if image is not None:
            return _slice(image.series_id, image.sop_uid, image.frame, image.view)
    row = (
        Mark.objects.visible_to(request.actor).filter(consultation=consultation, pk=mark).first()
        if mark
        else None
    )
    return _slice(row.series_id, row.sop_uid, row.frame, {"mark": str(row.pk)}) if row else None


def _slice(series: UUID | None, instance: str, frame: int, view: dict[str, Any]) -> dict[str, Any]:
    return {"series": str(series or ""), "instance": instance, "frame": frame, "view": view}


def _named(request: Any, name: str) -> UUID | None:
    try:
        return UUID(request.GET.get(name, ""))
    except ValueError:
        return None
