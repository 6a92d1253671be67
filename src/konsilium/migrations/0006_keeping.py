"""Rounds of reading every stored file again, and what is deleted when its term is over."""

from importlib import import_module
from typing import Any

from django.db import migrations, models

import konsilium.models._base

ACCESS = import_module("konsilium.migrations.0002_access")
allow, table = ACCESS.allow, ACCESS.table

# Time itself has no right to delete a document; this function has, and looks at the request's state once more.
# What was read of the document goes along. Of a series that key images point at, the row stays: it says whether the
# centre may see them.
FORGET = """
CREATE FUNCTION konsilium_forget_document(forgotten uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE
    emptied uuid[];
BEGIN
    PERFORM 1 FROM konsilium_document d JOIN konsilium_consultation c ON c.id = d.consultation_id
        WHERE d.id = forgotten AND c.state IN ('closed', 'rejected', 'withdrawn')
        FOR UPDATE OF d;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    SELECT coalesce(array_agg(s.id), '{}') INTO emptied FROM konsilium_series s
        WHERE EXISTS (SELECT 1 FROM konsilium_instance i WHERE i.series_id = s.id AND i.document_id = forgotten)
        AND NOT EXISTS (SELECT 1 FROM konsilium_instance i WHERE i.series_id = s.id AND i.document_id <> forgotten);
    DELETE FROM konsilium_keyimage WHERE document_id = forgotten;
    DELETE FROM konsilium_mark WHERE document_id = forgotten OR series_id = ANY (emptied);
    DELETE FROM konsilium_reading WHERE document_id = forgotten OR series_id = ANY (emptied);
    DELETE FROM konsilium_derived WHERE document_id = forgotten;
    DELETE FROM konsilium_leftout WHERE document_id = forgotten;
    DELETE FROM konsilium_instance WHERE document_id = forgotten;
    UPDATE konsilium_series SET state = 'failed', count = 0, metadata_sha256 = '', pack_sha256 = '', previews = '{}',
        layout = '{}' WHERE id = ANY (emptied);
    DELETE FROM konsilium_series s WHERE id = ANY (emptied)
        AND NOT EXISTS (SELECT 1 FROM konsilium_keyimage k WHERE k.series_id = s.id);
    DELETE FROM konsilium_study t WHERE consultation_id = (SELECT consultation_id FROM konsilium_document
        WHERE id = forgotten) AND NOT EXISTS (SELECT 1 FROM konsilium_series s WHERE s.study_id = t.id);
    UPDATE konsilium_upload SET document_id = NULL WHERE document_id = forgotten;
    DELETE FROM konsilium_document WHERE id = forgotten;
    RETURN true;
END
$$
"""


def keep(apps: Any, schema_editor: Any) -> None:
    """Let time write its rounds, the system administrator read them, and time delete what is due."""
    run = schema_editor.execute
    run(f"ALTER TABLE {table('storecheck')} ENABLE ROW LEVEL SECURITY")
    for statement in (
        *allow("storecheck", "SELECT, INSERT, UPDATE", ("k_worker",), "true"),
        *allow("storecheck", "SELECT", ("k_sysadmin",), "true"),
    ):
        run(statement)
    run(f"GRANT SELECT (kind) ON {table('document')} TO k_worker")
    run(FORGET)
    run("REVOKE ALL ON FUNCTION konsilium_forget_document(uuid) FROM PUBLIC")
    run("GRANT EXECUTE ON FUNCTION konsilium_forget_document(uuid) TO k_worker")


class Migration(migrations.Migration):
    """The rounds' table, and the one way in which a document is deleted after its term."""

    dependencies = [("konsilium", "0005_withheld")]

    operations = [
        migrations.CreateModel(
            name="StoreCheck",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=konsilium.models._base.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("begun_at", models.DateTimeField()),
                ("done_at", models.DateTimeField(null=True)),
                ("position", models.CharField(blank=True, max_length=64)),
                ("files", models.PositiveBigIntegerField(default=0)),
                ("bytes", models.PositiveBigIntegerField(default=0)),
                ("damaged", models.PositiveIntegerField(default=0)),
                ("missing", models.PositiveIntegerField(default=0)),
                ("findings", models.JSONField(default=list)),
                ("is_told", models.BooleanField(default=False)),
            ],
            options={
                "indexes": [models.Index(fields=["-begun_at"], name="storecheck_newest")],
            },
        ),
        migrations.RunPython(keep, migrations.RunPython.noop, elidable=False),
    ]
