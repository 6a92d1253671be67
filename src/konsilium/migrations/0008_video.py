"""Equipment with approval and protocols, probes, rooms, who was there, guests, recordings."""

import django.db.models.deletion
from django.db import migrations, models

import konsilium.models._base


class Migration(migrations.Migration):
    """The tables."""

    dependencies = [
        ("konsilium", "0007_uploads"),
    ]

    operations = [
        migrations.CreateModel(
            name="Attendance",
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
                ("seat", models.CharField(max_length=40)),
                ("person_id", models.UUIDField(null=True)),
                ("guest_id", models.UUIDField(null=True)),
                ("endpoint_id", models.UUIDField(null=True)),
                ("name", models.CharField(max_length=310)),
                ("organization_name", models.CharField(max_length=120)),
                (
                    "side",
                    models.CharField(
                        blank=True,
                        choices=[("requesting", "Requesting side"), ("consulting", "Consulting side")],
                        max_length=12,
                    ),
                ),
                ("role", models.CharField(max_length=16)),
                ("marked_by", models.CharField(blank=True, max_length=200)),
                ("joined_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField()),
                ("left_at", models.DateTimeField(null=True)),
                ("removed_at", models.DateTimeField(null=True)),
                ("fence", models.PositiveIntegerField(default=1)),
                ("interruptions", models.PositiveSmallIntegerField(default=0)),
                ("seconds_away", models.PositiveIntegerField(default=0)),
                ("state", models.JSONField(default=dict)),
                ("quality", models.JSONField(default=dict)),
            ],
        ),
        migrations.CreateModel(
            name="BrowserTest",
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
                ("person_name", models.CharField(max_length=200)),
                ("computer", models.CharField(blank=True, max_length=120)),
                ("at", models.DateTimeField()),
                ("measured", models.JSONField(default=dict)),
                (
                    "band",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("hd", "Sound and a sharp picture of everybody"),
                            ("sd", "Sound and a picture of everybody"),
                            ("one", "Sound and the picture of whoever speaks"),
                            ("audio", "Sound with still pictures"),
                            ("phone", "A telephone"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("full", "Video session"),
                            ("audio_first", "Sound first, with still pictures"),
                            ("deferred", "Deferred, without a session"),
                        ],
                        max_length=12,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="EndpointSecret",
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
                ("sealed", models.BinaryField()),
                ("set_at", models.DateTimeField()),
                ("set_by", models.CharField(max_length=200)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Probe",
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
                ("session_id", models.UUIDField(null=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("options", "Does it answer (SIP OPTIONS)"),
                            ("tls", "Is the certificate right (TLS)"),
                            ("register", "Are login and password right (SIP REGISTER)"),
                            ("call", "Test call with sound and picture"),
                            ("echo", "Call to the echo line"),
                            ("h323", "Does it answer (H.323)"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("running", "Running"), ("done", "Done")],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("asked_by", models.CharField(blank=True, max_length=200)),
                ("not_before", models.DateTimeField()),
                ("begun_at", models.DateTimeField(null=True)),
                ("done_at", models.DateTimeField(null=True)),
                ("answer", models.CharField(blank=True, max_length=32)),
                ("measured", models.JSONField(default=dict)),
            ],
        ),
        migrations.CreateModel(
            name="Readiness",
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
                    "side",
                    models.CharField(
                        choices=[("requesting", "Requesting side"), ("consulting", "Consulting side")],
                        max_length=12,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("person_name", models.CharField(max_length=200)),
                ("starts_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Recording",
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
                ("attendance_id", models.UUIDField(null=True)),
                ("label", models.CharField(max_length=310)),
                ("kind", models.CharField(max_length=8)),
                (
                    "state",
                    models.CharField(
                        choices=[("running", "Recording"), ("kept", "Kept"), ("failed", "Not recorded")],
                        max_length=8,
                    ),
                ),
                ("began_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("size", models.PositiveBigIntegerField(default=0)),
                ("sha256", models.CharField(blank=True, max_length=64)),
                ("sealed_key", models.BinaryField(default=bytes)),
                ("delete_on", models.DateField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="RecordingAccess",
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
                ("person_name", models.CharField(max_length=310)),
                ("given_by", models.CharField(max_length=310)),
                ("given_at", models.DateTimeField()),
                ("until", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="RecordingConsent",
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
                ("attendance_id", models.UUIDField()),
                ("name", models.CharField(max_length=310)),
                ("at", models.DateTimeField()),
                ("is_given", models.BooleanField()),
            ],
        ),
        migrations.CreateModel(
            name="Room",
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
                    "engine",
                    models.CharField(
                        choices=[
                            ("mesh", "Built-in room"),
                            ("external", "An outside video service"),
                            ("janus", "Built-in room on a media server (Janus)"),
                            ("livekit", "LiveKit"),
                            ("jitsi", "Jitsi"),
                        ],
                        default="mesh",
                        max_length=10,
                    ),
                ),
                ("name", models.CharField(max_length=64)),
                ("link", models.URLField(blank=True, max_length=400)),
                ("dial", models.CharField(blank=True, max_length=200)),
                ("pin", models.CharField(blank=True, max_length=20)),
                ("instructions", models.TextField(blank=True)),
                ("opened_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
                ("shared", models.JSONField(default=dict)),
                ("is_recorded", models.BooleanField(default=False)),
                ("recording_asked_by", models.CharField(blank=True, max_length=310)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="RoomLine",
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
            ],
        ),
        migrations.CreateModel(
            name="SessionGuest",
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
                            ("expert", "Invited expert"),
                            ("technician", "Technical specialist"),
                            ("patient", "Patient"),
                        ],
                        max_length=12,
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                ("organization_name", models.CharField(max_length=120)),
                ("email", models.EmailField(blank=True, max_length=254)),
                (
                    "side",
                    models.CharField(
                        choices=[("requesting", "Requesting side"), ("consulting", "Consulting side")],
                        max_length=12,
                    ),
                ),
                ("invited_by", models.CharField(max_length=200)),
                ("invited_at", models.DateTimeField()),
                ("valid_from", models.DateTimeField()),
                ("valid_until", models.DateTimeField()),
                ("link_hash", models.CharField(max_length=64, unique=True)),
                ("used_at", models.DateTimeField(null=True)),
                ("cookie_hash", models.CharField(blank=True, max_length=64)),
                ("revoked_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Signal",
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
                ("sender", models.UUIDField()),
                ("receiver", models.UUIDField(null=True)),
                ("body", models.JSONField()),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="SocketTicket",
            fields=[
                ("ticket_hash", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("subject", models.CharField(max_length=8)),
                ("subject_id", models.UUIDField()),
                ("key_hash", models.CharField(max_length=64)),
                ("guest_id", models.UUIDField(null=True)),
                ("expires_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="TestParticipant",
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
                ("name", models.CharField(max_length=200)),
                ("organization_name", models.CharField(max_length=120)),
                ("role", models.CharField(max_length=16)),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="TestStep",
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
                ("code", models.CharField(max_length=24)),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("passed", "Passed"),
                            ("limited", "Passed with limits"),
                            ("failed", "Failed"),
                            ("skipped", "Left out"),
                        ],
                        max_length=12,
                    ),
                ),
                ("measured", models.JSONField(default=dict)),
                ("note", models.CharField(blank=True, max_length=400)),
                ("at", models.DateTimeField()),
                ("person_id", models.UUIDField(null=True)),
                ("person_name", models.CharField(blank=True, max_length=200)),
            ],
        ),
        migrations.AddField(
            model_name="endpoint",
            name="account",
            field=models.CharField(blank=True, max_length=120),
        ),
        migrations.AddField(
            model_name="endpoint",
            name="approved_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="endpoint",
            name="approved_by",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name="endpoint",
            name="computer",
            field=models.CharField(blank=True, max_length=120),
        ),
        migrations.AddField(
            model_name="endpoint",
            name="encryption",
            field=models.CharField(
                blank=True,
                choices=[
                    ("off", "No encryption"),
                    ("allowed", "Encrypted where both sides can"),
                    ("required", "Always encrypted"),
                ],
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="endpoint",
            name="registrar",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name="endpoint",
            name="transport",
            field=models.CharField(
                blank=True, choices=[("udp", "UDP"), ("tcp", "TCP"), ("tls", "TLS")], max_length=4
            ),
        ),
        migrations.AddField(
            model_name="equipmenttest",
            name="concluded_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="equipmenttest",
            name="echo_number",
            field=models.CharField(blank=True, max_length=12),
        ),
        migrations.AddField(
            model_name="equipmenttest",
            name="picture_sha256",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AlterField(
            model_name="equipmenttest",
            name="verdict",
            field=models.CharField(
                blank=True,
                choices=[("passed", "Passed"), ("limited", "Passed with limits"), ("failed", "Failed")],
                max_length=12,
            ),
        ),
        migrations.AddConstraint(
            model_name="equipmenttest",
            constraint=models.UniqueConstraint(
                condition=models.Q(("concluded_at__isnull", True)), fields=("endpoint",), name="one_open_test"
            ),
        ),
        migrations.AddConstraint(
            model_name="equipmenttest",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("concluded_at__isnull", True), models.Q(("echo_number", ""), _negated=True)
                ),
                fields=("echo_number",),
                name="one_test_an_echo_number",
            ),
        ),
        migrations.AddField(
            model_name="attendance",
            name="session",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="attendances",
                to="konsilium.session",
            ),
        ),
        migrations.AddField(
            model_name="browsertest",
            name="endpoint",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="browser_tests",
                to="konsilium.endpoint",
            ),
        ),
        migrations.AddField(
            model_name="browsertest",
            name="organization",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="browser_tests",
                to="konsilium.organization",
            ),
        ),
        migrations.AddField(
            model_name="endpointsecret",
            name="endpoint",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE, related_name="secret", to="konsilium.endpoint"
            ),
        ),
        migrations.AddField(
            model_name="probe",
            name="endpoint",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="probes", to="konsilium.endpoint"
            ),
        ),
        migrations.AddField(
            model_name="probe",
            name="test",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="probes",
                to="konsilium.equipmenttest",
            ),
        ),
        migrations.AddField(
            model_name="readiness",
            name="session",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="readiness", to="konsilium.session"
            ),
        ),
        migrations.AddField(
            model_name="recording",
            name="session",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="recordings", to="konsilium.session"
            ),
        ),
        migrations.AddField(
            model_name="recordingaccess",
            name="session",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="recording_access",
                to="konsilium.session",
            ),
        ),
        migrations.AddField(
            model_name="recordingconsent",
            name="session",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="consents", to="konsilium.session"
            ),
        ),
        migrations.AddField(
            model_name="room",
            name="session",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE, related_name="room", to="konsilium.session"
            ),
        ),
        migrations.AddField(
            model_name="roomline",
            name="session",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="lines", to="konsilium.session"
            ),
        ),
        migrations.AddField(
            model_name="sessionguest",
            name="session",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="guests", to="konsilium.session"
            ),
        ),
        migrations.AddField(
            model_name="signal",
            name="session",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="signals", to="konsilium.session"
            ),
        ),
        migrations.AddIndex(
            model_name="socketticket",
            index=models.Index(fields=["expires_at"], name="ticket_old"),
        ),
        migrations.AddField(
            model_name="testparticipant",
            name="test",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="took_part",
                to="konsilium.equipmenttest",
            ),
        ),
        migrations.AddField(
            model_name="teststep",
            name="test",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="steps",
                to="konsilium.equipmenttest",
            ),
        ),
        migrations.AddIndex(
            model_name="attendance",
            index=models.Index(fields=["session", "joined_at"], name="attendance_of_session"),
        ),
        migrations.AddConstraint(
            model_name="attendance",
            constraint=models.UniqueConstraint(fields=("session", "seat"), name="one_row_a_seat"),
        ),
        migrations.AddIndex(
            model_name="browsertest",
            index=models.Index(fields=["organization", "-at"], name="browser_tests_newest"),
        ),
        migrations.AddIndex(
            model_name="probe",
            index=models.Index(
                condition=models.Q(("state", "waiting")), fields=["not_before"], name="probe_waiting"
            ),
        ),
        migrations.AddIndex(
            model_name="probe",
            index=models.Index(fields=["endpoint", "asked_at"], name="probe_of_endpoint"),
        ),
        migrations.AddConstraint(
            model_name="readiness",
            constraint=models.UniqueConstraint(fields=("session", "side"), name="ready_once_a_side"),
        ),
        migrations.AddIndex(
            model_name="recording",
            index=models.Index(fields=["session", "began_at"], name="recordings_of_session"),
        ),
        migrations.AddConstraint(
            model_name="recordingaccess",
            constraint=models.UniqueConstraint(fields=("session", "person_id"), name="one_access_a_listener"),
        ),
        migrations.AddConstraint(
            model_name="recordingconsent",
            constraint=models.UniqueConstraint(
                fields=("session", "attendance_id"), name="one_consent_a_presence"
            ),
        ),
        migrations.AddIndex(
            model_name="roomline",
            index=models.Index(fields=["session", "at"], name="lines_of_session"),
        ),
        migrations.AddIndex(
            model_name="sessionguest",
            index=models.Index(fields=["session", "invited_at"], name="guests_of_session"),
        ),
        migrations.AddIndex(
            model_name="signal",
            index=models.Index(fields=["at"], name="signal_old"),
        ),
        migrations.AddConstraint(
            model_name="testparticipant",
            constraint=models.UniqueConstraint(fields=("test", "person_id"), name="a_person_once_a_test"),
        ),
        migrations.AddConstraint(
            model_name="teststep",
            constraint=models.UniqueConstraint(fields=("test", "code"), name="one_result_a_step"),
        ),
    ]
