"""Who may read and write which rows: database roles, grants, and row level security.

A database role for each application role, without login; the application's login role may become any of them and
inherits none, so that outside a context it may do nothing. One policy per table and purpose; which rows a role sees of
a request's children is asked of the request itself, so that its policy is written once.
"""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import migrations

ACTING = (
    "k_coordinator",
    "k_org_admin",
    "k_technician",
    "k_requester",
    "k_dispatcher",
    "k_consultant",
    "k_sysadmin",
)
REQUESTING = ("k_requester", "k_org_admin")
CENTRE = ("k_dispatcher", "k_consultant")
CASE = REQUESTING + CENTRE
SIGNED_IN = (*ACTING, "k_person")
EVERYBODY = (*SIGNED_IN, "k_public", "k_account", "k_worker", "k_door")
ROLES = EVERYBODY

PERSON = "(SELECT nullif(current_setting('app.person_id', true), '')::uuid)"
ORGANIZATION = "(SELECT nullif(current_setting('app.organization_id', true), '')::uuid)"
SUBJECT = "(SELECT nullif(current_setting('app.subject', true), ''))"
SUBJECT_ID = f"{SUBJECT}::uuid"
# Other rows, seen by the same role, on which a row's sight depends. OFFSET keeps each a look-up by key: the planner can't
# know how many rows a role sees, takes it for few, and would gather all of them before it looks at one.
PARENT = "EXISTS (SELECT 1 FROM konsilium_consultation c WHERE c.id = consultation_id OFFSET 0)"
OF_SUBJECT = f"consultation_id = {SUBJECT_ID}"
IN_WORK = "state IN ('draft', 'clarification')"

DIRECTORIES = ("dictionary", "dictionaryentry", "profile", "route", "term")

# What the timetable shows of a session: nothing that somebody wrote in words.
TIMETABLE = (
    "id, version, consultation_id, consultation_number, requesting_organization_id, requesting_name, "
    "requesting_time_zone, centre_id, centre_name, centre_time_zone, consultant_id, consultant_name, state, minutes, "
    "during, starts_at, began_at, ended_at, missing_side, created_at, requesting_connection, requesting_dial, "
    "requesting_phone, requesting_technician, requesting_test, consulting_connection, consulting_dial, "
    "consulting_phone, consulting_technician, consulting_test"
)
# What the requesting side may change of its own request: everything but its way.
DRAFT = (
    "version, updated_at, stirred_at, urgency, kind, mode, occurrence, goal, profile_id, place_of_care, severity, "
    "incomplete_reason, named_centre_id, requester_name, requester_snils, requester_department, requester_position, "
    "requester_specialty, requester_phone, requester_email, patient_unknown, patient_unknown_reason, patient_family, "
    "patient_given, patient_patronymic, patient_sex, patient_birth_date, patient_snils, patient_enp, "
    "patient_document, representative, diagnosis_code, diagnosis_text, diagnosis_certainty, complaints, anamnesis, "
    "objective_state, treatment, consent_kind, consent_date, consent_by"
)
# What time needs to know of requests and events: whose they are, never what stands in them.
WAY = (
    "id, number, version, state, turn, urgency, requesting_organization_id, requester_id, centre_id, consultant_id, "
    "submitted_at, due_at, paused_at, answered_at, acknowledged_at, closed_at, updated_at"
)
EVENT_WAY = (
    "id, at, kind, actor_id, actor_role, actor_organization_id, consultation_id, subject, subject_id, from_state, "
    "to_state, audience, version"
)


def table(name: str) -> str:
    """Return the table's name in the database."""
    return f"konsilium_{name}"


def grant(name: str, rights: str, roles: Iterable[str], columns: str = "") -> str:
    """Return the statement that gives the rights (on these columns only, where named) to the roles."""
    named = ", ".join(f"{right.strip()} ({columns})" for right in rights.split(",")) if columns else rights
    return f"GRANT {named} ON {table(name)} TO {', '.join(roles)}"


def policy(name: str, label: str, command: str, roles: Iterable[str], using: str, check: str = "") -> str:
    """Return the statement that lets the roles do the command to the rows of which `using` is true."""
    parts = [f'CREATE POLICY "{label}" ON {table(name)} FOR {command} TO {", ".join(roles)}']
    if command != "INSERT":
        parts.append(f"USING ({using})")
    if command in ("INSERT", "UPDATE", "ALL"):
        parts.append(f"WITH CHECK ({check or using})")
    return " ".join(parts)


