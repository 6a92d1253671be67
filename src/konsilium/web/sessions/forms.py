"""What is said about a session: times in one's own zone, how one connects, what became of it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django import forms
from django.forms.boundfield import BoundField
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from konsilium.actions.sessions import MOST_TIMES, Connection
from konsilium.web.drafting.forms import text_field
from konsilium.workflow.roles import Actor
from konsilium.workflow.session import CANCEL_REASONS
from konsilium.workflow.words import CONNECTIONS, SIDES

_MOMENT = "%Y-%m-%dT%H:%M"
_TIMES = [f"time_{number}" for number in range(1, MOST_TIMES + 1)]
_CONNECTION = ["connection", "dial", "pin", "phone", "technician"]
# So many are shown at once; the others open below them.
_SHOWN = 3


class Section(NamedTuple):
    """A part of a form with its heading; `wide` fields take whole lines, `more` ones open below."""

    name: str
    legend: str
    fields: list[BoundField]
    wide: list[BoundField] = []
    more: list[BoundField] = []
    more_open: bool = False


def moment_field(label: str, zone: ZoneInfo, *, required: bool = True) -> forms.DateTimeField:
    """A date and time at a place, as the browser's own field or typed as people write it."""
    widget = forms.DateTimeInput(format=_MOMENT, attrs={"type": "datetime-local", "step": "60"})
    return LocalField(
        zone, label=label, required=required, widget=widget, input_formats=[_MOMENT, "%d.%m.%Y %H:%M"]
    )


class LocalField(forms.DateTimeField):
    """A moment that is typed and shown in the local time of one place, whatever the server's own zone is."""

    def __init__(self, zone: ZoneInfo, **given: Any) -> None:
        """Remember the place."""
        super().__init__(**given)
        self.zone = zone

    def prepare_value(self, value: Any) -> Any:
        """Show a moment as the place's local time."""
        return value.astimezone(self.zone).replace(tzinfo=None) if isinstance(value, datetime) else value

    def clean(self, value: Any) -> datetime | None:
        """Take what was typed as the place's local time."""
        moment = super().clean(value)
        return moment.replace(tzinfo=self.zone) if moment else None


class TimesForm(forms.Form):
    """One to five times, in the local time of whoever enters them."""

    def __init__(self, data: Any, *, actor: Actor, initial: dict[str, Any] | None = None) -> None:
        """Show fields for five times, of which one must be given."""
        super().__init__(data, initial=initial)
        zone = ZoneInfo(actor.time_zone)
        for number, name in enumerate(_TIMES, 1):
            label = gettext("Time %(number)s") % {"number": number}
            self.fields[name] = moment_field(label, zone, required=number == 1)

    def times(self) -> list[datetime]:
        """Return the times that were given, with their zone."""
        given = (self.cleaned_data.get(name) for name in _TIMES)
        return [moment for moment in given if moment]

    def sections(self) -> Iterator[Section]:
        """Return the form's parts in their order."""
        times = [self[name] for name in _TIMES]
        more = times[_SHOWN:]
        is_open = any(field.data or field.errors for field in more)
        yield Section("times", gettext("Times"), times[:_SHOWN], more=more, more_open=is_open)


class LengthForm(forms.Form):
    """How long the session takes."""

    minutes = forms.TypedChoiceField(
        label=_("Length, minutes"),
        coerce=int,
        choices=[(count, str(count)) for count in (15, 30, 45, 60, 90)],
        initial=30,
    )


class ConnectionForm(forms.Form):
    """How a side connects, and whom to ring when it doesn't."""

    connection = forms.ChoiceField(
        label=_("Connection"), choices=[(code, _(label)) for code, label in CONNECTIONS.items()]
    )
    dial = forms.CharField(label=_("Dial string or link"), max_length=200, required=False)
    pin = forms.CharField(label=_("PIN"), max_length=20, required=False)
    phone = forms.CharField(label=_("Reserve phone"), max_length=40, required=False)
    technician = forms.CharField(label=_("Technical contact"), max_length=200, required=False)

    def given(self) -> Connection:
        """Return the connection as the action takes it."""
        data = self.cleaned_data
        return Connection(data["connection"], data["dial"], data["pin"], data["phone"], data["technician"])

    def own_connection(self) -> Section:
        """Return the part about the own side."""
        fields = [self[name] for name in _CONNECTION]
        return Section("connection", gettext("Connection of your side"), fields)


class ProposeForm(TimesForm, LengthForm, ConnectionForm):
    """Times, length and the consulting side's connection."""

    note = text_field(_("Note for the other side"), 2)

    def sections(self) -> Iterator[Section]:
        """Return the form's parts in their order."""
        yield from super().sections()
        yield Section("length", gettext("Length and note"), [self["minutes"]], [self["note"]])
        yield self.own_connection()


class AgainForm(TimesForm, LengthForm):
    """Other times of the consulting side."""

    def sections(self) -> Iterator[Section]:
        """Return the form's parts in their order."""
        yield from super().sections()
        yield Section("length", gettext("Length"), [self["minutes"]])


class CounterForm(TimesForm, ConnectionForm):
    """The requesting side's own times, and its connection: the centre may accept a time without asking again."""

    def sections(self) -> Iterator[Section]:
        """Return the form's parts in their order."""
        yield from super().sections()
        yield self.own_connection()


class ConfirmForm(ConnectionForm):
    """The chosen time and the requesting side's connection."""

    option = forms.UUIDField(widget=forms.HiddenInput)

    def sections(self) -> Iterator[Section]:
        """Return the form's parts in their order."""
        yield self.own_connection()


class PlainForm(forms.Form):
    """A form of one part without a heading."""

    def sections(self) -> Iterator[Section]:
        """Return the form's parts in their order."""
        times = [field for field in self if isinstance(field.field, LocalField)]
        others = [field for field in self if not isinstance(field.field, LocalField)]
        yield Section("outcome", "", times, others)


class CancelForm(PlainForm):
    """Why a session is cancelled."""

    reason = forms.ChoiceField(
        label=_("Reason"),
        choices=[(code, _(label)) for code, label in CANCEL_REASONS.items() if code != "request_withdrawn"],
        widget=forms.RadioSelect,
    )
    text = text_field(_("In words"), 2)


class HeldForm(PlainForm):
    """That the session took place, from when to when."""

    def __init__(self, data: Any, *, actor: Actor, initial: dict[str, Any]) -> None:
        """Ask for the times in the person's own zone."""
        super().__init__(data, initial=initial)
        zone = ZoneInfo(actor.time_zone)
        self.fields["began_at"] = moment_field(gettext("Began at"), zone)
        self.fields["ended_at"] = moment_field(gettext("Ended at"), zone)
        self.order_fields(["began_at", "ended_at"])

    patient_present = forms.TypedChoiceField(
        label=_("Was the patient present?"),
        choices=[("yes", _("Yes")), ("no", _("No"))],
        required=False,
        coerce={"yes": True, "no": False}.get,
        empty_value=None,
        widget=forms.RadioSelect,
    )
    note = text_field(_("Note"), 2)


class MissedForm(PlainForm):
    """Which side didn't come."""

    side = forms.ChoiceField(
        label=_("Who didn't come?"),
        choices=[(code, _(label)) for code, label in SIDES.items()],
        widget=forms.RadioSelect,
    )
    text = text_field(_("In words"), 2)


class FailedForm(PlainForm):
    """What failed."""

    text = forms.CharField(label=_("What failed?"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))
