"""Who comes in, and what the database shows them: one middleware, before every page.

One query finds the web session, the person and the membership they act in, so that what was revoked is gone at the
next request. An upload's body is received before the transaction opens, and only from people who are signed in: a slow
line must not keep a transaction open. Then the whole page runs in one transaction in the person's database context.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext

from konsilium.adapters.storage import StoreUnreachable
from konsilium.models import Person, SessionStore, WebSession, stored_key
from konsilium.models.access import acting, as_person, as_public, signing_in
from konsilium.web.dicomweb import ticket
from konsilium.workflow.roles import Actor, Role, may

# Actions that are not rights of a role: anybody's, and anybody's who is signed in.
PUBLIC = "public"
SIGNED_IN = "signed_in"

PLAIN = "text/plain; charset=utf-8"
SEEN_EVERY = timedelta(minutes=5)
_ENTER = (
    "SELECT session_data, seen_at, person_id, login, family, given, patronymic, language, membership_id, role, "
    "position_held, organization_id, organization_name, time_zone FROM konsilium_enter(%s)"
)


class Page(HttpRequest):
    """A request as the pages see it: who came (`person`), and as whom they act (`actor`)."""

    session: SessionStore
    person: Person | None
    actor: Actor
    language: str
    at: Any


class EntryMiddleware(SessionMiddleware):
    """Find who comes in, open their database context, run the page in it, keep the web session."""

    def __call__(self, request: Any) -> HttpResponseBase:
        """Answer the request in one transaction; a server error leaves nothing behind."""
        request.at = timezone.now()
        # PostgreSQL keeps no NUL, and no address of ours holds one.
        if "%00" in request.META.get("QUERY_STRING", ""):
            return HttpResponse(status=HTTPStatus.BAD_REQUEST)
        self.process_request(request)
        too_much = _receive_upload(request)
        if too_much is not None:
            return too_much
        with translation.override(request.language):
            with _context(request):
                response: Any = self.get_response(request)
                failed = response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
                # "Not yet" is no failure: what was ordered meanwhile stays ordered.
                if failed and not getattr(response, "is_not_yet", False):
                    transaction.set_rollback(True)
            response.headers.setdefault("Content-Language", request.language)
            return self.process_response(request, response)

    def process_request(self, request: Any) -> None:
        """Set session, person, actor and language from the cookie; an unknown cookie is nobody."""
        request.person, request.actor = None, None
        key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
        by_ticket = ticket.is_shown(request)
        stored = ticket.stored_key(request) if by_ticket else stored_key(key or "")
        row = _enter(stored) if stored and (key or by_ticket) else None
        request.session = SessionStore(key if row and not by_ticket else None)
        if row:
            request.session.take_over(row["session_data"])
            _recognise(request, row, stored)
        request.language = _language(request)

    def process_exception(self, request: Any, exception: Exception) -> HttpResponseBase | None:
        """Say in words that the store of files is away; anything else is our mistake, and has its page."""
        if isinstance(exception, StoreUnreachable):
            return HttpResponse(gettext(str(exception)), status=503, content_type=PLAIN)
        return None

    def process_view(self, request: Any, view: Any, args: Any, kwargs: Any) -> HttpResponseBase | None:
        """Let nobody in without the right that the page declares; a page that declares none is nobody's."""
        action = getattr(view, "action", None)
        if action is None:
            raise PermissionDenied
        if action == PUBLIC:
            return None
        if request.person is None:
            return _to_sign_in(request)
        if action == SIGNED_IN:
            return None
        if request.actor is None:
            return redirect("account:memberships")
        if not may(request.actor.role, action):
            raise PermissionDenied
        return None


def _enter(stored: str) -> dict[str, Any] | None:
    with connection.cursor() as cursor:
        cursor.execute(_ENTER, [stored])
        row = cursor.fetchone()
        names = [column[0] for column in cursor.description or ()]
    return dict(zip(names, row, strict=True)) if row else None


def _recognise(request: Any, row: dict[str, Any], stored: str) -> None:
    if row["person_id"] is None:
        return
    names = ("login", "family", "given", "patronymic", "language")
    request.person = Person(id=row["person_id"], **{name: row[name] for name in names})
    if row["membership_id"] is not None:
        request.actor = _actor(request.person, row)
    if request.at - row["seen_at"] > SEEN_EVERY:
        _touch(stored, request.at)


def _actor(person: Person, row: dict[str, Any]) -> Actor:
    return Actor(
        person_id=person.pk,
        membership_id=row["membership_id"],
        organization_id=row["organization_id"],
        role=Role(row["role"]),
        name=person.full_name,
        organization_name=row["organization_name"],
        time_zone=row["time_zone"],
        position=row["position_held"],
    )


def _touch(stored: str, at: datetime) -> None:
    with signing_in():
        WebSession.objects.filter(session_key=stored).update(seen_at=at)


def _language(request: Any) -> str:
    chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME) or getattr(request.person, "language", "")
    return chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


def _receive_upload(request: Any) -> HttpResponse | None:
    """Read a signed-in person's upload before any transaction; say so when it is too big or broken."""
    if request.person is None or request.content_type != "multipart/form-data" or request.method != "POST":
        return None
    try:
        request.FILES  # noqa: B018  reading it receives the body
    except RequestDataTooBig:
        return HttpResponse(status=413)
    except MultiPartParserError:
        return HttpResponse(status=400)
    return None


def _context(request: Any) -> AbstractContextManager[None]:
    if request.actor is not None:
        return acting(request.actor)
    return as_person(request.person.pk) if request.person is not None else as_public()


def _to_sign_in(request: Any) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return HttpResponse(status=401, headers={"HX-Redirect": reverse("account:sign_in")})
    if request.path.startswith(ticket.ROOT) and "text/html" not in request.headers.get("Accept", "text/html"):
        return HttpResponse(status=401, headers={"WWW-Authenticate": 'Bearer realm="konsilium"'})
    return redirect(f"{reverse('account:sign_in')}?next={request.path}")


def keep_signed_in(
    request: Any, *, person_id: UUID, membership_id: UUID | None, network: str, device: str
) -> None:
    """Begin a web session for the person under a new key; nothing of an earlier session stays."""
    request.session.flush()
    request.session.update(
        {
            "person_id": str(person_id),
            "membership_id": str(membership_id) if membership_id else None,
            "network": network,
            "device": device,
        }
    )
    request.session.cycle_key()


View = Callable[..., HttpResponseBase]
