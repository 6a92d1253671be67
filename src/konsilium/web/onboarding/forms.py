"""What an organisation says when it applies, and what a coordinator writes down."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from konsilium.models import DictionaryEntry
from konsilium.web.account.forms import cleaned
from konsilium.web.clockface import zone, zone_label
from konsilium.workflow.equipment import CONTACT_CHANNELS
from konsilium.workflow.identifiers import (
    normalize_email,
    normalize_inn,
    normalize_ogrn,
    normalize_organization_oid,
    normalize_phone,
)
from konsilium.workflow.onboarding import LEVELS

TECHNICIANS = 3


def text(label: Any, longest: int = 200, **given: Any) -> forms.CharField:
    """Return a line of text."""
    return forms.CharField(label=label, max_length=longest, **given)


def words(label: Any, rows: int = 3, **given: Any) -> forms.CharField:
    """Return a field for several lines."""
    return forms.CharField(label=label, max_length=4000, widget=forms.Textarea(attrs={"rows": rows}), **given)


def phone(label: Any, **given: Any) -> forms.CharField:
    """Return a phone's field."""
    return text(label, 40, widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}), **given)


def email(label: Any, **given: Any) -> forms.CharField:
    """Return an e-mail's field; its form is checked by our own rule, which names an example."""
    return text(label, 254, widget=forms.TextInput(attrs={"type": "email", "autocomplete": "off"}), **given)


class PlaceForm(forms.Form):
    """An organisation's names, region, time zone and level."""

    full_name = text(_("Full name, as in the federal register"), 500)
    short_name = text(_("Short name"), 120)
    region = forms.ChoiceField(label=_("Region"))
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        required=False,
        help_text=_("Change it only where your place differs from its region."),
    )
    level = forms.TypedChoiceField(label=_("Level of the organisation"), coerce=int, widget=forms.RadioSelect)

    def __init__(self, *args: Any, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zones, regions = _regions()
        choices: dict[str, list[tuple[Any, str]]] = {
            "region": [("", gettext("Choose the region")), *regions],
            "time_zone": [("", gettext("By the region")), *_zones(set(self.zones.values()), at)],
            "level": [(level, gettext(label)) for level, label in sorted(LEVELS.items(), reverse=True)],
        }
        for name, given in choices.items():
            self.fields[name].choices = given  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Without a chosen time zone the region's holds."""
        data = super().clean() or self.cleaned_data
        data["time_zone"] = data.get("time_zone") or self.zones.get(data.get("region", ""), "")
        return data


def _regions() -> tuple[dict[str, str], list[tuple[Any, str]]]:
    russian = get_language() == "ru"
    rows = list(DictionaryEntry.objects.of("regions"))
    named = [(row.code, row.name if russian else row.name_en or row.name) for row in rows]
    return {row.code: row.extra["time_zone"] for row in rows}, sorted(named, key=lambda one: one[1])


def _zones(names: set[str], at: datetime) -> list[tuple[Any, str]]:
    ordered = sorted(names, key=lambda name: (at.astimezone(zone(name)).utcoffset() or timedelta(), name))
    return [(name, f"{zone_label(name, at)} — {name.partition('/')[2]}") for name in ordered]


class ApplicationForm(PlaceForm):
    """The application of an organisation without a profile."""

    oid = text(
        _("OID in the federal register (FRMO)"),
        64,
        help_text=_(
            "Looks like 1.2.643.5.1.13.13.12.2.77.7812; your statistics office or head doctor knows it."
        ),
    )
    inn = text(_("INN"), 20, widget=forms.TextInput(attrs={"inputmode": "numeric"}))
    ogrn = text(_("OGRN"), 20, widget=forms.TextInput(attrs={"inputmode": "numeric"}))
    responsible_name = text(_("Family name, given name, patronymic"))
    responsible_position = text(_("Position"))
    responsible_phone = phone(_("Phone"))
    responsible_email = email(_("E-mail"))
    equipment = words(
        _("What video equipment there is"),
        4,
        help_text=_(
            "A room codec and its model, or a computer with camera and headset; how it is connected."
        ),
    )
    wishes = words(_("Wishes: when to test, what to know"), 2, required=False)

    def clean_oid(self) -> str:
        """In its form."""
        return cleaned(self.cleaned_data["oid"], normalize_organization_oid)

    def clean_inn(self) -> str:
        """With right check digits."""
        return cleaned(self.cleaned_data["inn"], normalize_inn)

    def clean_ogrn(self) -> str:
        """With a right check digit."""
        return cleaned(self.cleaned_data["ogrn"], normalize_ogrn)

    def clean_responsible_phone(self) -> str:
        """In one form."""
        return cleaned(self.cleaned_data["responsible_phone"], normalize_phone)

    def clean_responsible_email(self) -> str:
        """In one form."""
        return cleaned(self.cleaned_data["responsible_email"], normalize_email)


class ContactForm(forms.Form):
    """A person to ring."""

    name = text(_("Family name, given name, patronymic"))
    position = text(_("Position"), required=False)
    phone = phone(_("Phone"))
    email = email(_("E-mail"), required=False)

    def clean_phone(self) -> str:
        """In one form."""
        return cleaned(self.cleaned_data["phone"], normalize_phone)

    def clean_email(self) -> str:
        """In one form."""
        return cleaned(self.cleaned_data["email"], normalize_email)


class KeptContactForm(ContactForm):
    """A contact with what it is for."""

    is_technical = forms.BooleanField(label=_("Technical specialist"), required=False)
    is_active = forms.BooleanField(label=_("Still holds"), required=False, initial=True)


def technicians(data: Any) -> list[ContactForm]:
    """Return the rows for technical specialists: the first is needed, the others may stay empty."""
    rows = [
        ContactForm(
            data, prefix=f"technician{number}", empty_permitted=number > 1, use_required_attribute=False
        )
        for number in range(1, TECHNICIANS + 1)
    ]
    rows[0].fields["email"].required = True
    return rows


class LogForm(forms.Form):
    """A contact with the organisation."""

    channel = forms.ChoiceField(
        label=_("How"), choices=[(code, _(label)) for code, label in CONTACT_CHANNELS.items()]
    )
    with_whom = text(_("With whom"))
    text = words(_("About what, and what was agreed"))
    contacted_at = forms.DateTimeField(
        label=_("When, your time"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M"],
    )

    def __init__(self, data: Any, *, at: datetime, time_zone: str) -> None:
        self.place = zone(time_zone)
        now = at.astimezone(self.place).replace(tzinfo=None)
        super().__init__(data, initial={"contacted_at": now, "channel": "phone"})

    def clean_contacted_at(self) -> datetime:
        """What was typed is the writer's local time."""
        typed: datetime = self.cleaned_data["contacted_at"]
        return typed.replace(tzinfo=self.place)


class ReasonForm(forms.Form):
    """Why a registration is declined or an organisation suspended; the applicant reads it."""

    reason = words(_("Reason"), 4, help_text=_("The organisation reads it on its status page."))


class AccessForm(forms.Form):
    """The responsible person's account."""

    family = text(_("Family name"), 100)
    given = text(_("Given name"), 100)
    patronymic = text(_("Patronymic"), 100, required=False)
    position = text(_("Position"), required=False)
    email = email(_("E-mail"))
    phone = phone(_("Phone"), required=False)

    clean_phone = ContactForm.clean_phone
    clean_email = ContactForm.clean_email
