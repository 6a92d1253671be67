"""The page of components; it is there in development and demonstration only."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext

from konsilium.web.design import samples
from konsilium.web.design.forms import SampleForm


def show(request: Any) -> HttpResponse:
    """Show the components; what is sent from them is checked for its shape and goes nowhere.

    Raises Http404 where KONSILIUM_DESIGN is off.
    """
    if not settings.KONSILIUM_DESIGN:
        raise Http404
    wrong = SampleForm(request.POST if request.method == "POST" else samples.WRONG)
    sent = request.method == "POST" and wrong.is_valid()
    if sent:
        messages.success(request, gettext("Accepted. Nothing is kept here."))
    context = {
        **samples.of(request.at),
        "form": SampleForm(initial=samples.RIGHT, prefix="filled"),
        "wrong": wrong,
    }
    return render(
        request, "design/show.html", context, status=422 if request.method == "POST" and not sent else 200
    )
