"""Signing in and out, the second factor, one-time links, own data."""

import ipaddress
from typing import Any
from urllib.parse import quote

import segno
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from konsilium.actions import account
from konsilium.models import Membership, Person
from konsilium.models.access import signing_in
from konsilium.notifications import letters
from konsilium.web.account import forms
from konsilium.web.access import keep_signed_in
from konsilium.web.context import home_of
from konsilium.web.http import again, found, go_to, words
from konsilium.workflow.machine import Refused
from konsilium.workflow.roles import ROLE_LABELS, Role

# How long the password counts while the code is looked for, in seconds.
CODE_WAITS = 300


def home(request: Any) -> HttpResponse:
    """Go to the desk of the role acted in."""
    return redirect(home_of(request.actor.role))


def sign_in(request: Any) -> HttpResponse:
    """Ask for login and password; then for the code, or straight to the desk."""
    if request.person is not None:
        return redirect("account:home")
    form = forms.SignInForm(request.POST or None)
    context = {"form": form, "next": _next(request)}
    if request.method != "POST" or not form.is_valid():
        return render(request, "account/sign_in.html", context, status=422 if form.errors else 200)
    checked = account.check_sign_in(**form.cleaned_data, network=network_of(request), at=request.at)
    if checked.refusal or checked.person_id is None:
        context["refusal"] = words(checked.refusal) if checked.refusal else ""
        return again(request, "account/sign_in.html", context)
    if not checked.needs_code:
        return _enter(request, checked.person_id)
    request.session.flush()
    request.session["waits_for_code"] = [str(checked.person_id), request.at.timestamp()]
    return redirect(f"{reverse('account:code')}?next={quote(context['next'])}")


def code(request: Any) -> HttpResponse:
    """Ask for the second factor's code; the web session isn't signed in until it fits."""
    person_id, since = request.session.get("waits_for_code", ["", 0])
    if not person_id or request.at.timestamp() - since > CODE_WAITS:
        return redirect("account:sign_in")
    form = forms.CodeForm(request.POST or None)
    context = {"form": form, "next": _next(request)}
    if request.method != "POST" or not form.is_valid():
        return render(request, "account/code.html", context, status=422 if form.errors else 200)
    typed = form.cleaned_data["code"]
    if not account.check_code(person_id, code=typed, network=network_of(request), at=request.at):
        context["refusal"] = words(account.WrongCode())
        return again(request, "account/code.html", context)
    return _enter(request, person_id)


def _enter(request: Any, person_id: Any) -> HttpResponse:
    membership_id = account.first_membership(person_id)
    keep_signed_in(
        request,
        person_id=person_id,
        membership_id=membership_id,
        network=network_of(request),
        device=request.headers.get("User-Agent", ""),
    )
    with signing_in():
        person = Person.objects.get(pk=person_id)
    account.record_sign_in(person, kind="signed_in", at=request.at)
    return redirect(_next(request) if membership_id else "account:memberships")


@require_POST
def sign_out(request: Any) -> HttpResponse:
    """End this web session."""
    account.record_sign_in(request.person, kind="signed_out", at=request.at)
    request.session.flush()
    return redirect("account:sign_in")


def memberships(request: Any) -> HttpResponse:
    """Show the memberships to act in, and act in the chosen one under a new session key."""
    usable = account.usable_memberships(request.person.pk)
    if request.method == "POST":
        chosen = found(next((row for row in usable if str(row.pk) == request.POST.get("membership")), None))
        keep_signed_in(
            request,
            person_id=request.person.pk,
            membership_id=chosen.pk,
            network=network_of(request),
            device=request.headers.get("User-Agent", ""),
        )
        return redirect(home_of(Role(chosen.role)))
    rows = [(row, gettext(ROLE_LABELS[Role(row.role)])) for row in usable]
    suspended = account.suspended_memberships(request.person.pk)
    return render(request, "account/memberships.html", {"rows": rows, "suspended": suspended})


def profile(request: Any) -> HttpResponse:
    """Show and change own data, and what one is in the organisation acted in."""
    person = Person.objects.get(pk=request.person.pk)
    place = Membership.objects.filter(pk=request.actor.membership_id).first() if request.actor else None
    data = request.POST or None
    form = forms.ProfileForm(data, instance=person)
    place_form = forms.PlaceForm(data, instance=place, prefix="place") if place else None
    context = {"form": form, "place_form": place_form}
    if request.method != "POST":
        return render(request, "account/profile.html", context)
    if not form.is_valid() or (place_form and not place_form.is_valid()):
        return again(request, "account/profile.html", context)
    account.change_profile(person, form.changed_data, place, place_form.changed_data if place_form else [])
    messages.success(request, gettext("Saved."))
    return redirect("account:profile")


def security(request: Any) -> HttpResponse:
    """Show the password, the second factor and the own sessions in one place."""
    person_id, key = request.person.pk, request.session.session_key
    sessions = [
        {"row": row, "name": account.session_name(row.session_key), "here": row.session_key == key}
        for row in account.sessions_of(person_id, at=request.at)
    ]
    context = {
        "sessions": sessions,
        "has_factor": account.has_second_factor(person_id),
        "codes_left": account.recovery_codes_left(person_id),
    }
    return render(request, "account/security.html", context)