def allow(
    name: str, rights: str, roles: Iterable[str], using: str, *, check: str = "", columns: str = ""
) -> list[str]:
    """Return a grant and its policy for each right."""
    roles = tuple(roles)
    statements = []
    for right in (part.strip() for part in rights.split(",")):
        label = f"{right.lower()} by {' '.join(role.removeprefix('k_') for role in roles)}"[:63]
        statements.append(grant(name, right, roles, "" if right == "DELETE" else columns))
        statements.append(policy(name, label, right, roles, using, check))
    return statements


def directory() -> list[str]:
    """What everybody may look up, and who keeps it."""
    statements: list[str] = []
    for name in DIRECTORIES:
        statements += allow(name, "SELECT", EVERYBODY, "true")
    for name in ("profile", "route", "term"):
        statements += allow(name, "INSERT, UPDATE, DELETE", ("k_sysadmin",), "true")
    return statements


def organizations() -> list[str]:
    """Organisations, applications, contacts and equipment."""
    everywhere = ("k_coordinator", "k_sysadmin", "k_account", "k_worker")
    own = f"organization_id = {ORGANIZATION}"
    known = f"id = {ORGANIZATION} OR (is_consulting AND state = 'active')"
    applied = "EXISTS (SELECT 1 FROM konsilium_application a WHERE a.organization_id = konsilium_organization.id OFFSET 0)"
    others = ("k_org_admin", "k_technician", *CASE[:1], *CENTRE, "k_person")
    coordinator = ("k_coordinator",)
    return [
        *allow("organization", "SELECT", everywhere, "true"),
        *allow("organization", "SELECT", others, known),
        *allow("organization", "SELECT", ("k_public",), applied),
        *allow(
            "organization",
            "INSERT",
            ("k_public",),
            "state = 'submitted' AND NOT is_coordinating AND NOT is_consulting",
        ),
        *allow("organization", "SELECT, UPDATE", ("k_door",), f"id = {SUBJECT_ID}"),
        *allow(
            "organization",
            "UPDATE",
            ("k_coordinator",),
            "true",
            columns="full_name, short_name, region, time_zone, level",
        ),
        *allow("organization", "UPDATE", ("k_sysadmin",), "true", columns="is_consulting"),
        *allow("application", "SELECT, UPDATE", coordinator, "true"),
        *allow("application", "SELECT", ("k_public",), f"link_hash = {SUBJECT}"),
        *allow("application", "INSERT", ("k_public",), "true"),
        *allow("application", "SELECT, UPDATE", ("k_door",), f"organization_id = {SUBJECT_ID}"),
        *allow("contact", "SELECT, INSERT, UPDATE, DELETE", coordinator, "true"),
        *allow("contact", "SELECT, INSERT, UPDATE, DELETE", ("k_org_admin",), own),
        *allow("contact", "SELECT", ("k_technician",), own),
        *allow("contact", "INSERT", ("k_public",), "true"),
        *allow("contactlogentry", "SELECT, INSERT", coordinator, "true"),
        *equipment(own),
    ]


def equipment(own: str) -> list[str]:
    """Endpoints, their set-up guides and tests."""
    mine = ("k_org_admin", "k_technician")
    through = "EXISTS (SELECT 1 FROM konsilium_endpoint e WHERE e.id = endpoint_id OFFSET 0)"
    return [
        *allow("endpoint", "SELECT, INSERT, UPDATE", ("k_coordinator",), "true"),
        *allow("endpoint", "SELECT, INSERT, UPDATE", mine, own),
        *allow("endpoint", "SELECT", CASE[:1] + CENTRE, own),
        *allow("guidetick", "SELECT, INSERT, DELETE", ("k_coordinator", *mine), through),
        *allow("equipmenttest", "SELECT", ("k_coordinator", *mine, *CASE[:1], *CENTRE), through),
        *allow("equipmenttest", "INSERT", ("k_coordinator",), through),
    ]


