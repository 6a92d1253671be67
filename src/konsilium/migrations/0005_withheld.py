"""What the centre is not shown: series that were unticked, pictures with names on them, and the files they came in."""

from importlib import import_module
from typing import Any

from django.db import migrations, models

ACCESS = import_module("konsilium.migrations.0002_access")
allow, table = ACCESS.allow, ACCESS.table
CASE, CENTRE, REQUESTING, PARENT = ACCESS.CASE, ACCESS.CENTRE, ACCESS.REQUESTING, ACCESS.PARENT
OF_DOCUMENT = "EXISTS (SELECT 1 FROM konsilium_document d WHERE d.id = document_id)"

SHOWN = "is_included AND burned_in <> 'yes'"
# A study of which the centre sees no series isn't there for it.
WITH_SERIES = "EXISTS (SELECT 1 FROM konsilium_series s WHERE s.study_id = konsilium_study.id)"

# Asked by the centre, which can't see the series it is about: so the function looks as the tables' owner. An archive may
# hold a second copy of pictures that came with another file, and of a second copy no row speaks: while anything of the
# request is withheld, so is every archive, and every DICOM file that no row speaks of.
WITHHELD = f"""
CREATE FUNCTION konsilium_withheld(document uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    SELECT EXISTS (
        SELECT 1 FROM konsilium_document d JOIN konsilium_series s ON s.consultation_id = d.consultation_id
        WHERE d.id = document AND (NOT ({SHOWN}) OR burned_in = 'hidden') AND (
            d.media_type = 'application/zip'
            OR EXISTS (SELECT 1 FROM konsilium_instance i WHERE i.document_id = d.id AND i.series_id = s.id)
            OR d.media_type = 'application/dicom'
            AND NOT EXISTS (SELECT 1 FROM konsilium_instance i WHERE i.document_id = d.id)
        )
    ) OR EXISTS (
        SELECT 1 FROM konsilium_keyimage k JOIN konsilium_series s ON s.id = k.series_id
        WHERE k.document_id = document AND NOT ({SHOWN})
    )
$$
"""
# A de-identified copy holds only what was shown when it was made, and its page compares.
COPY_SHOWN = f"{OF_DOCUMENT} AND (starts_with(purpose, 'deid') OR NOT konsilium_withheld(document_id))"


def withhold(apps: Any, schema_editor: Any) -> None:
    """Write the function, and the centre's policies that ask it."""
    run = schema_editor.execute
    run(WITHHELD)
    run("REVOKE ALL ON FUNCTION konsilium_withheld(uuid) FROM PUBLIC")
    run(f"GRANT EXECUTE ON FUNCTION konsilium_withheld(uuid) TO {', '.join(CASE)}")
    both = "select by requester org_admin dispatcher consultant"
    run(f'DROP POLICY "select by dispatcher consultant" ON {table("series")}')
    for name in ("study", "derived"):
        run(f'DROP POLICY "{both}" ON {table(name)}')
    for statement in (
        *allow("series", "SELECT", CENTRE, f"{SHOWN} AND {PARENT}"),
        *allow("study", "SELECT", REQUESTING, PARENT),
        *allow("study", "SELECT", CENTRE, f"{PARENT} AND {WITH_SERIES}"),
        *allow("derived", "SELECT", REQUESTING, OF_DOCUMENT),
        *allow("derived", "SELECT", CENTRE, COPY_SHOWN),
    ):
        run(statement)
    run(f"GRANT UPDATE (photo_view) ON {table('document')} TO {', '.join(CASE)}")


class Migration(migrations.Migration):
    """Columns for a photograph's view and for what a reading is told, and what is withheld from the centre."""

    dependencies = [("konsilium", "0004_documents_access")]

    operations = [
        migrations.AddField(
            model_name="document",
            name="photo_view",
            field=models.CharField(blank=True, max_length=24),
        ),
        migrations.AddField(
            model_name="reading",
            name="arguments",
            field=models.JSONField(default=dict),
        ),
        migrations.RunPython(withhold, migrations.RunPython.noop, elidable=False),
    ]