def change_password(request: Any) -> HttpResponse:
    """Change the own password; every other session ends."""
    form = forms.ChangePasswordForm(request.POST or None)
    context: dict[str, Any] = {"form": form}
    if request.method == "POST" and form.is_valid():
        old, new = form.cleaned_data["old"], form.cleaned_data["password"]
        keep = request.session.session_key
        try:
            account.change_password(request.person, old=old, new=new, keep=keep, at=request.at)
        except Refused as refusal:
            context["refusal"] = words(refusal)
            return again(request, "account/change_password.html", context)
        messages.success(request, gettext("The password is changed; other sessions are ended."))
        return redirect("account:security")
    return render(request, "account/change_password.html", context, status=422 if form.errors else 200)


@require_POST
def end_sessions(request: Any) -> HttpResponse:
    """End one own session, or all but this one."""
    only = request.POST.get("only", "")
    keep = "" if only else request.session.session_key
    count = account.end_sessions(request.person.pk, only=only, keep=keep)
    messages.success(request, gettext("Ended sessions: %(count)s") % {"count": count})
    return redirect("account:security")


def begin_factor(request: Any) -> HttpResponse:
    """Show the key of a new second factor, and confirm it by a code; the recovery codes are shown once."""
    device = account.begin_second_factor(request.person.pk)
    form = forms.CodeForm(request.POST or None)
    address = f"otpauth://totp/Konsilium:{quote(request.person.login)}?{device.config_url.partition('?')[2]}"
    picture = segno.make(address, error="m").svg_inline(scale=4, omitsize=True, svgclass="qr", lineclass=None)
    context: dict[str, Any] = {"form": form, "picture": picture, "key": _base32(device)}
    if request.method != "POST" or not form.is_valid():
        return render(request, "account/begin_factor.html", context)
    try:
        codes = account.confirm_second_factor(request.person, code=form.cleaned_data["code"], at=request.at)
    except Refused as refusal:
        context["refusal"] = words(refusal)
        return again(request, "account/begin_factor.html", context)
    return render(request, "account/codes.html", {"codes": codes})


def _base32(device: Any) -> str:
    secret = device.config_url.partition("secret=")[2].partition("&")[0]
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))


def end_factor(request: Any) -> HttpResponse:
    """Take the second factor away, given password and code."""
    form = forms.EndFactorForm(request.POST or None)
    context: dict[str, Any] = {"form": form}
    if request.method != "POST" or not form.is_valid():
        return render(request, "account/end_factor.html", context, status=422 if form.errors else 200)
    try:
        account.end_second_factor(request.person, **form.cleaned_data, at=request.at)
    except Refused as refusal:
        context["refusal"] = words(refusal)
        return again(request, "account/end_factor.html", context)
    messages.success(request, gettext("The second factor is off."))
    return redirect("account:security")


def renew_codes(request: Any) -> HttpResponse:
    """Replace the recovery codes, given the password; the new ones are shown once."""
    form = forms.PasswordForm(request.POST or None)
    context: dict[str, Any] = {"form": form}
    if request.method != "POST" or not form.is_valid():
        return render(request, "account/renew_codes.html", context, status=422 if form.errors else 200)
    try:
        codes = account.renew_recovery_codes(request.person, **form.cleaned_data, at=request.at)
    except Refused as refusal:
        context["refusal"] = words(refusal)
        return again(request, "account/renew_codes.html", context)
    return render(request, "account/codes.html", {"codes": codes})


def follow_link(request: Any, token: str) -> HttpResponse:
    """Let whoever holds a one-time link set a password. Looking at the page uses nothing up."""
    form = forms.NewPasswordForm(request.POST or None)
    try:
        person = account.open_link(token, at=request.at)
        if request.method == "POST" and form.is_valid():
            account.set_password_by_link(token, password=form.cleaned_data["password"], at=request.at)
            messages.success(request, gettext("The password is set. Sign in with it."))
            return _unreferred(redirect("account:sign_in"))
    except account.WeakPassword as refusal:
        form.add_error("password", str(refusal))
    except Refused as refusal:
        return _unreferred(again(request, "account/dead_link.html", {"refusal": words(refusal)}))
    context = {"form": form, "owner": person}
    return _unreferred(render(request, "account/follow_link.html", context, status=422 if form.errors else 200))


def _unreferred(response: HttpResponse) -> HttpResponse:
    """The token stands in the address: no other page may learn it."""
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response


def ask_reset(request: Any) -> HttpResponse:
    """Send a reset link by e-mail; the answer is the same whether there is such an account."""
    form = forms.ResetForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return render(request, "account/ask_reset.html", {"form": form, "mail": bool(settings.SMTP_URL)})
    asked = account.ask_for_reset(form.cleaned_data["typed"], at=request.at)
    if asked is not None:
        person, token = asked
        address = settings.PUBLIC_URL + reverse("account:link", kwargs={"token": token})
        letters.send_reset(person, address, at=request.at)
    return render(request, "account/reset_sent.html", {"mail": bool(settings.SMTP_URL)})


@require_POST
def language(request: Any) -> HttpResponse:
    """Keep the chosen language in a cookie, and with the person."""
    chosen = request.POST.get("language", "")
    response = go_to(request, _next(request))
    if chosen in dict(settings.LANGUAGES):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME, chosen, max_age=31_536_000, samesite="Lax", secure=settings.HTTPS
        )
        if request.person is not None:
            account.choose_language(request.person, chosen)
    return response


def network_of(request: Any) -> str:
    """Return the network somebody comes from: /24 of IPv4, /64 of IPv6."""
    address = ipaddress.ip_address(request.META.get("REMOTE_ADDR") or "127.0.0.1")
    bits = 24 if address.version == 4 else 64  # noqa: PLR2004
    return str(ipaddress.ip_network(f"{address}/{bits}", strict=False))


def _next(request: Any) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or "/"
    safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if safe and wanted.startswith("/") else "/"