def people() -> list[str]:
    """People, memberships, links; the sign-in's own tables are nobody else's."""
    mine = f"person_id = {PERSON}"
    own = f"organization_id = {ORGANIZATION}"
    myself = f"id = {PERSON}"
    seen = "EXISTS (SELECT 1 FROM konsilium_membership m WHERE m.person_id = konsilium_person.id OFFSET 0)"
    invited = "EXISTS (SELECT 1 FROM konsilium_membership m WHERE m.person_id = konsilium_onetimelink.person_id OFFSET 0)"
    counterparts = "role IN ('org_admin', 'technician')"
    plain = ("k_technician", "k_requester", "k_consultant", "k_sysadmin", "k_person")
    contact = "family, given, patronymic, email, phone, snils, language"
    account = ("k_account",)
    statements = [
        *allow("person", "SELECT", plain, myself),
        *allow("person", "SELECT", ("k_org_admin", "k_dispatcher", "k_coordinator"), f"{myself} OR {seen}"),
        *allow("person", "UPDATE", SIGNED_IN, myself, columns=contact),
        *allow("person", "INSERT", ("k_org_admin", "k_coordinator"), "NOT has_entered"),
        *allow("person", "SELECT, INSERT, UPDATE", account, "true"),
        *allow(
            "person", "SELECT", ("k_worker",), "true", columns="id, email, language, is_active, has_entered"
        ),
        *allow("membership", "SELECT", plain, mine),
        *allow("membership", "SELECT", ("k_org_admin", "k_dispatcher"), f"{mine} OR {own}"),
        *allow("membership", "SELECT", ("k_coordinator",), f"{mine} OR {counterparts}"),
        *allow("membership", "INSERT", ("k_org_admin",), own),
        *allow("membership", "INSERT", ("k_coordinator",), counterparts),
        # Whose it is, where and as what never changes; an end and a place do.
        *allow("membership", "UPDATE", ("k_org_admin",), own, columns="is_active"),
        *allow("membership", "UPDATE", ("k_coordinator",), counterparts, columns="is_active"),
        *allow("membership", "SELECT", ("k_account", "k_worker"), "true"),
        *allow(
            "membership", "UPDATE", ACTING, f"{mine} AND {own}", columns="department, position, specialty"
        ),
        *allow("onetimelink", "INSERT", ("k_org_admin", "k_coordinator"), f"used_at IS NULL AND {invited}"),
        *allow("onetimelink", "SELECT, INSERT, UPDATE", account, "true"),
    ]
    for name in ("credential", "recoverycode", "websession"):
        statements += allow(name, "SELECT, INSERT, UPDATE, DELETE", account, "true")
    statements += allow("signinattempt", "SELECT, INSERT, DELETE", account, "true")
    statements.append("GRANT SELECT, INSERT, UPDATE, DELETE ON otp_totp_totpdevice TO k_account")
    statements.append("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO k_account")
    return statements


def consultations() -> list[str]:
    """Requests: four roles, four policies; their way is written by the door alone."""
    name = "consultation"
    doctor = f"requesting_organization_id = {ORGANIZATION} AND requester_id = {PERSON}"
    hospital = f"requesting_organization_id = {ORGANIZATION}"
    statements: list[str] = []
    for role, own in (("k_requester", doctor), ("k_org_admin", hospital)):
        statements += allow(name, "SELECT", (role,), own)
        statements += allow(name, "INSERT", (role,), f"{own} AND state = 'draft' AND centre_id IS NULL")
        statements += allow(name, "UPDATE", (role,), f"{own} AND {IN_WORK}", check=own, columns=DRAFT)
        statements += allow(name, "DELETE", (role,), f"{own} AND state = 'draft'")
    return [
        *statements,
        *allow(name, "SELECT", ("k_dispatcher",), f"centre_id = {ORGANIZATION}"),
        *allow(name, "SELECT", ("k_consultant",), f"centre_id = {ORGANIZATION} AND consultant_id = {PERSON}"),
        *allow(name, "SELECT, UPDATE", ("k_door",), f"id = {SUBJECT_ID}"),
        *allow(name, "SELECT", ("k_worker",), "state <> 'draft'", columns=WAY),
        "GRANT USAGE ON SEQUENCE konsilium_consultation_number TO k_requester, k_org_admin",
        "GRANT USAGE ON SEQUENCE konsilium_application_number TO k_public",
    ]


