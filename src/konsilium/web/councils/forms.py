"""What somebody who calls a council says: for what, who sits as what, how many have to come."""

from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from django import forms
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from konsilium.actions._council import Colleague
from konsilium.actions.convening import Call
from konsilium.models import Consultation, DictionaryEntry, Session
from konsilium.web.clockface import local
from konsilium.workflow.council import FEWEST, FORM_LABELS, QUORUM, SEAT_LABELS, SeatKind
from konsilium.workflow.session import OPEN_SESSION, SessionState

# Shown at once beside those who are chosen: who is looked for in a country is found by name, centre or trade.
MOST_SHOWN = 40
SEAT = "seat-"


class Candidate(NamedTuple):
    """Somebody who may be called, and as what they are chosen."""

    pk: UUID
    name: str
    about: str
    organization: str
    field: str
    kind: str


class CallForm(forms.Form):
    """The call, but for the seats, which stand beside it."""

    purpose = forms.ChoiceField(
        label=_("Purpose of the council"), error_messages={"required": _("Choose the purpose.")}
    )
    reason = forms.CharField(
        label=_("Why it is called, and what it has to decide"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Say for what the council is called.")},
    )
    form = forms.ChoiceField(
        label=_("How it meets"),
        choices=[(code, _(label)) for code, label in FORM_LABELS.items()],
        widget=forms.RadioSelect,
        initial="remote",
    )
    session = forms.ChoiceField(label=_("Video session"), required=False)
    quorum = forms.IntegerField(
        label=_("Quorum: how many have to take part"), min_value=FEWEST, max_value=25, initial=QUORUM
    )

    def __init__(
        self, data: Any, *, consultation: Consultation, zone: str, people: Iterable[Colleague]
    ) -> None:
        """Offer the dictionary's purposes and the request's sessions (two queries)."""
        super().__init__(data)
        self.fields["purpose"].choices = _purposes()  # type: ignore[attr-defined]
        self.fields["session"].choices = _sessions(consultation, zone)  # type: ignore[attr-defined]
        self.people = list(people)
        given = data or {}
        self.sought = str(given.get("q", "")).strip()[:60]
        known = {str(kind) for kind in SeatKind}
        self.chosen = {
            one.membership_id: given.get(f"{SEAT}{one.membership_id}", "")
            for one in self.people
            if given.get(f"{SEAT}{one.membership_id}", "") in known
        }

    def candidates(self) -> list[Candidate]:
        """Return those who are chosen, then those who are found by what is sought."""
        rows = [one for one in self.people if one.membership_id in self.chosen]
        others = [one for one in self.people if one.membership_id not in self.chosen]
        rows += list(matching(others, self.sought))[:MOST_SHOWN]
        return [candidate(one, self.chosen.get(one.membership_id, "")) for one in rows]

    def further(self) -> int:
        """Count those who are found and not shown."""
        others = [one for one in self.people if one.membership_id not in self.chosen]
        return max(0, len(list(matching(others, self.sought))) - MOST_SHOWN)

    def kinds(self) -> list[tuple[str, str]]:
        """Return what somebody may be called as."""
        return [(str(kind), gettext(label)) for kind, label in SEAT_LABELS.items()]

    def call(self) -> Call:
        """Return what was said."""
        given = self.cleaned_data
        return Call(
            purpose=given["purpose"],
            reason=given["reason"],
            seats={pk: SeatKind(kind) for pk, kind in self.chosen.items()},
            form=given["form"],
            quorum=given["quorum"],
            session_id=UUID(given["session"]) if given["session"] else None,
        )


class SubstituteForm(forms.Form):
    """Who takes a seat over."""

    membership = forms.UUIDField(error_messages={"required": _("Choose who takes the seat over.")})


def matching(people: Iterable[Colleague], sought: str) -> Iterable[Colleague]:
    """Return those in whose name, trade or centre every sought word stands."""
    words = sought.lower().replace("ё", "е").split()
    for one in people:
        text = f"{one.name} {one.position} {one.specialty} {one.organization_name}".lower()
        if all(word in text.replace("ё", "е") for word in words):
            yield one


def candidate(one: Colleague, kind: str = "") -> Candidate:
    """Return a colleague in words."""
    about = ", ".join(part for part in (one.position, one.specialty) if part)
    return Candidate(
        one.membership_id, one.name, about, one.organization_name, f"{SEAT}{one.membership_id}", kind
    )


def _purposes() -> list[tuple[str, str]]:
    is_russian = get_language() == "ru"
    rows = DictionaryEntry.objects.of("council_purposes")
    return [("", "—"), *((row.code, row.name if is_russian else row.name_en or row.name) for row in rows)]


def _sessions(consultation: Consultation, zone: str) -> list[tuple[str, str]]:
    there = (*OPEN_SESSION, SessionState.HELD)
    rows = Session.objects.filter(consultation=consultation, state__in=there).exclude(starts_at=None)
    return [("", gettext("Without a session")), *((str(row.pk), local(row.starts_at, zone)) for row in rows)]
