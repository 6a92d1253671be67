"""The own second factor: turned on, its recovery codes renewed, turned off."""

from typing import Any
from urllib.parse import quote

import segno
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext

from konsilium.actions import second_factor
from konsilium.web.account import forms
from konsilium.web.account.network import network_of
from konsilium.web.http import again, words
from konsilium.workflow.machine import Refused

ISSUER = "Konsilium"


def begin(request: Any) -> HttpResponse:
    """Show the key of a new second factor, and turn it on by password and code; recovery codes are shown once."""
    try:
        device = second_factor.begin(request.person.pk)
    except Refused as refusal:
        messages.warning(request, words(refusal))
        return redirect("account:security")
    form = forms.BeginFactorForm(request.POST or None)
    context: dict[str, Any] = {"form": form, **_key(device, request.person.login)}
    if request.method != "POST" or not form.is_valid():
        return _page(request, "begin_factor", context)
    try:
        codes = second_factor.confirm(
            request.person, **form.cleaned_data, network=network_of(request), at=request.at
        )
    except Refused as refusal:
        return _unkept(again(request, "account/begin_factor.html", context | {"refusal": words(refusal)}))
    return _unkept(render(request, "account/codes.html", {"codes": codes}))


def _key(device: Any, login: str) -> dict[str, str]:
    secret = device.config_url.partition("secret=")[2].partition("&")[0]
    address = f"otpauth://totp/{ISSUER}:{quote(login)}?secret={secret}&issuer={ISSUER}"
    picture = segno.make(address, error="m").svg_inline(scale=4, omitsize=True, svgclass="qr", lineclass=None)
    return {"picture": picture, "key": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))}


def renew_codes(request: Any) -> HttpResponse:
    """Replace the recovery codes, given the password; the new ones are shown once."""
    form = forms.PasswordForm(request.POST or None)
    context: dict[str, Any] = {"form": form}
    if request.method != "POST" or not form.is_valid():
        return _page(request, "renew_codes", context)
    try:
        codes = second_factor.renew_recovery_codes(
            request.person, **form.cleaned_data, network=network_of(request), at=request.at
        )
    except Refused as refusal:
        return again(request, "account/renew_codes.html", context | {"refusal": words(refusal)})
    return _unkept(render(request, "account/codes.html", {"codes": codes}))


def end(request: Any) -> HttpResponse:
    """Turn the second factor off, given password and code."""
    form = forms.EndFactorForm(request.POST or None)
    context: dict[str, Any] = {"form": form}
    if request.method != "POST" or not form.is_valid():
        return _page(request, "end_factor", context)
    try:
        second_factor.end(request.person, **form.cleaned_data, network=network_of(request), at=request.at)
    except Refused as refusal:
        return again(request, "account/end_factor.html", context | {"refusal": words(refusal)})
    messages.success(request, gettext("The second factor is off."))
    return redirect("account:security")


def _page(request: Any, name: str, context: dict[str, Any]) -> HttpResponse:
    status = 422 if context["form"].errors else 200
    return _unkept(render(request, f"account/{name}.html", context, status=status))


def _unkept(response: HttpResponse) -> HttpResponse:
    """A key or a code stands on the page: no cache may hold it."""
    response.headers["Cache-Control"] = "no-store"
    return response