def children() -> list[str]:
    """Everything inside a request: seen by whoever sees the request, and less where something is not placed yet."""
    placed_scan = f"(kind <> 'conclusion_scan' OR placed_at IS NOT NULL) AND {PARENT}"
    in_work = f"EXISTS (SELECT 1 FROM konsilium_consultation c WHERE c.id = consultation_id AND c.{IN_WORK} OFFSET 0)"
    mine = f"person_id = {PERSON}"
    draft = f"placed_at IS NULL AND {PARENT}"
    through_conclusion = "EXISTS (SELECT 1 FROM konsilium_conclusion k WHERE k.id = conclusion_id{} OFFSET 0)"
    within = f"actor_role = 'system' OR actor_organization_id = {ORGANIZATION}"
    through_session = "EXISTS (SELECT 1 FROM konsilium_session s WHERE s.id = session_id OFFSET 0)"
    return [
        *allow("question", "SELECT", CASE, PARENT),
        *allow("question", "INSERT, UPDATE, DELETE", REQUESTING, in_work),
        *allow("document", "SELECT", REQUESTING, placed_scan),
        *allow("document", "SELECT", CENTRE, PARENT),
        *allow("document", "INSERT", REQUESTING, f"kind <> 'conclusion_scan' AND {PARENT}"),
        *allow("document", "INSERT", CENTRE, PARENT),
        *allow("document", "UPDATE", CASE, PARENT, columns="note, message_id, conclusion_id"),
        *allow("document", "DELETE", REQUESTING, in_work),
        *allow("document", "SELECT, UPDATE", ("k_door",), OF_SUBJECT),
        *allow(
            "document",
            "SELECT",
            ("k_worker",),
            "true",
            columns="id, version, consultation_id, state, sha256, size",
        ),
        *allow("conclusion", "SELECT", ("k_consultant",), PARENT),
        *allow("conclusion", "SELECT", (*REQUESTING, "k_dispatcher"), f"placed_at IS NOT NULL AND {PARENT}"),
        *allow("conclusion", "INSERT, UPDATE, DELETE", ("k_consultant",), draft),
        *allow("conclusion", "SELECT, UPDATE", ("k_door",), OF_SUBJECT),
        *allow("answer", "SELECT", CASE, through_conclusion.format("")),
        *allow(
            "answer",
            "INSERT, UPDATE, DELETE",
            ("k_consultant",),
            through_conclusion.format(" AND k.placed_at IS NULL"),
        ),
        *allow("session", "SELECT", CASE, PARENT),
        *allow("session", "SELECT", ("k_coordinator",), "state <> 'proposed'", columns=TIMETABLE),
        *allow(
            "session",
            "SELECT",
            ("k_technician",),
            f"requesting_organization_id = {ORGANIZATION} OR centre_id = {ORGANIZATION}",
            columns=TIMETABLE,
        ),
        *allow("session", "INSERT", CENTRE, f"state = 'proposed' AND {PARENT}"),
        *allow("session", "SELECT, UPDATE", ("k_door",), OF_SUBJECT),
        *allow("session", "SELECT", ("k_worker",), "true", columns=TIMETABLE),
        *allow("sessionoption", "SELECT", CASE, through_session),
        *allow("sessionoption", "INSERT, UPDATE", CASE, through_session),
        *allow("message", "SELECT, INSERT", CASE, PARENT),
        *allow("readmark", "SELECT, INSERT, UPDATE", CASE, f"{mine} AND {PARENT}"),
        # What a centre keeps to itself stays there when the request is passed to another one.
        *allow("event", "SELECT", CENTRE, f"(audience = 'both' OR {within}) AND {PARENT}"),
        *allow("event", "SELECT", REQUESTING, f"audience = 'both' AND {PARENT}"),
        *allow("event", "SELECT, INSERT", ("k_door",), OF_SUBJECT),
        *allow("event", "SELECT", ("k_worker",), "true", columns=EVENT_WAY),
        *allow("viewing", "SELECT, INSERT", CASE, PARENT),
    ]


def remembering() -> list[str]:
    """What the house remembers and tells."""
    mine = f"person_id = {PERSON}"
    own = f"organization_id = {ORGANIZATION}"
    return [
        *allow("deskevent", "SELECT", ("k_sysadmin", "k_worker", "k_account"), "true"),
        *allow("deskevent", "SELECT", ("k_coordinator",), "organization_id IS NOT NULL"),
        *allow("deskevent", "SELECT", ("k_org_admin", "k_technician"), own),
        *allow("deskevent", "SELECT, INSERT", ("k_door",), "true"),
        *allow("delivery", "INSERT", ("k_door",), "true"),
        *allow("delivery", "SELECT, UPDATE, DELETE", ("k_worker",), "true"),
        *allow("notice", "SELECT, UPDATE", SIGNED_IN, mine),
        *allow("notice", "SELECT, INSERT, UPDATE, DELETE", ("k_worker",), "true"),
        *allow("oncekey", "SELECT, INSERT, UPDATE", SIGNED_IN, mine),
        *allow("oncekey", "SELECT, DELETE", ("k_worker",), "true"),
        *(
            f"GRANT USAGE ON SEQUENCE {table(name)}_id_seq TO {', '.join(SIGNED_IN)}"
            for name in ("oncekey", "readmark", "viewing")
        ),
    ]


