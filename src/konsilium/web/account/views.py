"""Signing in and out, one-time links, the membership acted in, own data, password and sessions."""

from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from konsilium.actions import account, second_factor
from konsilium.models import Membership, Person
from konsilium.models.access import signing_in
from konsilium.notifications import letters
from konsilium.web.access import keep_signed_in
from konsilium.web.account import forms
from konsilium.web.account.devices import device_name
from konsilium.web.account.network import network_of
from konsilium.web.clockface import local
from konsilium.web.context import home_of
from konsilium.web.http import again, found, go_to, words
from konsilium.workflow.machine import Refused
from konsilium.workflow.roles import ROLE_LABELS, Role

# How long the password counts while the code is looked for, in seconds.
CODE_WAITS = 300
# Somebody who acts nowhere yet has no place whose time it could be.
SOMEWHERE = "Europe/Moscow"


def home(request: Any) -> HttpResponse:
    """Go to the desk of the role acted in."""
    return redirect(home_of(request.actor.role))


def sign_in(request: Any) -> HttpResponse:
    """Ask for login and password; then for the code, or straight to the desk."""
    if request.person is not None:
        return redirect("account:home")
    form = forms.SignInForm(request.POST or None)
    context: dict[str, Any] = {"form": form, "next": next_of(request)}
    if request.method != "POST" or not form.is_valid():
        return render(request, "account/sign_in.html", context, status=422 if form.errors else 200)
    checked = account.check_sign_in(**form.cleaned_data, network=network_of(request), at=request.at)
    if checked.person is None:
        context["refusal"] = words(checked.refusal or account.WrongSignIn())
        return again(request, "account/sign_in.html", context)
    if not checked.needs_code:
        return _enter(request, checked.person)
    request.session.flush()
    request.session["waits_for_code"] = [str(checked.person.pk), request.at.timestamp()]
    return redirect(f"{reverse('account:code')}?next={quote(context['next'])}")


def code(request: Any) -> HttpResponse:
    """Ask for the second factor's code; the web session isn't signed in until it fits."""
    person_id, since = request.session.get("waits_for_code", ["", 0])
    if not person_id or request.at.timestamp() - since > CODE_WAITS:
        return redirect("account:sign_in")
    form = forms.CodeForm(request.POST or None)
    context = {"form": form, "next": next_of(request)}
    if request.method != "POST" or not form.is_valid():
        return render(request, "account/code.html", context, status=422 if form.errors else 200)
    typed, network = form.cleaned_data["code"], network_of(request)
    refusal = second_factor.check_code(person_id, code=typed, network=network, at=request.at)
    if refusal is not None:
        return again(request, "account/code.html", context | {"refusal": words(refusal)})
    with signing_in():
        person = Person.objects.get(pk=person_id)
    return _enter(request, person)


def _enter(request: Any, person: Person) -> HttpResponse:
    membership_id = account.first_membership(person.pk)
    _keep(request, person, membership_id)
    account.record_of_account(person, "signed_in", at=request.at)
    if membership_id:
        return redirect(next_of(request))
    return redirect(f"{reverse('account:memberships')}?next={quote(next_of(request))}")


def _keep(request: Any, person: Person, membership_id: Any) -> None:
    device, network = request.headers.get("User-Agent", ""), network_of(request)
    keep_signed_in(request, person_id=person.pk, membership_id=membership_id, network=network, device=device)


@require_POST
def sign_out(request: Any) -> HttpResponse:
    """End this web session."""
    account.record_of_account(request.person, "signed_out", at=request.at)
    request.session.flush()
    return redirect("account:sign_in")


def memberships(request: Any) -> HttpResponse:
    """Show the memberships to act in, and act in the chosen one under a new session key."""
    usable = account.usable_memberships(request.person.pk)
    if request.method == "POST":
        chosen = found(next((row for row in usable if str(row.pk) == request.POST.get("membership")), None))
        _keep(request, request.person, chosen.pk)
        return redirect(next_of(request, home_of(Role(chosen.role))))
    context = {
        "rows": [(row, gettext(ROLE_LABELS[Role(row.role)])) for row in usable],
        "resting": account.resting_organizations(request.person.pk),
        "next": next_of(request, ""),
    }
    return render(request, "account/memberships.html", context)


