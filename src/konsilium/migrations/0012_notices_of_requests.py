"""A notice knows the request it was told of, whichever page it leads to."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """The column and its index; what was told before leads to its request's page."""

    dependencies = [
        ("konsilium", "0011_conclusions_access"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="notice", name="notices_that_wait"),
        migrations.AddField(
            model_name="notice",
            name="consultation_id",
            field=models.UUIDField(null=True),
        ),
        migrations.RunSQL(
            "UPDATE konsilium_notice SET consultation_id = substring(path FROM 11 FOR 36)::uuid WHERE path LIKE '/requests/%'",
            migrations.RunSQL.noop,
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(fields=["consultation_id"], name="notices_of_a_request"),
        ),
    ]
