"""Who is invited, and as what."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from konsilium.models import Organization
from konsilium.web.account.forms import cleaned, suggesting
from konsilium.workflow.identifiers import normalize_phone
from konsilium.workflow.roles import IN_CENTRES_ONLY, INVITES, ROLE_LABELS, Role


def roles_to_give(organization: Organization) -> list[Role]:
    """Return the roles that make sense in this organisation."""
    return [
        role for role in INVITES[Role.ORG_ADMIN] if organization.is_consulting or role not in IN_CENTRES_ONLY
    ]


def _choices(roles: list[Role]) -> list[tuple[str, str]]:
    return [(role.value, gettext(ROLE_LABELS[role])) for role in roles]


class InviteForm(forms.Form):
    """A person's name, how to reach them, and their roles."""

    family = forms.CharField(label=_("Family name"), max_length=100)
    given = forms.CharField(label=_("Given name"), max_length=100)
    patronymic = forms.CharField(label=_("Patronymic"), max_length=100, required=False)
    email = forms.EmailField(label=_("E-mail"), required=False)
    phone = forms.CharField(label=_("Phone"), max_length=40, required=False)
    department = forms.CharField(label=_("Department"), max_length=200, required=False)
    position = forms.CharField(
        label=_("Position"), max_length=200, required=False, widget=suggesting("position")
    )
    specialty = forms.CharField(
        label=_("Specialty"), max_length=200, required=False, widget=suggesting("specialty")
    )
    roles = forms.MultipleChoiceField(label=_("Roles"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["roles"].choices = _choices(roles_to_give(organization))  # type: ignore[attr-defined]

    def clean_phone(self) -> str:
        """A phone in one form."""
        return cleaned(self.cleaned_data["phone"], normalize_phone)


class RoleForm(forms.Form):
    """One more role."""

    role = forms.ChoiceField(label=_("One more role"))

    def __init__(self, *args: Any, roles: list[Role], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = _choices(roles)  # type: ignore[attr-defined]
