"""What a dispatcher says with a move, and what they look for in the work-list."""

from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from konsilium.models import Consultation, Membership, Organization
from konsilium.workflow.reasons import REASONS


def _words(rows: int = 3, **given: Any) -> forms.CharField:
    return forms.CharField(max_length=4000, widget=forms.Textarea(attrs={"rows": rows}), **given)


class ConsultantForm(forms.Form):
    """One of the centre's consultants, each with how much they have to do."""

    consultant = forms.TypedChoiceField(label=_("Consultant"), coerce=UUID, widget=forms.RadioSelect)

    def __init__(
        self, data: Any, row: Consultation, consultants: list[Membership], load: dict[UUID, int]
    ) -> None:
        """Offer everybody but the one who has the request now, the least busy first."""
        super().__init__(data)
        others = [one for one in consultants if one.person_id != row.consultant_id]
        others.sort(key=lambda one: load.get(one.person_id, 0))
        self.fields["consultant"].choices = [  # type: ignore[attr-defined]
            (str(one.pk), _consultant(one, load.get(one.person_id, 0))) for one in others
        ]
        if not others:
            self.fields["consultant"].help_text = gettext(
                "The centre has nobody else. Its administrator invites people."
            )


def _consultant(membership: Membership, has: int) -> str:
    busy = ngettext("%(count)s open request", "%(count)s open requests", has) % {"count": has}
    about = membership.specialty or membership.position
    return " · ".join(part for part in (membership.person.full_name, about, busy) if part)


class AskForm(forms.Form):
    """What is missing."""

    text = _words(5, label=_("What is missing, or what you ask"))


class RejectForm(forms.Form):
    """Why a request is rejected; the requester reads it."""

    reason = forms.ChoiceField(
        label=_("Reason"),
        choices=[(code, _(label)) for code, label in REASONS.items()],
        widget=forms.RadioSelect,
    )
    text = _words(label=_("In words"), required=False)


class PassForm(forms.Form):
    """Another centre that takes the request."""

    centre = forms.TypedChoiceField(label=_("Centre"), coerce=UUID, widget=forms.RadioSelect)
    text = _words(label=_("Why, in words"), required=False)

    def __init__(self, data: Any, centres: list[Organization]) -> None:
        """Offer the centres that take the request's profile from organisations of its level."""
        super().__init__(data)
        self.fields["centre"].choices = [(str(one.pk), one.short_name) for one in centres]  # type: ignore[attr-defined]
        if not centres:
            self.fields["centre"].help_text = gettext(
                "No other centre takes this profile from this organisation."
            )
