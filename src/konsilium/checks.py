"""Refuse an unsafe start: the application must not be able to step around row level security."""

from django.db import connection

OLDEST_DATABASE = 150_000
LOGIN = """
SELECT current_setting('server_version_num')::int,
       r.rolsuper OR r.rolbypassrls OR r.rolcreaterole,
       EXISTS (SELECT 1 FROM pg_class c WHERE c.relname = 'konsilium_consultation'
               AND pg_has_role(session_user, c.relowner, 'MEMBER')),
       EXISTS (SELECT 1 FROM pg_roles k WHERE k.rolname LIKE 'k\\_%' AND pg_has_role(session_user, k.oid, 'USAGE'))
FROM pg_roles r WHERE r.rolname = session_user
"""


def unsafe_login() -> str:
    """Return why the database or the login must not be used, or nothing when all is fine."""
    with connection.cursor() as cursor:
        cursor.execute(LOGIN)
        version, powerful, owner, inherits = cursor.fetchone() or (0, True, True, True)
    if version < OLDEST_DATABASE:
        return too_old(version)
    if powerful:
        return "The database login may step around row level security (superuser, BYPASSRLS or CREATEROLE)."
    if owner:
        return "The database login owns the tables. Give KONSILIUM_DATABASE_URL a login that owns nothing."
    if inherits:
        return (
            "The database login inherits its roles. Make it NOINHERIT before `konsilium migrate` grants them."
        )
    return ""


def too_old(version: int) -> str:
    """Say that a server of this version number can't be used."""
    return f"The database is PostgreSQL {version // 10_000}; {OLDEST_DATABASE // 10_000} or newer is needed."
