"""Who may read and write uploads, studies, marks and copies: the inspector's role, grants, row level security."""

from importlib import import_module
from typing import Any

from django.db import migrations

ACCESS = import_module("konsilium.migrations.0002_access")
allow, table = ACCESS.allow, ACCESS.table
CASE, CENTRE, REQUESTING = ACCESS.CASE, ACCESS.CENTRE, ACCESS.REQUESTING
PARENT, PERSON, ORGANIZATION = ACCESS.PARENT, ACCESS.PERSON, ACCESS.ORGANIZATION
OF_SUBJECT, IN_WORK, SUBJECT_ID = ACCESS.OF_SUBJECT, ACCESS.IN_WORK, ACCESS.SUBJECT_ID

INSPECTOR = "k_inspector"
TABLES = ("upload", "study", "series", "instance", "leftout", "derived", "reading", "mark", "keyimage")
OF_DOCUMENT = "EXISTS (SELECT 1 FROM konsilium_document d WHERE d.id = document_id OFFSET 0)"
OF_SERIES = "EXISTS (SELECT 1 FROM konsilium_series s WHERE s.id = series_id OFFSET 0)"
# A mark lies on a series or on a document; whoever doesn't see that doesn't see the mark.
OF_PICTURE = f"(series_id IS NULL OR {OF_SERIES}) AND (document_id IS NULL OR {OF_DOCUMENT})"
# What the inspector may know of a study: that it is there, never whose it is.
STUDY_WAY = "id, consultation_id, study_uid"


def uploads() -> list[str]:
    """An upload is written by its author alone; both sides see that it is on its way."""
    mine = f"author_id = {PERSON} AND organization_id = {ORGANIZATION} AND {PARENT}"
    return [
        *allow("upload", "SELECT", CASE, PARENT),
        *allow("upload", "INSERT, UPDATE", CASE, mine),
        *allow(
            "upload",
            "SELECT, DELETE",
            ("k_worker",),
            "true",
            columns="id, consultation_id, organization_id, state, length, touched_at",
        ),
    ]


def pictures() -> list[str]:
    """What was read out of documents; the requesting side may untick a series and tell of burned-in names."""
    in_work = f"EXISTS (SELECT 1 FROM konsilium_consultation c WHERE c.id = consultation_id AND c.{IN_WORK} OFFSET 0)"
    statements = [
        *allow("study", "SELECT", CASE, PARENT),
        *allow("series", "SELECT", REQUESTING, PARENT),
        *allow("series", "SELECT", CENTRE, f"is_included AND {PARENT}"),
        *allow(
            "series", "UPDATE", REQUESTING, in_work, check=PARENT, columns="is_included, burned_in, state"
        ),
        *allow("instance", "SELECT", CASE, OF_SERIES),
        *allow("leftout", "SELECT", CASE, OF_DOCUMENT),
        *allow("derived", "SELECT", CASE, OF_DOCUMENT),
        *allow("reading", "SELECT", CASE, PARENT),
        *allow("reading", "INSERT", CASE, f"done_at IS NULL AND {PARENT}"),
        *allow("reading", "SELECT, INSERT, UPDATE, DELETE", ("k_worker",), "true"),
    ]
    for name in ("series", "instance", "leftout", "derived", "reading"):
        statements += allow(name, "SELECT, INSERT, UPDATE, DELETE", (INSPECTOR,), OF_SUBJECT)
    return [
        *statements,
        *allow("study", "SELECT", (INSPECTOR,), OF_SUBJECT, columns=STUDY_WAY),
        *allow("study", "INSERT", (INSPECTOR,), OF_SUBJECT),
        *allow("document", "SELECT", (INSPECTOR,), OF_SUBJECT),
        f"GRANT SELECT (id) ON {table('consultation')} TO {INSPECTOR}",
        ACCESS.policy("consultation", "select by inspector", "SELECT", (INSPECTOR,), f"id = {SUBJECT_ID}"),
    ]


def marks() -> list[str]:
    """Marks belong to their author, and are shared with the case."""
    mine = f"author_id = {PERSON} AND {PARENT}"
    return [
        *allow("mark", "SELECT", CASE, f"{OF_PICTURE} AND {PARENT}"),
        *allow("mark", "INSERT", CASE, f"{mine} AND {OF_PICTURE}"),
        *allow("mark", "UPDATE", CASE, mine, columns="removed_at"),
        *allow("keyimage", "SELECT, INSERT", CASE, f"{OF_DOCUMENT} AND {OF_SERIES}"),
    ]


def keeping() -> list[str]:
    """Which files a row still names, so that the sweep leaves them."""
    return [
        *allow("derived", "SELECT", ("k_worker",), "true", columns="sha256"),
        *allow(
            "series", "SELECT", ("k_worker",), "true", columns="id, metadata_sha256, pack_sha256, previews"
        ),
        *allow("instance", "SELECT", ("k_worker",), "true", columns="id, file_sha256"),
        f"GRANT UPDATE (quota_bytes) ON {table('organization')} TO k_sysadmin",
    ]


def create_access(apps: Any, schema_editor: Any) -> None:
    """Make the inspector's role, switch row level security on for the new tables, and write their policies."""
    _, login = ACCESS.role_names()
    run = schema_editor.execute
    run(f"DO $$ BEGIN CREATE ROLE {INSPECTOR} NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    run(f'GRANT {INSPECTOR} TO "{login}"')
    run(f"GRANT USAGE ON SCHEMA public TO {INSPECTOR}")
    for name in TABLES:
        run(f"ALTER TABLE {table(name)} ENABLE ROW LEVEL SECURITY")
    for statement in (*uploads(), *pictures(), *marks(), *keeping()):
        run(statement)
    for name in TABLES:
        run(ACCESS.follow_draft(name))
    run(f"GRANT SELECT ON django_migrations TO {INSPECTOR}")


class Migration(migrations.Migration):
    """Access to what documents bring, below the pages."""

    dependencies = [("konsilium", "0003_documents")]

    operations = [migrations.RunPython(create_access, migrations.RunPython.noop, elidable=False)]
