"""Who sends: the web session of the cookie, as the pages know it, asked anew while bytes arrive."""

from http.cookies import CookieError, SimpleCookie

from django.conf import settings
from django.db import connection

from konsilium.models import Person, stored_key
from konsilium.workflow.roles import Actor, Role, may

_ENTER = (
    "SELECT person_id, family, given, patronymic, membership_id, role, position_held, organization_id, "
    "organization_name, time_zone FROM konsilium_enter(%s)"
)


def key_of(cookies: str) -> str:
    """Return the web session's key out of a Cookie header; "" when there is none."""
    try:
        found = SimpleCookie(cookies).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return ""
    return found.value if found else ""


def actor_of(key: str, action: str) -> Actor | None:
    """Return who acts in this web session, if the session lives and the role has the right (one query)."""
    return actor_of_hash(stored_key(key), action) if key else None


def actor_of_hash(key_hash: str, action: str) -> Actor | None:
    """Return who acts in the web session that is kept under this hash of its key; as `actor_of` otherwise."""
    with connection.cursor() as cursor:
        cursor.execute(_ENTER, [key_hash])
        row = cursor.fetchone()
    if row is None or row[0] is None or row[4] is None:
        return None
    person = Person(id=row[0], family=row[1], given=row[2], patronymic=row[3])
    role = Role(row[5])
    if not may(role, action):
        return None
    return Actor(
        person_id=person.pk,
        membership_id=row[4],
        organization_id=row[7],
        role=role,
        name=person.full_name,
        organization_name=row[8],
        time_zone=row[9],
        position=row[6],
    )
