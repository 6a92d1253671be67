"""Why a request is withdrawn, and what became of the patient."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from konsilium.actions.closing import NO_OUTCOME
from konsilium.workflow.reasons import WITHDRAWAL_REASONS
from konsilium.workflow.words import OUTCOMES


def _choices(labels: dict[str, str]) -> list[tuple[str, Any]]:
    return [(code, _(label)) for code, label in labels.items() if code != NO_OUTCOME]


class WithdrawForm(forms.Form):
    """The reason of a withdrawal."""

    reason = forms.ChoiceField(
        label=_("Reason"), choices=_choices(WITHDRAWAL_REASONS), widget=forms.RadioSelect
    )
    text = forms.CharField(
        label=_("In words"), required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 3})
    )


class OutcomeForm(forms.Form):
    """What became of the patient."""

    outcome = forms.ChoiceField(label=_("Outcome"), choices=_choices(OUTCOMES), widget=forms.RadioSelect)
    text = forms.CharField(
        label=_("In words"), required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 3})
    )
