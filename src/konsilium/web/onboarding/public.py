"""The application page and its status page: no account, no actor."""

import re
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from konsilium.actions import onboarding
from konsilium.models import Application
from konsilium.models.access import as_public
from konsilium.web.http import KEY_FIELD, again, found, words
from konsilium.web.onboarding.forms import ApplicationForm, technicians
from konsilium.web.onboarding.way import NEXT_FOR_APPLICANT, steps_of
from konsilium.workflow.identifiers import format_phone
from konsilium.workflow.machine import Refused
from konsilium.workflow.onboarding import ORGANIZATION_STATE_LABELS, OrganizationState
from konsilium.workflow.words import N_

# A field that people don't see; programs that fill every field give themselves away.
TRAP = "website"
_KEY = re.compile(r"[A-Za-z0-9_-]{24,64}")
LOOKS_AUTOMATIC = N_("This looks like a form sent by a program. Look it through and send it once more.")


def apply(request: Any) -> HttpResponse:
    """Take an application; the private link to its status page is shown this once."""
    form = ApplicationForm(request.POST or None, at=request.at)
    rows = technicians(request.POST or None)
    context = {"form": form, "technicians": rows, "trap": TRAP}
    if request.method != "POST":
        return render(request, "onboarding/apply.html", context)
    if not all([form.is_valid(), *(row.is_valid() for row in rows)]):
        return again(request, "onboarding/apply.html", context)
    if request.POST.get(TRAP):
        return again(request, "onboarding/apply.html", context | {"refusal": gettext(LOOKS_AUTOMATIC)})
    people = [row.cleaned_data for row in rows if row.has_changed()]
    try:
        row, application, token = onboarding.apply(
            form.cleaned_data, people, at=request.at, token=_key(request)
        )
    except Refused as refusal:
        return again(request, "onboarding/apply.html", context | {"refusal": words(refusal)})
    link = settings.PUBLIC_URL + reverse("onboarding:status", kwargs={"token": token})
    return _private(
        render(request, "onboarding/applied.html", {"link": link, "row": row, "number": application.number})
    )


def status(request: Any, token: str) -> HttpResponse:
    """Show where the registration stands and what comes next."""
    with as_public(onboarding.link_hash(token)):
        application = Application.objects.select_related("organization").first()
    application = found(application)
    state = OrganizationState(application.organization.state)
    context = {
        "application": application,
        "row": application.organization,
        "state": gettext(ORGANIZATION_STATE_LABELS[state]),
        "steps": steps_of(state),
        "next": gettext(NEXT_FOR_APPLICANT[state]),
        "phone": format_phone(application.responsible_phone),
        "is_ended": state in (OrganizationState.DECLINED, OrganizationState.SUSPENDED),
        "is_active": state is OrganizationState.ACTIVE,
    }
    return _private(render(request, "onboarding/status.html", context))


def _key(request: Any) -> str:
    """Return the form's own random key: with it the same form sent twice gets the same link."""
    key = request.POST.get(KEY_FIELD, "")
    return key if _KEY.fullmatch(key) else ""


def _private(response: HttpResponse) -> HttpResponse:
    """The token stands on the page or in its address: nothing may keep it or pass it on."""
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response