def profile(request: Any) -> HttpResponse:
    """Show and change own data, and what one is in the organisation acted in."""
    person = Person.objects.get(pk=request.person.pk)
    place = Membership.objects.filter(pk=request.actor.membership_id).first() if request.actor else None
    data = request.POST or None
    form = forms.ProfileForm(data, instance=person)
    place_form = forms.PlaceForm(data, instance=place, prefix="place") if place else None
    context = {"form": form, "place_form": place_form, **forms.suggestions()}
    if request.method != "POST":
        return render(request, "account/profile.html", context)
    if not form.is_valid() or (place_form and not place_form.is_valid()):
        return again(request, "account/profile.html", context)
    place_fields = place_form.changed_data if place_form else []
    account.change_profile(person, form.changed_data, place, place_fields, at=request.at)
    messages.success(request, gettext("Saved."))
    return redirect("account:profile")


def security(request: Any) -> HttpResponse:
    """Show the password, the second factor and the own sessions in one place."""
    person_id = request.person.pk
    context = {
        "sessions": [_session(row, request) for row in account.sessions_of(person_id, at=request.at)],
        "has_factor": second_factor.is_on(person_id),
        "codes_left": second_factor.recovery_codes_left(person_id),
    }
    return render(request, "account/security.html", context)


def _session(row: Any, request: Any) -> dict[str, Any]:
    zone = request.actor.time_zone if request.actor else SOMEWHERE
    return {
        "name": account.session_name(row.session_key),
        "device": device_name(row.device),
        "network": row.network,
        "since": local(row.started_at, zone),
        "seen": local(row.seen_at, zone),
        "here": row.session_key == request.session.stored_key,
    }


def change_password(request: Any) -> HttpResponse:
    """Change the own password; every other session ends."""
    form = forms.ChangePasswordForm(request.POST or None)
    context: dict[str, Any] = {"form": form}
    if request.method != "POST" or not form.is_valid():
        status = 422 if form.errors else 200
        return render(request, "account/change_password.html", context, status=status)
    try:
        account.change_password(
            request.person,
            old=form.cleaned_data["old"],
            new=form.cleaned_data["password"],
            keep=request.session.stored_key,
            network=network_of(request),
            at=request.at,
        )
    except Refused as refusal:
        return again(request, "account/change_password.html", context | {"refusal": words(refusal)})
    messages.success(request, gettext("The password is changed; other sessions are ended."))
    return redirect("account:security")


@require_POST
def end_sessions(request: Any) -> HttpResponse:
    """End one own session, or all but this one."""
    only = request.POST.get("only", "")
    keep = "" if only else request.session.stored_key
    count = account.end_sessions(request.person.pk, only=only, keep=keep)
    messages.success(request, gettext("Ended sessions: %(count)s") % {"count": count})
    return redirect("account:security")


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
    status = 422 if form.errors else 200
    return _unreferred(render(request, "account/follow_link.html", context, status=status))


def _unreferred(response: HttpResponse) -> HttpResponse:
    """The token stands in the address: no page may learn it, not even our own next one.

    Not "no-referrer": with it browsers send `Origin: null`, and the form would be refused as somebody else's.
    """
    response.headers["Referrer-Policy"] = "strict-origin"
    response.headers["Cache-Control"] = "no-store"
    return response


def ask_reset(request: Any) -> HttpResponse:
    """Send a reset link by e-mail; the answer is the same whether there is such an account."""
    form = forms.ResetForm(request.POST or None)
    context = {"form": form, "mail": bool(settings.SMTP_URL)}
    if request.method != "POST" or not form.is_valid():
        return render(request, "account/ask_reset.html", context, status=422 if form.errors else 200)
    try:
        asked = account.ask_for_reset(form.cleaned_data["typed"], network=network_of(request), at=request.at)
    except Refused as refusal:
        return again(request, "account/ask_reset.html", context | {"refusal": words(refusal)})
    for person, token in asked:
        letters.send_reset(person, link_address(token), at=request.at)
    return render(request, "account/reset_sent.html", context)


def link_address(token: str) -> str:
    """Return the whole address of a one-time link."""
    return settings.PUBLIC_URL + reverse("account:link", kwargs={"token": token})


@require_POST
def language(request: Any) -> HttpResponse:
    """Keep the chosen language in a cookie, and with the person."""
    chosen = request.POST.get("language", "")
    response = go_to(request, next_of(request))
    if chosen in dict(settings.LANGUAGES):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            chosen,
            max_age=31_536_000,
            samesite="Lax",
            secure=settings.HTTPS,
            httponly=True,
        )
        if request.person is not None:
            account.choose_language(request.person, chosen)
    return response


def next_of(request: Any, otherwise: str = "/") -> str:
    """Return the own address to go to next, never somebody else's."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if safe and wanted.startswith("/") else otherwise
