"""What is said about a session: times in one's own zone, how one connects, what became of it."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from konsilium.actions.sessions import MOST_TIMES, Connection
from konsilium.models import Endpoint
from konsilium.web.drafting.forms import text_field
from konsilium.workflow.roles import Actor
from konsilium.workflow.session import CANCEL_REASONS
from konsilium.workflow.words import CONNECTIONS, SIDES

_MOMENT = "%Y-%m-%dT%H:%M"


class TimesForm(forms.Form):
    """One to five times, in the local time of whoever enters them."""

    def __init__(self, data: Any, *, actor: Actor, initial: dict[str, Any] | None = None) -> None:
        """Show fields for five times and say in which zone they are."""
        super().__init__(data, initial=initial)
        self.zone = ZoneInfo(actor.time_zone)
        for number in range(1, MOST_TIMES + 1):
            widget = forms.DateTimeInput(format=_MOMENT, attrs={"type": "datetime-local", "step": "60"})
            self.fields[f"time_{number}"] = forms.DateTimeField(
                label=gettext("Time %(number)s") % {"number": number},
                required=number == 1,
                widget=widget,
                input_formats=[_MOMENT, "%d.%m.%Y %H:%M"],
            )
        self.order_fields([f"time_{number}" for number in range(1, MOST_TIMES + 1)])

    def times(self) -> list[datetime]:
        """Return the times that were given, with their zone."""
        given = (self.cleaned_data.get(f"time_{number}") for number in range(1, MOST_TIMES + 1))
        return [moment.replace(tzinfo=self.zone) for moment in given if moment]


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


class ProposeForm(TimesForm, ConnectionForm):
    """Times, length and the consulting side's connection."""

    minutes = forms.TypedChoiceField(
        label=_("Length, minutes"),
        coerce=int,
        choices=[(count, str(count)) for count in (15, 30, 45, 60, 90)],
        initial=30,
    )
    note = text_field(_("Note for the other side"), 2)


class ConfirmForm(ConnectionForm):
    """The chosen time and the requesting side's connection."""

    option = forms.UUIDField(widget=forms.HiddenInput)


class CancelForm(forms.Form):
    """Why a session is cancelled."""

    reason = forms.ChoiceField(
        label=_("Reason"),
        choices=[(code, _(label)) for code, label in CANCEL_REASONS.items()],
        widget=forms.RadioSelect,
    )
    text = text_field(_("In words"), 2)


class HeldForm(forms.Form):
    """That the session took place."""

    patient_present = forms.TypedChoiceField(
        label=_("Was the patient present?"),
        choices=[("", "—"), ("yes", _("Yes")), ("no", _("No"))],
        required=False,
        coerce={"yes": True, "no": False}.get,
        empty_value=None,
    )
    note = text_field(_("Note"), 2)


class MissedForm(forms.Form):
    """Which side didn't come."""

    side = forms.ChoiceField(
        label=_("Who didn't come?"),
        choices=[(code, _(label)) for code, label in SIDES.items()],
        widget=forms.RadioSelect,
    )
    text = text_field(_("In words"), 2)


class FailedForm(forms.Form):
    """What failed."""

    text = forms.CharField(label=_("What failed?"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))


def own_connection(actor: Actor) -> dict[str, str]:
    """Return what the organisation's newest endpoint says of itself, to fill the form."""
    endpoint = Endpoint.objects.visible_to(actor).filter(
        is_active=True, organization_id=actor.organization_id
    )
    newest = endpoint.order_by("-created_at").first()
    if newest is None:
        return {"connection": "room"}
    return {
        "connection": newest.kind,
        "dial": newest.dial_string or newest.address,
        "phone": newest.reserve_phone,
        "technician": newest.technician,
    }
