"""What a look heard beside its answer: numbers and names that a technical specialist reads."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext

from konsilium.workflow.probing import ANSWERS
from konsilium.workflow.words import N_

_GATEKEEPER = {
    "confirms": N_("The gatekeeper answers and would take it."),
    "rejects": N_("The gatekeeper answers and refuses."),
    "silent": N_("The gatekeeper is silent."),
}
_PLAIN = {
    "code": N_("SIP answer"),
    "tls": N_("Encryption"),
    "cause": N_("Cause (Q.931)"),
    "reason": N_("Reason (H.225)"),
}


def details(measured: Mapping[str, Any]) -> list[str]:
    """Return the lines for what was heard; none where nothing more than the answer is known."""
    lines = [f"{gettext(label)}: {measured[key]}" for key, label in _PLAIN.items() if measured.get(key)]
    if codecs := measured.get("codecs"):
        names = codecs.values() if isinstance(codecs, dict) else codecs
        lines.append(gettext("Codecs: %(names)s") % {"names": ", ".join(names)})
    if word := measured.get("gatekeeper"):
        lines.append(_of_gatekeeper(word))
    return lines


def _of_gatekeeper(word: str) -> str:
    if word in _GATEKEEPER:
        return gettext(_GATEKEEPER[word])
    why = gettext(ANSWERS[word].words) if word in ANSWERS else ""
    return gettext("The gatekeeper was not asked. %(why)s") % {"why": why}
