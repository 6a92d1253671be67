"""Refuse an unsafe start: the application must not be able to step around row level security."""

from django.db import connection

UNSAFE = """
SELECT r.rolsuper OR r.rolbypassrls, EXISTS (
    SELECT 1 FROM pg_class c WHERE c.relname = 'konsilium_consultation' AND pg_get_userbyid(c.relowner) = current_user
) FROM pg_roles r WHERE r.rolname = current_user
"""


def unsafe_login() -> str:
    """Return why the database login must not be used, or nothing when it is fine."""
    with connection.cursor() as cursor:
        cursor.execute(UNSAFE)
        powerful, owner = cursor.fetchone() or (True, True)
    if powerful:
        return "The database login may step around row level security (superuser or BYPASSRLS)."
    if owner:
        return "The database login owns the tables. Give KONSILIUM_DATABASE_URL a login that owns nothing."
    return ""
