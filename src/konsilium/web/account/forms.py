"""The forms of an account: shapes only; the actions check what they mean."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from konsilium.models import DictionaryEntry, Membership, Person
from konsilium.workflow.identifiers import BadIdentifier, format_snils, normalize_phone, normalize_snils

AUTOCOMPLETE_NEW = forms.PasswordInput(attrs={"autocomplete": "new-password"})
AUTOCOMPLETE_OLD = forms.PasswordInput(attrs={"autocomplete": "current-password"})
_ONE_TIME = {"autocomplete": "one-time-code", "spellcheck": "false", "autocapitalize": "off"}
APPLICATION_CODE = forms.TextInput(attrs=_ONE_TIME | {"class": "otp", "inputmode": "numeric"})
ANY_CODE = forms.TextInput(attrs=_ONE_TIME | {"class": "mono"})
SUGGESTED = {"position": "positions", "specialty": "specialties"}


def suggesting(name: str) -> forms.TextInput:
    """Return a field for free text that offers the dictionary's names; the page includes account/_suggestions.html."""
    return forms.TextInput(attrs={"list": SUGGESTED[name]})


def suggestions() -> dict[str, list[str]]:
    """Return what the dictionaries of positions and specialties offer, by the fields' list names."""
    return {
        name: sorted(DictionaryEntry.objects.of(name).values_list("name", flat=True))
        for name in SUGGESTED.values()
    }


class SignInForm(forms.Form):
    """Login and password."""

    login = forms.CharField(
        label=_("Login"),
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = forms.CharField(label=_("Password"), max_length=256, strip=False, widget=AUTOCOMPLETE_OLD)


class CodeForm(forms.Form):
    """The second factor's code, or a recovery code."""

    code = forms.CharField(
        label=_("Code from the application, or a recovery code"), max_length=40, widget=ANY_CODE
    )


class NewPasswordForm(forms.Form):
    """A new password, typed twice."""

    password = forms.CharField(
        label=_("New password"),
        help_text=_("At least 15 characters. A sentence is easier to remember than signs."),
        max_length=256,
        strip=False,
        widget=AUTOCOMPLETE_NEW,
    )
    again = forms.CharField(
        label=_("The same once more"), max_length=256, strip=False, widget=AUTOCOMPLETE_NEW
    )

    def clean(self) -> dict[str, Any]:
        """Both must be the same."""
        data = super().clean() or {}
        if data.get("password") and data.get("again") and data["password"] != data["again"]:
            self.add_error("again", _("The two passwords differ."))
        return data


class ChangePasswordForm(NewPasswordForm):
    """The old password, and the new one twice."""

    old = forms.CharField(label=_("Present password"), max_length=256, strip=False, widget=AUTOCOMPLETE_OLD)
    field_order = ["old", "password", "again"]


class PasswordForm(forms.Form):
    """The own password, to show that it is oneself."""

    password = forms.CharField(
        label=_("Present password"), max_length=256, strip=False, widget=AUTOCOMPLETE_OLD
    )


class BeginFactorForm(forms.Form):
    """The code that the application shows, and the password."""

    code = forms.CharField(label=_("Code from the application"), max_length=40, widget=APPLICATION_CODE)
    password = forms.CharField(
        label=_("Present password"), max_length=256, strip=False, widget=AUTOCOMPLETE_OLD
    )


class EndFactorForm(PasswordForm):
    """Password and code."""

    code = forms.CharField(
        label=_("Code from the application, or a recovery code"), max_length=40, widget=ANY_CODE
    )


class ResetForm(forms.Form):
    """Login or e-mail address."""

    typed = forms.CharField(label=_("Login or e-mail"), max_length=254)


class ProfileForm(forms.ModelForm):
    """Own data: they fill the requester's part of a new request."""

    class Meta:
        model = Person
        fields = ["family", "given", "patronymic", "snils", "phone", "email"]
        labels = {
            "family": _("Family name"),
            "given": _("Given name"),
            "patronymic": _("Patronymic"),
            "snils": _("SNILS"),
            "phone": _("Phone"),
            "email": _("E-mail"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["snils"] = forms.CharField(label=_("SNILS"), max_length=20, required=False)
        if self.instance.snils:
            self.initial["snils"] = format_snils(self.instance.snils)

    def clean_snils(self) -> str:
        """Digits only, with right check digits."""
        return cleaned(self.cleaned_data["snils"], normalize_snils)

    def clean_phone(self) -> str:
        """A phone in one form."""
        return cleaned(self.cleaned_data["phone"], normalize_phone)


class PlaceForm(forms.ModelForm):
    """What a person is in the organisation they act in."""

    class Meta:
        model = Membership
        fields = ["department", "position", "specialty"]
        labels = {"department": _("Department"), "position": _("Position"), "specialty": _("Specialty")}
        widgets = {name: suggesting(name) for name in SUGGESTED}


def cleaned(text: str, normalize: Any) -> str:
    """Return the identifier in its canonical form, or nothing for nothing; a bad one is a field's error."""
    if not text.strip():
        return ""
    try:
        return str(normalize(text))
    except BadIdentifier as error:
        raise forms.ValidationError(_(str(error))) from error
