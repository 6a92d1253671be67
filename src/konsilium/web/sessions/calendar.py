"""A session as an iCalendar file (RFC 5545): number, sides and time; nothing about the patient."""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext

from konsilium.models import Session

_STAMP = "%Y%m%dT%H%M%SZ"


def event(session: Session, *, at: datetime) -> bytes:
    """Return the calendar file of a session that has a time."""
    starts = session.starts_at or session.created_at
    address = settings.PUBLIC_URL + reverse("consultation:show", args=[session.consultation_id])
    summary = gettext("Video consultation, request № %(number)s") % {"number": session.consultation_number}
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Konsilium//RU",
        "BEGIN:VEVENT",
        f"UID:{session.pk}@konsilium",
        f"SEQUENCE:{session.version}",
        f"DTSTAMP:{at.astimezone(UTC):{_STAMP}}",
        f"DTSTART:{starts.astimezone(UTC):{_STAMP}}",
        f"DTEND:{(starts + timedelta(minutes=session.minutes)).astimezone(UTC):{_STAMP}}",
        f"SUMMARY:{_escaped(summary)}",
        f"DESCRIPTION:{_escaped(f'{session.requesting_name} — {session.centre_name}')}",
        f"URL:{address}",
        "STATUS:CONFIRMED",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        f"DESCRIPTION:{_escaped(summary)}",
        "TRIGGER:-PT30M",
        "END:VALARM",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return b"".join(_folded(line) for line in lines)


def _escaped(text: str) -> str:
    for sign in ("\\", ";", ","):
        text = text.replace(sign, f"\\{sign}")
    return text.replace("\n", "\\n")


def _folded(line: str) -> bytes:
    """Fold at 75 bytes without cutting a letter, as section 3.1 asks."""
    parts: list[bytes] = []
    present = b""
    for letter in line:
        encoded = letter.encode()
        if len(present) + len(encoded) > (75 if not parts else 74):
            parts.append(present)
            present = b""
        present += encoded
    return b"\r\n ".join([*parts, present]) + b"\r\n"
