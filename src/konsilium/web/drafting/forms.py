"""The form of a request: section 5 of the process. Nothing is required to save; completeness is said beside it."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from konsilium.actions.drafting import FIELDS, MOST_QUESTIONS
from konsilium.models import Consultation, DictionaryEntry, Organization, Profile, Route
from konsilium.web.account.forms import cleaned
from konsilium.workflow import words
from konsilium.workflow.identifiers import (
    format_enp,
    format_snils,
    normalize_enp,
    normalize_icd10,
    normalize_phone,
    normalize_snils,
)

NORMALIZED = {
    "requester_snils": normalize_snils,
    "patient_snils": normalize_snils,
    "patient_enp": normalize_enp,
    "requester_phone": normalize_phone,
    "diagnosis_code": normalize_icd10,
}
SHOWN = {"requester_snils": format_snils, "patient_snils": format_snils, "patient_enp": format_enp}


def line_field(label: Any, length: int = 200, **given: Any) -> forms.CharField:
    """A line of text that may stay empty."""
    return forms.CharField(label=label, max_length=length, required=False, **given)


def text_field(label: Any, rows: int = 4, **given: Any) -> forms.CharField:
    """A longer text that may stay empty."""
    return forms.CharField(
        label=label, max_length=20_000, required=False, widget=forms.Textarea(attrs={"rows": rows}), **given
    )


def choice_field(
    label: Any, labels: Mapping[Any, str], *, radio: bool = True, **given: Any
) -> forms.ChoiceField:
    """A choice among the words of a rule; none is a choice too."""
    choices: list[Any] = [(str(code), _(text)) for code, text in labels.items()]
    if not radio:
        choices.insert(0, ("", "—"))
    widget = forms.RadioSelect if radio else forms.Select
    return forms.ChoiceField(label=label, choices=choices, required=False, widget=widget, **given)


def date_field(label: Any, **given: Any) -> forms.DateField:
    """A date that may stay empty."""
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    return forms.DateField(
        label=label, required=False, widget=widget, input_formats=["%Y-%m-%d", "%d.%m.%Y"], **given
    )


class RequestForm(forms.Form):
    """Everything a requester writes but the questions and the documents."""

    urgency = choice_field(_("Urgency"), words.URGENCIES)
    kind = choice_field(_("Consultation or council"), words.KINDS)
    mode = choice_field(
        _("Deferred or real time"), words.MODES, help_text=_("A wish: the consultant decides.")
    )
    occurrence = choice_field(_("First or repeat"), words.OCCURRENCES)
    goal = choice_field(_("Goal"), words.GOALS, radio=False)
    profile_id = forms.ChoiceField(label=_("Profile"), required=False)
    named_centre_id = forms.ChoiceField(label=_("Consulting centre"), required=False)
    place_of_care = forms.ChoiceField(label=_("Place of care"), required=False)
    severity = forms.ChoiceField(label=_("Severity of the condition"), required=False)
    incomplete_reason = text_field(
        _("Why it is sent incomplete"),
        2,
        help_text=_("Only for an emergency: what is missing then may follow."),
    )

    requester_name = line_field(_("Doctor's name"), 310)
    requester_snils = line_field(_("Doctor's SNILS"), 20)
    requester_department = line_field(_("Department"))
    requester_position = line_field(_("Position"))
    requester_specialty = line_field(_("Specialty"))
    requester_phone = line_field(_("Phone"), 40)
    requester_email = forms.EmailField(label=_("E-mail"), required=False)

    patient_unknown = forms.BooleanField(
        label=_("Unknown patient"), required=False, help_text=_("Only for an emergency.")
    )
    patient_unknown_reason = line_field(_("Why the patient is unknown"), 500)
    patient_family = line_field(_("Family name"), 100)
    patient_given = line_field(_("Given name"), 100)
    patient_patronymic = line_field(_("Patronymic"), 100)
    patient_sex = choice_field(_("Sex"), words.SEXES)
    patient_birth_date = date_field(_("Birth date"))
    patient_snils = line_field(
        _("SNILS"), 20, help_text=_("One of SNILS, policy or identity document is needed.")
    )
    patient_enp = line_field(_("Insurance policy (ENP)"), 24)
    patient_document = line_field(_("Identity document"))
    representative = line_field(
        _("Legal representative"), 300, help_text=_("For a patient under 15: who, and how to reach them.")
    )

    diagnosis_code = line_field(
        _("ICD-10 code"),
        10,
        widget=forms.TextInput(
            attrs={
                "list": "icd10",
                "autocomplete": "off",
                "hx-get": "/dictionary/icd10/",
                "hx-trigger": "input changed delay:250ms",
                "hx-target": "#icd10",
                "name": "diagnosis_code",
            }
        ),
    )
    diagnosis_text = line_field(_("Main diagnosis in words"), 2000)
    diagnosis_certainty = choice_field(_("Certainty of the diagnosis"), words.CERTAINTIES)
    complaints = text_field(_("Complaints"))
    anamnesis = text_field(_("Anamnesis"), 6)
    objective_state = text_field(_("Objective state"))
    treatment = text_field(_("Treatment given"))

    consent_kind = choice_field(_("Kind of consent"), words.CONSENTS)
    consent_date = date_field(_("Date of consent"))
    consent_by = line_field(_("Who obtained the consent"), 300)

    def __init__(self, data: Any, row: Consultation, questions: list[str]) -> None:
        """Fill the form from the row, and offer what this organisation may choose from."""
        initial = {name: getattr(row, name) for name in FIELDS}
        initial |= {name: show(initial[name]) for name, show in SHOWN.items() if initial[name]}
        super().__init__(data, initial=initial)
        self.row = row
        routes = Route.objects.filter(requester_level=row.requesting_level, is_open=True)
        profiles = Profile.objects.filter(pk__in=routes.values("profile_id"), is_active=True).order_by("name")
        centres = Organization.objects.centres().filter(pk__in=routes.values("centre_id"))
        centres = centres.exclude(pk=row.requesting_organization_id).order_by("short_name")
        self._offer("profile_id", [(str(pk), name) for pk, name in profiles.values_list("pk", "name")])
        self._offer(
            "named_centre_id", [(str(pk), name) for pk, name in centres.values_list("pk", "short_name")]
        )
        self._offer("place_of_care", _entries("places_of_care"))
        self._offer("severity", _entries("severity"))
        given = data.getlist("question") if data else questions
        self.questions = (
            (list(given) + [""] * 2)[:MOST_QUESTIONS] if len(given) > 1 else [*given, "", "", ""][:3]
        )

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        self.fields[name].choices = [("", "—"), *choices]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Bring numbers into their canonical form, and see that the centre takes the profile."""
        data = super().clean() or {}
        for name, normalize in NORMALIZED.items():
            try:
                data[name] = cleaned(data.get(name) or "", normalize)
            except forms.ValidationError as error:
                self.add_error(name, error)
        for name in ("profile_id", "named_centre_id"):
            data[name] = data.get(name) or None
        if data["profile_id"] and data["named_centre_id"] and not self._is_route(data):
            self.add_error(
                "named_centre_id", gettext("This centre doesn't take this profile from your organisation.")
            )
        return data

    def _is_route(self, data: dict[str, Any]) -> bool:
        centres = Organization.objects.centres_for(self.row.requesting_level, data["profile_id"])
        return centres.filter(pk=data["named_centre_id"]).exists()


def _entries(dictionary: str) -> list[tuple[str, str]]:
    return list(DictionaryEntry.objects.of(dictionary).values_list("code", "name"))