ENTER = """
CREATE FUNCTION konsilium_enter(key text) RETURNS TABLE (
    session_data text, expire_date timestamptz, seen_at timestamptz, person_id uuid, login text, family text,
    given text, patronymic text, language text, membership_id uuid, role text, position_held text,
    organization_id uuid, organization_name text, time_zone text
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    SELECT s.session_data, s.expire_date, s.seen_at, p.id, p.login, p.family, p.given, p.patronymic, p.language, m.id, m.role,
        m.position, m.organization_id, o.short_name, o.time_zone
    FROM konsilium_websession s
    LEFT JOIN konsilium_person p ON p.id = s.person_id AND p.is_active
    LEFT JOIN konsilium_membership m ON m.id = s.membership_id AND m.person_id = p.id AND m.is_active
        AND EXISTS (SELECT 1 FROM konsilium_organization a WHERE a.id = m.organization_id AND a.state = 'active')
    LEFT JOIN konsilium_organization o ON o.id = m.organization_id
    WHERE s.session_key = key AND s.expire_date > now()
$$
"""

# A question can only be taken back before any conclusion is placed, so this never touches a placed answer.
ANSWER_FOLLOWS_QUESTION = (
    "ALTER TABLE konsilium_answer ADD CONSTRAINT answer_follows_question "
    "FOREIGN KEY (question_id) REFERENCES konsilium_question (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED"
)

# A draft is deleted with all that hangs on it. The request's own policy lets nothing but a draft be deleted, so no role
# needs a right to delete what was remembered of a request that was sent.
FOLLOWING_DRAFT = ("question", "document", "message", "readmark", "event", "viewing")


def follow_draft(name: str) -> str:
    """Return the statement that lets a table's rows go with the draft they belong to."""
    return (
        f"ALTER TABLE {table(name)} ADD CONSTRAINT {name}_follows_draft FOREIGN KEY (consultation_id) "
        "REFERENCES konsilium_consultation (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED"
    )


def role_names() -> tuple[str, str]:
    """Return the owner's and the application's login roles."""
    return settings.DATABASES["owner"]["USER"], settings.DATABASES["default"]["USER"]


def create_access(apps: Any, schema_editor: Any) -> None:
    """Make the roles, switch row level security on everywhere, grant, and write the policies."""
    _, login = role_names()
    run = schema_editor.execute
    for role in ROLES:
        run(f"DO $$ BEGIN CREATE ROLE {role} NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
        run(f'GRANT {role} TO "{login}"')
    run(f'GRANT USAGE ON SCHEMA public TO {", ".join(ROLES)}, "{login}"')
    run("CREATE SEQUENCE konsilium_consultation_number")
    run("CREATE SEQUENCE konsilium_application_number")
    for model in apps.get_app_config("konsilium").get_models():
        run(f"ALTER TABLE {model._meta.db_table} ENABLE ROW LEVEL SECURITY")
    for statement in (
        *directory(),
        *organizations(),
        *people(),
        *consultations(),
        *children(),
        *remembering(),
    ):
        run(statement)
    run(ANSWER_FOLLOWS_QUESTION)
    for name in FOLLOWING_DRAFT:
        run(follow_draft(name))
    run(ENTER)
    run("REVOKE ALL ON FUNCTION konsilium_enter(text) FROM PUBLIC")
    run(f'GRANT EXECUTE ON FUNCTION konsilium_enter(text) TO "{login}", k_account')
    run(f'GRANT SELECT ON django_migrations TO "{login}", {", ".join(ROLES)}')


class Migration(migrations.Migration):
    """Access below the pages."""

    dependencies = [("konsilium", "0001_initial"), ("otp_totp", "__latest__")]

    operations = [migrations.RunPython(create_access, migrations.RunPython.noop, elidable=False)]
