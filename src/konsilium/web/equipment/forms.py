"""Equipment, and the record of a test."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from konsilium.actions.equipment import FIELDS, Measured
from konsilium.models import Endpoint
from konsilium.web.account.forms import cleaned
from konsilium.web.numbers import plain
from konsilium.workflow.equipment import CHECKS, ENDPOINT_KIND_LABELS, MEASUREMENTS, VERDICTS
from konsilium.workflow.identifiers import normalize_phone


class EndpointForm(forms.ModelForm):
    """A codec or a software client at a place."""

    kind = forms.ChoiceField(
        label=_("Kind"), choices=[(code, _(label)) for code, label in ENDPOINT_KIND_LABELS.items()]
    )

    class Meta:
        model = Endpoint
        fields = FIELDS
        labels = {
            "name": _("Name, as people call it"),
            "model": _("Make and model, or version"),
            "address": _("SIP or H.323 address"),
            "dial_string": _("What to dial"),
            "place": _("Building and room"),
            "technician": _("Who looks after it"),
            "reserve_phone": _("Reserve phone in the room"),
            "test_window": _("When it may be tested"),
            "transport": _("Transport"),
            "encryption": _("Encryption"),
            "account": _("SIP login"),
            "registrar": _("SIP server"),
            "computer": _("Computer"),
            "note": _("Note"),
            "is_active": _("In use"),
        }
        widgets = {"note": forms.Textarea(attrs={"rows": 2})}

    def clean_reserve_phone(self) -> str:
        """In one form."""
        return cleaned(self.cleaned_data["reserve_phone"], normalize_phone)


_YES_NO = [("", _("Not checked")), ("yes", _("Yes")), ("no", _("No"))]


class TestForm(forms.Form):
    """A test call's record: what was measured, what people said, what follows."""

    __test__ = False
    participants = forms.CharField(label=_("Who took part"), max_length=400)
    reachable = forms.ChoiceField(
        label=_("Reachable"), choices=_YES_NO, required=False, widget=forms.RadioSelect
    )
    codec = forms.CharField(label=_("Codec"), max_length=60, required=False)
    resolution = forms.CharField(label=_("Resolution"), max_length=40, required=False)
    checks = forms.MultipleChoiceField(
        label=_("What was seen and heard"),
        choices=[(code, _(label)) for code, label in CHECKS.items()],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    verdict = forms.ChoiceField(
        label=_("Verdict"),
        choices=[(code, _(label)) for code, label in VERDICTS.items()],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Needed when the test was not passed, or passed with limits."),
    )
    valid_until = forms.DateField(
        label=_("Valid until"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        required=False,
    )

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        for limit in MEASUREMENTS:
            self.fields[limit.code] = _number(f"{_(limit.label)}, {_(limit.unit)}", bound(limit))

    def clean_valid_until(self) -> date | None:
        """In the future."""
        until: date | None = self.cleaned_data["valid_until"]
        if until and until < self.today:
            raise forms.ValidationError(_("This day is past."))
        return until

    def measured(self) -> list[forms.BoundField]:
        """Return the fields of the numbers."""
        return [self[limit.code] for limit in MEASUREMENTS]

    def found(self) -> Measured:
        """Return what the action takes."""
        data = self.cleaned_data
        numbers = {limit.code: data[limit.code] for limit in MEASUREMENTS if data[limit.code] is not None}
        return Measured(
            participants=data["participants"],
            verdict=data["verdict"],
            reachable={"yes": True, "no": False}.get(data["reachable"]),
            codec=data["codec"],
            resolution=data["resolution"],
            measurements=numbers,
            checks={code: code in data["checks"] for code in CHECKS},
            reason=data["reason"],
            valid_until=data["valid_until"],
        )


def bound(limit: Any) -> str:
    """Say a limit."""
    if limit.most is not None:
        return str(_("at most %(value)s %(unit)s")) % {"value": plain(limit.most), "unit": _(limit.unit)}
    return str(_("at least %(value)s %(unit)s")) % {"value": plain(limit.least), "unit": _(limit.unit)}


def _number(label: str, hint: str) -> forms.FloatField:
    widget = forms.NumberInput(attrs={"step": "any", "min": "0", "inputmode": "decimal"})
    return forms.FloatField(label=label, min_value=0, required=False, help_text=hint, widget=widget)
