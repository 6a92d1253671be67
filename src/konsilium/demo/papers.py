"""Papers: the extract as a text PDF, and scans of signed sheets as a PDF with one picture of a page."""

import io
from collections.abc import Iterable, Iterator
from datetime import date
from functools import cache
from math import cos, pi, sin
from xml.sax.saxutils import escape

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer

from konsilium.demo.lettering import BOLD, REGULAR
from konsilium.demo.subject import Clinical, Opinion, Patient

_NOTE = "Документ вымышлен для демонстрации; такого пациента нет."
# A sheet of A4 at 150 dots an inch, as an office scanner makes it.
_SHEET = (1240, 1754)
_MARGIN = 130
_INK = (38, 58, 148)
_DARK = (48, 46, 52)

Line = tuple[str, str]


def extract_pdf(patient: Patient, clinical: Clinical) -> bytes:
    """Return an extract from the case history as a PDF with real text, the same for the same input."""
    _register_fonts()
    buffer = io.BytesIO()
    document = SimpleDocTemplate(
        buffer,
        pagesize=A4,
        leftMargin=22 * mm,
        rightMargin=18 * mm,
        topMargin=18 * mm,
        bottomMargin=18 * mm,
        title=f"Выписка из медицинской карты № {patient.card_number}",
        author=clinical.organization,
        invariant=1,
    )
    document.build(list(_flow(_extract(patient, clinical))))
    return buffer.getvalue()


def _extract(patient: Patient, clinical: Clinical) -> Iterator[Line]:
    yield "centre", clinical.organization
    yield "centre", clinical.department
    yield "title", f"Выписка из медицинской карты № {patient.card_number}"
    yield "text", f"Пациент: {patient.full_name}, {_sex(patient)}, дата рождения {_day(patient.birth_date)}"
    if patient.snils or patient.policy:
        yield "text", f"СНИЛС {patient.snils or '—'}, полис ОМС {patient.policy or '—'}"
    yield "head", "Диагноз"
    yield "text", f"{clinical.diagnosis_code} {clinical.diagnosis}"
    for head, text in _story(clinical):
        if text:
            yield "head", head
            yield "text", text
    yield "text", f"Лечащий врач: {clinical.doctor}"
    yield "text", f"Дата: {_day(clinical.on)}"
    yield "note", _NOTE


def _story(clinical: Clinical) -> Iterable[Line]:
    return (
        ("Жалобы", clinical.complaints),
        ("Анамнез", clinical.anamnesis),
        ("Объективно", clinical.objective),
        ("Проведенное лечение", clinical.treatment),
    )


def _flow(lines: Iterable[Line]) -> Iterator[Flowable]:
    styles = {
        "centre": _style(11, align=1),
        "title": _style(14, bold=True, align=1, before=12),
        "head": _style(11, bold=True, before=8),
        "text": _style(11, before=3),
        "note": _style(8, before=18),
    }
    for kind, text in lines:
        for part in text.splitlines():
            yield Paragraph(escape(part), styles[kind])
    yield Spacer(1, 1)


def _style(size: int, *, bold: bool = False, align: int = 0, before: int = 0) -> ParagraphStyle:
    font = "PTSans-Bold" if bold else "PTSans"
    return ParagraphStyle(
        name=f"{font}{size}",
        fontName=font,
        fontSize=size,
        leading=size * 1.35,
        alignment=align,
        spaceBefore=before,
    )


@cache
def _register_fonts() -> None:
    pdfmetrics.registerFont(TTFont("PTSans", REGULAR))
    pdfmetrics.registerFont(TTFont("PTSans-Bold", BOLD))


def consent_scan_pdf(patient: Patient, clinical: Clinical, seed: int = 0) -> bytes:
    """Return the scan of a signed consent to a teleconsultation."""
    text = (
        f"Я, {patient.full_name}, {_day(patient.birth_date)} года рождения, даю информированное добровольное "
        "согласие на проведение консультации с применением телемедицинских технологий и на передачу сведений "
        "о состоянии моего здоровья, результатов обследований и изображений консультирующей медицинской "
        "организации. "
        "Цели, порядок и возможные последствия консультации мне разъяснены."
    )
    lines: list[Line] = [
        ("centre", clinical.organization),
        ("title", "Согласие на телемедицинскую консультацию"),
        ("text", text),
        ("text", f"Согласие получил врач: {clinical.doctor}"),
        ("text", f"Дата: {_day(clinical.on)}"),
        ("sign", "Пациент"),
        ("sign", "Врач"),
        ("note", _NOTE),
    ]
    return _scan(lines, seed, stamp="")


def conclusion_scan_pdf(patient: Patient, clinical: Clinical, opinion: Opinion, seed: int = 0) -> bytes:
    """Return the scan of a consultant's conclusion on paper, signed and stamped."""
    lines: list[Line] = [
        ("centre", opinion.organization),
        ("title", f"Медицинское заключение по запросу № {opinion.number}"),
        ("text", f"Пациент: {patient.full_name}, {_day(patient.birth_date)}"),
        ("text", f"Диагноз: {clinical.diagnosis_code} {clinical.diagnosis}"),
        *((("text", f"Изучены документы: {', '.join(opinion.studied)}"),) if opinion.studied else ()),
        ("head", "Заключение"),
        ("text", opinion.conclusion),
        ("head", "Рекомендации"),
        ("text", opinion.recommendations),
        ("text", f"Дата: {_day(opinion.on)}"),
        ("sign", f"{opinion.position} {opinion.consultant}"),
        ("note", _NOTE),
    ]
    return _scan(lines, seed, stamp=opinion.organization)


