"""How much an organisation holds: a sum over what its people may not all see, without showing any of it."""

from typing import Any

from django.db import migrations

HELD = """
CREATE FUNCTION konsilium_held_bytes() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    SELECT coalesce(sum(d.size), 0)::bigint
    FROM konsilium_consultation c JOIN konsilium_document d ON d.consultation_id = c.id
    WHERE c.requesting_organization_id = nullif(current_setting('app.organization_id', true), '')::uuid
        AND d.state NOT IN ('removed', 'refused')
$$
"""
SENDERS = "k_requester, k_org_admin, k_dispatcher, k_consultant"


def create_sum(apps: Any, schema_editor: Any) -> None:
    """Make the function, and let those use it who may send files."""
    schema_editor.execute(HELD)
    schema_editor.execute("REVOKE ALL ON FUNCTION konsilium_held_bytes() FROM PUBLIC")
    # So that the sweep leaves a stored file whose document is not written yet.
    schema_editor.execute("GRANT SELECT (sha256) ON konsilium_upload TO k_worker")
    schema_editor.execute(f"GRANT EXECUTE ON FUNCTION konsilium_held_bytes() TO {SENDERS}")


class Migration(migrations.Migration):
    """The organisation's sum."""

    dependencies = [("konsilium", "0006_keeping")]

    operations = [migrations.RunPython(create_sum, migrations.RunPython.noop, elidable=False)]
