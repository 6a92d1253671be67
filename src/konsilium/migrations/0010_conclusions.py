"""Councils with sealed opinions, print forms, signatures; recommendations, pictures and phrases of conclusions."""

import django.db.models.constraints
import django.db.models.deletion
from django.db import migrations, models

import konsilium.models._base
import konsilium.workflow.council
import konsilium.workflow.signing


class Migration(migrations.Migration):
    """The tables."""

    dependencies = [
        ("konsilium", "0009_video_access"),
    ]

    operations = [
        # Both became rows of their own: a recommendation has its urgency, a studied document its id.
        migrations.RemoveField(model_name="conclusion", name="documents_studied"),
        migrations.RemoveField(model_name="conclusion", name="recommendations"),
        migrations.AddField(
            model_name="conclusion",
            name="sections",
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name="profile",
            name="sections",
            field=models.JSONField(default=list),
        ),
        migrations.AlterField(
            model_name="membership",
            name="role",
            field=models.CharField(
                choices=[
                    ("coordinator", "Coordinator"),
                    ("org_admin", "Organisation administrator"),
                    ("technician", "Technical specialist"),
                    ("requester", "Requesting doctor"),
                    ("dispatcher", "Dispatcher"),
                    ("consultant", "Consultant"),
                    ("council_member", "Member of a council"),
                    ("signatory", "Centre signatory"),
                    ("sysadmin", "System administrator"),
                    ("system", "System"),
                    ("chair", "Chair of a council"),
                    ("secretary", "Secretary of a council"),
                ],
                max_length=20,
            ),
        ),
        migrations.CreateModel(
            name="Council",
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
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("gathering", "Members write their opinions, sealed"),
                            ("discussion", "Opinions are open, discussion"),
                            ("decided", "Decided, the protocol is drafted"),
                            ("signing", "The protocol is being signed"),
                            ("signed", "The protocol is signed by everybody"),
                            ("cancelled", "Cancelled"),
                        ],
                        default=konsilium.workflow.council.CouncilState["GATHERING"],
                        max_length=12,
                    ),
                ),
                ("purpose", models.CharField(max_length=12)),
                (
                    "form",
                    models.CharField(
                        choices=[("in_person", "In person"), ("remote", "Remotely")],
                        default="remote",
                        max_length=10,
                    ),
                ),
                ("reason", models.TextField()),
                ("quorum", models.PositiveSmallIntegerField()),
                ("called_at", models.DateTimeField()),
                ("called_by", models.UUIDField()),
                ("called_by_name", models.CharField(max_length=310)),
                ("opened_at", models.DateTimeField(null=True)),
                ("decision", models.TextField(blank=True)),
                ("decided_at", models.DateTimeField(null=True)),
                ("signed_at", models.DateTimeField(null=True)),
                (
                    "cancel_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("not_needed", "No longer needed"),
                            ("no_quorum", "Too few members can take part"),
                            ("request_withdrawn", "The request was withdrawn"),
                            ("request_closed", "The request was closed"),
                            ("other", "Other reason"),
                        ],
                        max_length=24,
                    ),
                ),
                ("cancel_text", models.TextField(blank=True)),
                (
                    "consultation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="councils",
                        to="konsilium.consultation",
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="konsilium.session",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="conclusion",
            name="council",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="konsilium.council",
            ),
        ),
        migrations.CreateModel(
            name="CouncilLine",
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
                ("at", models.DateTimeField()),
                ("author_id", models.UUIDField()),
                ("author_name", models.CharField(max_length=310)),
                ("organization_name", models.CharField(max_length=120)),
                ("text", models.TextField()),
                (
                    "consultation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="konsilium.consultation",
                    ),
                ),
                (
                    "council",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lines",
                        to="konsilium.council",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Phrase",
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
                ("person_id", models.UUIDField(null=True)),
                ("title", models.CharField(max_length=120)),
                ("text", models.TextField()),
                ("used", models.PositiveIntegerField(default=0)),
                ("updated_at", models.DateTimeField()),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="phrases",
                        to="konsilium.organization",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PrintForm",
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
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("conclusion", "Conclusion"),
                            ("protocol", "Protocol of a council"),
                            ("consent", "Consent form"),
                            ("cover", "Cover of the extract"),
                            ("session", "Protocol of a session"),
                        ],
                        max_length=12,
                    ),
                ),
                ("subject_id", models.UUIDField()),
                ("edition", models.PositiveSmallIntegerField(default=1)),
                (
                    "side",
                    models.CharField(
                        choices=[("requesting", "Requesting side"), ("consulting", "Consulting side")],
                        max_length=12,
                    ),
                ),
                ("placed_at", models.DateTimeField(null=True)),
                ("content_sha256", models.CharField(max_length=64)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Being prepared"),
                            ("ready", "Ready to print"),
                            ("failed", "Failed"),
                        ],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("done_at", models.DateTimeField(null=True)),
                ("sha256", models.CharField(blank=True, max_length=64)),
                ("size", models.PositiveIntegerField(default=0)),
                ("pages", models.PositiveSmallIntegerField(default=0)),
                ("waits_since", models.DateTimeField(null=True)),
                (
                    "consultation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="print_forms",
                        to="konsilium.consultation",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Recommendation",
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
                ("number", models.PositiveSmallIntegerField()),
                ("text", models.TextField()),
                (
                    "urgency",
                    models.CharField(
                        choices=[("emergency", "Emergency"), ("urgent", "Urgent"), ("planned", "Planned")],
                        default="planned",
                        max_length=12,
                    ),
                ),
                (
                    "conclusion",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="items",
                        to="konsilium.conclusion",
                    ),
                ),
            ],
            options={
                "ordering": ["number"],
            },
        ),
        migrations.CreateModel(
            name="Seat",
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
                (
                    "kind",
                    models.CharField(
                        choices=[("chair", "Chair"), ("secretary", "Secretary"), ("member", "Member")],
                        max_length=10,
                    ),
                ),
                (
                    "answer",
                    models.CharField(
                        choices=[
                            ("invited", "Invited"),
                            ("accepted", "Takes part"),
                            ("declined", "Declined"),
                            ("replaced", "Replaced by a substitute"),
                        ],
                        default="invited",
                        max_length=10,
                    ),
                ),
                ("person_id", models.UUIDField()),
                ("name", models.CharField(max_length=310)),
                ("position", models.CharField(blank=True, max_length=200)),
                ("specialty", models.CharField(blank=True, max_length=200)),
                ("organization_name", models.CharField(max_length=120)),
                ("invited_at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(null=True)),
                ("answer_text", models.TextField(blank=True)),
                ("access_until", models.DateTimeField(null=True)),
                ("opinion_sealed_at", models.DateTimeField(null=True)),
                ("dissent", models.TextField(blank=True)),
                ("dissent_at", models.DateTimeField(null=True)),
                ("signed_at", models.DateTimeField(null=True)),
                ("refusal", models.TextField(blank=True)),
                ("refused_at", models.DateTimeField(null=True)),
                (
                    "consultation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="seats",
                        to="konsilium.consultation",
                    ),
                ),
                (
                    "council",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="seats",
                        to="konsilium.council",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="konsilium.organization",
                    ),
                ),
                (
                    "substitute_of",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="konsilium.seat",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Opinion",
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
                ("person_id", models.UUIDField()),
                ("text", models.TextField(blank=True)),
                ("updated_at", models.DateTimeField()),
                ("sealed_at", models.DateTimeField(null=True)),
                (
                    "consultation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="konsilium.consultation",
                    ),
                ),
                (
                    "council",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="opinions",
                        to="konsilium.council",
                    ),
                ),
                (
                    "seat",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="opinion",
                        to="konsilium.seat",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Signature",
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
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("AUTHOR", "Author"),
                            ("ORGANIZATION", "Medical organisation"),
                            ("CHAIRMAN", "Chair of the council"),
                            ("SECRETARY", "Secretary of the council"),
                            ("COMMISSIONER", "Member of the council"),
                        ],
                        max_length=14,
                    ),
                ),
                ("person_id", models.UUIDField()),
                ("person_name", models.CharField(max_length=310)),
                ("person_snils", models.CharField(blank=True, max_length=11)),
                ("organization_name", models.CharField(max_length=500)),
                ("position", models.CharField(blank=True, max_length=200)),
                ("at", models.DateTimeField()),
                (
                    "format",
                    models.CharField(
                        choices=[("cms", "Detached, CMS"), ("pades", "Inside the PDF, PAdES")], max_length=6
                    ),
                ),
                ("sha256", models.CharField(max_length=64)),
                ("size", models.PositiveIntegerField()),
                ("void_at", models.DateTimeField(null=True)),
                (
                    "verdict",
                    models.CharField(
                        choices=[
                            ("waiting", "Being checked"),
                            ("unchecked", "Not checked: no verifier is configured here"),
                            ("valid", "The signature is valid"),
                            ("changed", "The document was changed after it was signed"),
                            ("other_document", "The signature belongs to another document or edition"),
                            ("partial", "The signature doesn't cover the whole document"),
                            ("unknown_issuer", "The certificate comes from an unknown issuer"),
                            ("expired", "The certificate was not valid at the time of signing"),
                            ("revoked", "The certificate was revoked"),
                            ("no_revocation_list", "It can't be said whether the certificate was revoked"),
                            ("wrong_person", "The certificate names somebody else"),
                            ("weak", "The signature is made with an algorithm that is no longer safe"),
                            ("unreadable", "This is no signature that can be read"),
                        ],
                        default=konsilium.workflow.signing.Verdict["WAITING"],
                        max_length=20,
                    ),
                ),
                ("certificate", models.JSONField(default=dict)),
                ("signed_at", models.DateTimeField(null=True)),
                ("checked_at", models.DateTimeField(null=True)),
                (
                    "consultation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="signatures",
                        to="konsilium.consultation",
                    ),
                ),
                (
                    "form",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="signatures",
                        to="konsilium.printform",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SignatureCheck",
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
                ("at", models.DateTimeField()),
                ("verifier", models.CharField(max_length=60)),
                (
                    "verdict",
                    models.CharField(
                        choices=[
                            ("waiting", "Being checked"),
                            ("unchecked", "Not checked: no verifier is configured here"),
                            ("valid", "The signature is valid"),
                            ("changed", "The document was changed after it was signed"),
                            ("other_document", "The signature belongs to another document or edition"),
                            ("partial", "The signature doesn't cover the whole document"),
                            ("unknown_issuer", "The certificate comes from an unknown issuer"),
                            ("expired", "The certificate was not valid at the time of signing"),
                            ("revoked", "The certificate was revoked"),
                            ("no_revocation_list", "It can't be said whether the certificate was revoked"),
                            ("wrong_person", "The certificate names somebody else"),
                            ("weak", "The signature is made with an algorithm that is no longer safe"),
                            ("unreadable", "This is no signature that can be read"),
                        ],
                        max_length=20,
                    ),
                ),
                ("details", models.JSONField(default=dict)),
                ("material_sha256", models.CharField(blank=True, max_length=64)),
                (
                    "consultation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="konsilium.consultation",
                    ),
                ),
                (
                    "signature",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="checks",
                        to="konsilium.signature",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Studied",
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
                ("document_id", models.UUIDField()),
                ("name", models.CharField(max_length=200)),
                ("kind", models.CharField(max_length=24)),
                (
                    "conclusion",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="studied",
                        to="konsilium.conclusion",
                    ),
                ),
            ],
            options={
                "ordering": ["name", "id"],
            },
        ),
        migrations.CreateModel(
            name="ConclusionPicture",
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
                ("document_id", models.UUIDField()),
                ("number", models.PositiveSmallIntegerField()),
                ("caption", models.CharField(blank=True, max_length=300)),
                (
                    "conclusion",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pictures",
                        to="konsilium.conclusion",
                    ),
                ),
            ],
            options={
                "ordering": ["number"],
                "constraints": [
                    models.UniqueConstraint(fields=("conclusion", "document_id"), name="a_picture_once")
                ],
            },
        ),
        migrations.AddIndex(
            model_name="council",
            index=models.Index(fields=["consultation", "called_at"], name="councils_of_a_request"),
        ),
        migrations.AddConstraint(
            model_name="council",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        [
                            konsilium.workflow.council.CouncilState["DECIDED"],
                            konsilium.workflow.council.CouncilState["DISCUSSION"],
                            konsilium.workflow.council.CouncilState["GATHERING"],
                            konsilium.workflow.council.CouncilState["SIGNING"],
                        ],
                    )
                ),
                fields=("consultation",),
                name="one_open_council",
            ),
        ),
        migrations.AddIndex(
            model_name="councilline",
            index=models.Index(fields=["council", "at"], name="lines_of_council"),
        ),
        migrations.AddIndex(
            model_name="phrase",
            index=models.Index(fields=["organization", "person_id", "-used"], name="phrases_by_use"),
        ),
        migrations.AddIndex(
            model_name="printform",
            index=models.Index(
                condition=models.Q(("state", "waiting")), fields=["asked_at"], name="form_waiting"
            ),
        ),
        migrations.AddIndex(
            model_name="printform",
            index=models.Index(fields=["consultation", "kind", "asked_at"], name="forms_of_a_request"),
        ),
        migrations.AddIndex(
            model_name="printform",
            index=models.Index(
                condition=models.Q(("waits_since__isnull", False)),
                fields=["waits_since", "id"],
                name="form_waits_organization",
            ),
        ),
        migrations.AddConstraint(
            model_name="printform",
            constraint=models.UniqueConstraint(
                fields=("kind", "subject_id", "edition", "content_sha256"), name="one_form_a_content"
            ),
        ),
        migrations.AddConstraint(
            model_name="recommendation",
            constraint=models.UniqueConstraint(
                deferrable=django.db.models.constraints.Deferrable["DEFERRED"],
                fields=("conclusion", "number"),
                name="one_recommendation_a_number",
            ),
        ),
        migrations.AddIndex(
            model_name="seat",
            index=models.Index(fields=["person_id", "organization"], name="seats_of_a_person"),
        ),
        migrations.AddConstraint(
            model_name="seat",
            constraint=models.UniqueConstraint(
                condition=models.Q(("answer__in", ("invited", "accepted"))),
                fields=("council", "person_id"),
                name="one_seat_a_person",
            ),
        ),
        migrations.AddConstraint(
            model_name="seat",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("answer__in", ("invited", "accepted")), ("kind__in", ("chair", "secretary"))
                ),
                fields=("council", "kind"),
                name="one_chair_one_secretary",
            ),
        ),
        migrations.AddIndex(
            model_name="signature",
            index=models.Index(fields=["consultation", "at"], name="signatures_of_a_request"),
        ),
        migrations.AddIndex(
            model_name="signature",
            index=models.Index(
                condition=models.Q(("verdict", "waiting")), fields=["at"], name="signature_waiting"
            ),
        ),
        migrations.AddConstraint(
            model_name="signature",
            constraint=models.UniqueConstraint(
                condition=models.Q(("void_at", None)),
                fields=("form", "role", "person_id"),
                name="one_signature_a_role",
            ),
        ),
        migrations.AddIndex(
            model_name="signaturecheck",
            index=models.Index(fields=["signature", "at"], name="checks_of_a_signature"),
        ),
        migrations.AddConstraint(
            model_name="studied",
            constraint=models.UniqueConstraint(
                fields=("conclusion", "document_id"), name="a_document_studied_once"
            ),
        ),
    ]