def _scan(lines: Iterable[Line], seed: int, stamp: str) -> bytes:
    """Typeset a sheet, sign and stamp it, lay it a little askew under the scanner, and wrap it into a PDF."""
    chance = np.random.default_rng(seed)
    sheet = Image.new("RGB", _SHEET, (250, 249, 245))
    end = _typeset(sheet, lines, chance)
    if stamp:
        _stamp(sheet, stamp, (_SHEET[0] - 330, min(end - 40, _SHEET[1] - 260)))
    askew = sheet.rotate(
        float(chance.uniform(-0.8, 0.8)), Image.Resampling.BICUBIC, fillcolor=(232, 231, 228)
    )
    grain = chance.integers(-7, 8, (_SHEET[1], _SHEET[0], 1), dtype=np.int16)
    noisy = np.clip(np.asarray(askew, dtype=np.int16) + grain, 0, 255).astype(np.uint8)
    picture = io.BytesIO()
    Image.fromarray(noisy).save(picture, "JPEG", quality=60, dpi=(150, 150))
    return _page_of(picture)


def _page_of(picture: io.BytesIO) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4, invariant=1)
    canvas.setTitle("Скан")
    canvas.drawImage(ImageReader(picture), 0, 0, *A4)
    canvas.save()
    return buffer.getvalue()


def _typeset(sheet: Image.Image, lines: Iterable[Line], chance: np.random.Generator) -> int:
    """Set the lines on the sheet and return where they end."""
    draw = ImageDraw.Draw(sheet)
    top = _MARGIN
    for kind, text in lines:
        size, bold = {"title": (36, True), "head": (28, True), "note": (18, False)}.get(kind, (26, False))
        font = ImageFont.truetype(BOLD if bold else REGULAR, size)
        top += size if kind in ("title", "head", "sign", "note") else size // 3
        for part in _wrapped(text, font):
            left = (_SHEET[0] - font.getlength(part)) / 2 if kind in ("title", "centre") else _MARGIN
            draw.text((left, top), part, _DARK, font)
            top += int(size * 1.4)
        if kind == "sign":
            draw.line([(_MARGIN, top + 60), (_MARGIN + 340, top + 60)], _DARK, 2)
            _sign(draw, (_MARGIN + 40, top + 40), chance)
            top += 80
    return top


def _wrapped(text: str, font: ImageFont.FreeTypeFont) -> Iterator[str]:
    room = _SHEET[0] - 2 * _MARGIN
    for paragraph in text.splitlines():
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}".strip()
            if line and font.getlength(longer) > room:
                yield line
                longer = word
            line = longer
        yield line


def _sign(draw: ImageDraw.ImageDraw, at: tuple[int, int], chance: np.random.Generator) -> None:
    """Scribble: a pen that goes to the right in loops of random height."""
    steps = np.linspace(0, 1, 220)
    heights = np.interp(steps, np.linspace(0, 1, 9), chance.uniform(6, 46, 9))
    turns = float(chance.uniform(4, 7))
    across = at[0] + 230 * steps + 16 * np.sin(2 * pi * turns * steps + 1)
    down = at[1] - heights * np.sin(2 * pi * turns * steps) + 10 * steps
    draw.line(list(zip(across.tolist(), down.tolist(), strict=True)), _INK, 4, joint="curve")


def _stamp(sheet: Image.Image, text: str, centre: tuple[int, int]) -> None:
    """Press a round stamp with the organisation's name along its rim."""
    draw = ImageDraw.Draw(sheet, "RGBA")
    font = ImageFont.truetype(BOLD, 19)
    for radius, width in ((150, 5), (142, 2), (98, 2)):
        draw.circle(centre, radius, outline=(*_INK, 190), width=width)
    rim = f"* {text.upper()} "[:62]
    for place, letter in enumerate(rim):
        turn = 2 * pi * place / len(rim)
        glyph = Image.new("RGBA", (40, 40))
        ImageDraw.Draw(glyph).text((20, 20), letter, (*_INK, 200), font, anchor="mm")
        glyph = glyph.rotate(-turn * 180 / pi, Image.Resampling.BICUBIC)
        corner = (int(centre[0] + 120 * sin(turn)) - 20, int(centre[1] - 120 * cos(turn)) - 20)
        sheet.paste(glyph, corner, glyph)
    middle = ImageFont.truetype(BOLD, 26)
    draw.text(centre, "ДЛЯ\nДОКУМЕНТОВ", (*_INK, 200), middle, anchor="mm", align="center")


def histology_text(patient: Patient, clinical: Clinical, seed: int = 0) -> bytes:
    """Return a histology report as plain UTF-8 text."""
    number = 1000 + int(np.random.default_rng(seed).integers(9000))
    return (
        f"{clinical.organization}\nПатологоанатомическое отделение\n\n"
        f"Прижизненное патологоанатомическое исследование № {number}\n"
        f"Пациент: {patient.full_name}, {_day(patient.birth_date)}, карта № {patient.card_number}\n"
        f"Направительный диагноз: {clinical.diagnosis_code} {clinical.diagnosis}\n\n"
        "Макроскопически: фрагмент мягких тканей 1,2 х 0,8 х 0,5 см серовато-розового цвета.\n"
        "Микроскопически: фрагменты стенки кисты, выстланные многослойным плоским эпителием,\n"
        "в подлежащей ткани умеренная лимфоплазмоцитарная инфильтрация, признаков атипии нет.\n"
        "Заключение: морфологическая картина одонтогенной кисты с хроническим воспалением.\n\n"
        f"Дата: {_day(clinical.on)}\n{_NOTE}\n"
    ).encode()


def _sex(patient: Patient) -> str:
    return "муж." if patient.sex == "male" else "жен."


def _day(day: date) -> str:
    return f"{day:%d.%m.%Y}"
