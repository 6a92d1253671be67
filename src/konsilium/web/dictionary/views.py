"""Looking up a dictionary while typing."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from konsilium.models import DictionaryEntry

MOST = 20


def search(request: Any, name: str) -> HttpResponse:
    """Return the entries that fit what was typed, as options of a list."""
    text = (request.GET.get("diagnosis_code") or request.GET.get("q", "")).replace("\x00", "").strip()
    rows = DictionaryEntry.objects.of(name).search(text) if text else DictionaryEntry.objects.none()
    return render(request, "dictionary/options.html", {"rows": rows.values_list("code", "name")[:MOST]})
