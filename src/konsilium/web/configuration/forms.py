"""Profiles, routes and terms as forms."""

from itertools import zip_longest
from typing import Any, NamedTuple

from django import forms
from django.utils.translation import gettext_lazy as _

from konsilium.models import Profile
from konsilium.workflow.completeness import BY_TEMPLATE
from konsilium.workflow.onboarding import LEVELS
from konsilium.workflow.words import DOCUMENT_KINDS, URGENCIES

_KINDS = [(code, _(label)) for code, label in DOCUMENT_KINDS.items()]
# Groups of documents of which one each is needed; the form offers as many.
GROUPS = 4


class Section(NamedTuple):
    """A section of the conclusions of a profile."""

    code: str = ""
    label: str = ""
    label_en: str = ""
    hint: str = ""
    is_needed: bool = False


class ProfileForm(forms.Form):
    """A profile of care and what its requests must hold."""

    code = forms.SlugField(label=_("Code"), max_length=20)
    name = forms.CharField(label=_("Name in Russian"), max_length=200)
    name_en = forms.CharField(label=_("Name in English"), max_length=200, required=False)
    welcome = forms.MultipleChoiceField(
        label=_("Welcome documents"), choices=_KINDS, required=False, widget=forms.CheckboxSelectMultiple
    )
    fields_needed = forms.MultipleChoiceField(
        label=_("Clinical fields that must be filled"),
        choices=[(code, _(label)) for code, label in BY_TEMPLATE.items()],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    is_active = forms.BooleanField(label=_("In use"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sections = self._sections()
        for number in range(1, GROUPS + 1):
            self.fields[f"group{number}"] = forms.MultipleChoiceField(
                label=_("One of these documents is needed"),
                choices=_KINDS,
                required=False,
                widget=forms.CheckboxSelectMultiple,
            )

    def _sections(self) -> list[Section]:
        """Return the sections as they are, with two empty ones to go on with."""
        sent: Any = self.data
        given = [Section(**section) for section in self.initial.get("sections", ())]
        if self.is_bound:
            columns = [sent.getlist(f"section-{name}") for name in ("code", "label", "label_en", "hint")]
            needed = set(sent.getlist("section-needed"))
            rows = list(zip_longest(*columns, fillvalue=""))
            given = [
                Section(code, label, label_en, hint, str(number) in needed)
                for number, (code, label, label_en, hint) in enumerate(rows, start=1)
            ]
        return [*(section for section in given if section.label.strip()), Section(), Section()]

    def groups(self) -> list[forms.BoundField]:
        """Return the fields of the groups."""
        return [self[f"group{number}"] for number in range(1, GROUPS + 1)]

    def values(self) -> dict[str, Any]:
        """Return what the action takes."""
        data = self.cleaned_data
        groups = [data[f"group{number}"] for number in range(1, GROUPS + 1)]
        return {
            "code": data["code"],
            "name": data["name"],
            "name_en": data["name_en"],
            "documents": [group for group in groups if group],
            "welcome": data["welcome"],
            "fields": data["fields_needed"],
            "sections": [section._asdict() for section in self.sections if section.label.strip()],
            "is_active": data["is_active"],
        }


def initial_of(profile: Profile | None) -> dict[str, Any]:
    """Return a profile as the form's first values."""
    if profile is None:
        return {"is_active": True}
    groups = {f"group{number}": group for number, group in enumerate(profile.documents, start=1)}
    return {
        "code": profile.code,
        "name": profile.name,
        "name_en": profile.name_en,
        "welcome": profile.welcome,
        "fields_needed": profile.fields,
        "sections": profile.sections,
        "is_active": profile.is_active,
        **groups,
    }


class CentreForm(forms.Form):
    """Whether an organisation consults, and the levels each profile is taken from."""

    is_consulting = forms.BooleanField(label=_("Consults"), required=False)

    def __init__(self, data: Any, *, profiles: list[Profile], **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.profiles = profiles
        for profile in profiles:
            self.fields[f"levels-{profile.pk}"] = forms.TypedMultipleChoiceField(
                label=profile.name,
                coerce=int,
                choices=[(level, _(label)) for level, label in LEVELS.items()],
                required=False,
                widget=forms.CheckboxSelectMultiple,
            )

    def routes(self) -> set[tuple[Any, int]]:
        """Return the chosen pairs of profile and level."""
        return {
            (profile.pk, level)
            for profile in self.profiles
            for level in self.cleaned_data[f"levels-{profile.pk}"]
        }

    def rows(self) -> list[forms.BoundField]:
        """Return the fields of the profiles."""
        return [self[f"levels-{profile.pk}"] for profile in self.profiles]


class TermForm(forms.Form):
    """A centre's own answer term."""

    profile = forms.ChoiceField(label=_("Profile"), required=False)
    urgency = forms.ChoiceField(
        label=_("Urgency"), choices=[(code, _(label)) for code, label in URGENCIES.items()]
    )
    hours = forms.DecimalField(
        label=_("Hours"),
        min_value=0,
        max_value=1440,
        decimal_places=2,
        required=False,
        help_text=_("Empty: the general term holds again."),
    )

    def __init__(self, data: Any, *, profiles: list[Profile]) -> None:
        super().__init__(data)
        choices = [("", _("All profiles")), *((str(profile.pk), profile.name) for profile in profiles)]
        self.fields["profile"].choices = choices  # type: ignore[attr-defined]

    def minutes(self) -> int | None:
        """Return the term in minutes, if there is one."""
        hours = self.cleaned_data["hours"]
        return None if hours is None else int(hours * 60)
