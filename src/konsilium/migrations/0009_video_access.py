"""Who may read and write what belongs to rooms and to the testing of equipment: roles, grants, row level security."""

from importlib import import_module
from typing import Any

from django.db import migrations

ACCESS = import_module("konsilium.migrations.0002_access")
allow, policy, table = ACCESS.allow, ACCESS.policy, ACCESS.table
CASE, CENTRE, REQUESTING = ACCESS.CASE, ACCESS.CENTRE, ACCESS.REQUESTING
ORGANIZATION, PERSON = ACCESS.ORGANIZATION, ACCESS.PERSON
SUBJECT, SUBJECT_ID, TIMETABLE = ACCESS.SUBJECT, ACCESS.SUBJECT_ID, ACCESS.TIMETABLE

# The prober reaches out to addresses, a live socket holds a room, a guest has one session, and k_live knows tickets.
PROBER, ROOM, GUEST, LIVE = "k_prober", "k_room", "k_guest", "k_live"
NEW_ROLES = (PROBER, ROOM, GUEST, LIVE)
TABLES = (
    "endpointsecret", "teststep", "testparticipant", "probe", "browsertest",
    "room", "attendance", "signal", "roomline", "sessionguest", "readiness",
    "recordingconsent", "recording", "recordingaccess", "socketticket",
)  # fmt: skip

MINE = ("k_org_admin", "k_technician")
EQUIPMENT = ("k_coordinator", *MINE)
TESTERS_LOOK = (*EQUIPMENT, "k_requester", *CENTRE)
THROUGH_SESSION = "EXISTS (SELECT 1 FROM konsilium_session s WHERE s.id = session_id OFFSET 0)"
THROUGH_ENDPOINT = "EXISTS (SELECT 1 FROM konsilium_endpoint e WHERE e.id = endpoint_id OFFSET 0)"
THROUGH_TEST = "EXISTS (SELECT 1 FROM konsilium_equipmenttest t WHERE t.id = test_id{} OFFSET 0)"
OPEN_TEST = THROUGH_TEST.format(" AND t.concluded_at IS NULL")
OWN = f"organization_id = {ORGANIZATION}"
OF_ROOM = f"session_id = {SUBJECT_ID}"
# What the prober may know of an endpoint: where it is and how it is reached.
REACH = "id, organization_id, kind, address, dial_string, transport, encryption, account, registrar, approved_at, is_active"

# An address that nobody approved is never connected to: the database takes the approval back when one changes, and
# lets nobody but a coordinator give it.
ASKS_AGAIN = """
CREATE FUNCTION konsilium_endpoint_asks_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF current_user <> 'k_coordinator' THEN
            NEW.approved_at := NULL;
            NEW.approved_by := '';
        END IF;
    ELSIF (NEW.kind, NEW.address, NEW.dial_string, NEW.transport, NEW.encryption, NEW.account, NEW.registrar)
        IS DISTINCT FROM
        (OLD.kind, OLD.address, OLD.dial_string, OLD.transport, OLD.encryption, OLD.account, OLD.registrar)
    THEN
        NEW.approved_at := NULL;
        NEW.approved_by := '';
    ELSIF current_user <> 'k_coordinator' THEN
        NEW.approved_at := OLD.approved_at;
        NEW.approved_by := OLD.approved_by;
    END IF;
    RETURN NEW;
END
$$
"""
ASKS_AGAIN_TRIGGER = (
    "CREATE TRIGGER endpoint_asks_again BEFORE INSERT OR UPDATE ON konsilium_endpoint "
    "FOR EACH ROW EXECUTE FUNCTION konsilium_endpoint_asks_again()"
)

# Pages that look at a protocol hear that it changed, whoever changed it; of what changed they hear nothing.
TELLS_OF_TEST = """
CREATE FUNCTION konsilium_tell_of_test() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE test text := to_jsonb(CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END) ->> TG_ARGV[0];
BEGIN
    IF test IS NOT NULL THEN
        PERFORM pg_notify('konsilium_live', json_build_object('test', test)::text);
    END IF;
    RETURN NULL;
END
$$
"""
OF_TEST = {"equipmenttest": "id", "teststep": "test_id", "testparticipant": "test_id", "probe": "test_id"}
TELLS_OF_TEST_TRIGGER = (
    "CREATE TRIGGER tells_of_test AFTER INSERT OR UPDATE OR DELETE ON konsilium_{} "
    "FOR EACH ROW EXECUTE FUNCTION konsilium_tell_of_test('{}')"
)


def testing() -> list[str]:
    """Protocols are filled in by both sides while they are open; the prober writes what it measured."""
    open_endpoint_test = THROUGH_ENDPOINT + " AND concluded_at IS NULL"
    return [
        *allow("endpointsecret", "INSERT, UPDATE, DELETE", EQUIPMENT, THROUGH_ENDPOINT),
        # A password goes in and never comes out, but to the prober.
        *allow(
            "endpointsecret",
            "SELECT",
            EQUIPMENT,
            THROUGH_ENDPOINT,
            columns="id, endpoint_id, set_at, set_by",
        ),
        *allow("endpointsecret", "SELECT", (PROBER,), "true"),
        # A concluded test is never written again.
        *allow("equipmenttest", "UPDATE", ("k_coordinator",), open_endpoint_test, check=THROUGH_ENDPOINT),
        *allow("equipmenttest", "SELECT", (PROBER, "k_worker"), "true"),
        *allow(
            "equipmenttest",
            "UPDATE",
            (PROBER,),
            "concluded_at IS NULL",
            columns="reachable, codec, resolution, measurements, picture_sha256",
        ),
        *allow("teststep", "SELECT", TESTERS_LOOK, THROUGH_TEST.format("")),
        *allow("teststep", "INSERT, UPDATE, DELETE", EQUIPMENT, OPEN_TEST),
        *allow("teststep", "SELECT, INSERT, UPDATE", (PROBER,), OPEN_TEST),
        *allow("testparticipant", "SELECT", TESTERS_LOOK, THROUGH_TEST.format("")),
        *allow("testparticipant", "INSERT, DELETE", EQUIPMENT, OPEN_TEST),
        *allow("probe", "SELECT", TESTERS_LOOK, THROUGH_ENDPOINT),
        *allow("probe", "INSERT", EQUIPMENT, f"state = 'waiting' AND {THROUGH_ENDPOINT}"),
        *allow("probe", "SELECT, UPDATE", (PROBER,), "true"),
        # Equipment called the echo line by itself: nobody asked for it.
        *allow("probe", "INSERT", (PROBER,), f"kind = 'echo' AND state = 'done' AND {OPEN_TEST}"),
        *allow("probe", "SELECT, INSERT, DELETE", ("k_worker",), "true"),
        *allow("endpoint", "SELECT", (PROBER,), "true", columns=REACH),
        *allow("endpoint", "SELECT", ("k_worker",), "true", columns=f"{REACH}, name, technician, created_at"),
        *allow("organization", "SELECT", (PROBER,), "true", columns="id, oid"),
        *allow("browsertest", "SELECT", ("k_coordinator",), "true"),
        *allow("browsertest", "SELECT", (*MINE, "k_requester", *CENTRE), OWN),
        *allow("browsertest", "INSERT", (*MINE, "k_requester", *CENTRE), f"person_id = {PERSON} AND {OWN}"),
    ]


def rooms() -> list[str]:
    """A room is seen by whoever sees its session; of what is said there the timetable's people see nothing."""
    desk = ("k_coordinator", "k_technician")
    around = (*CASE, *desk)
    statements = [
        *allow("room", "SELECT", CASE, THROUGH_SESSION),
        *allow(
            "room",
            "SELECT",
            desk,
            THROUGH_SESSION,
            columns="id, session_id, engine, link, dial, pin, instructions, opened_at, closed_at, is_recorded",
        ),
        *allow("room", "INSERT", CASE, THROUGH_SESSION),
        *allow("room", "UPDATE", CENTRE, THROUGH_SESSION),
        *allow("room", "SELECT, INSERT, UPDATE", (ROOM,), OF_ROOM),
        *allow("attendance", "SELECT", around, THROUGH_SESSION),
        *allow("attendance", "INSERT", CENTRE, f"marked_by <> '' AND {THROUGH_SESSION}"),
        *allow("attendance", "DELETE", CENTRE, f"marked_by <> '' AND {THROUGH_SESSION}"),
        *allow("attendance", "SELECT, INSERT, UPDATE", (ROOM,), OF_ROOM),
        *allow("signal", "SELECT, INSERT, DELETE", (ROOM,), OF_ROOM),
        *allow("roomline", "SELECT", CASE, THROUGH_SESSION),
        *allow("roomline", "SELECT, INSERT", (ROOM,), OF_ROOM),
        *allow("sessionguest", "SELECT, INSERT, UPDATE", CASE, THROUGH_SESSION),
        *allow(
            "sessionguest",
            "SELECT",
            desk,
            THROUGH_SESSION,
            columns="id, session_id, kind, name, organization_name, side, invited_by, invited_at, valid_from, "
            "valid_until, used_at, revoked_at",
        ),
        *allow("sessionguest", "SELECT", (ROOM,), OF_ROOM),
        *allow("sessionguest", "SELECT", (GUEST,), f"link_hash = {SUBJECT} OR cookie_hash = {SUBJECT}"),
        *allow("sessionguest", "UPDATE", (GUEST,), f"link_hash = {SUBJECT}", columns="used_at, cookie_hash"),
        *allow("readiness", "SELECT", around, THROUGH_SESSION),
        *allow("readiness", "INSERT, UPDATE, DELETE", (*CASE, "k_technician"), THROUGH_SESSION),
        *allow("recordingconsent", "SELECT", CASE, THROUGH_SESSION),
        *allow("recordingconsent", "SELECT, INSERT, UPDATE", (ROOM,), OF_ROOM),
        *recordings(),
    ]
    through_guest = (
        "EXISTS (SELECT 1 FROM konsilium_sessionguest g WHERE g.session_id = konsilium_session.id OFFSET 0)"
    )
    return [
        *statements,
        *allow("session", "SELECT", (ROOM,), f"id = {SUBJECT_ID}", columns=TIMETABLE),
        *allow("session", "SELECT", (GUEST,), through_guest, columns=TIMETABLE),
        *allow("socketticket", "SELECT, INSERT, DELETE", (LIVE,), "true"),
        # Time looks who has gone without a word, forgets signals and tickets, and deletes recordings that are due.
        *allow("attendance", "SELECT", ("k_worker",), "true"),
        *allow("attendance", "UPDATE", ("k_worker",), "left_at IS NULL", check="true", columns="left_at"),
        *allow(
            "room",
            "SELECT",
            ("k_worker",),
            "true",
            columns="id, session_id, engine, name, opened_at, closed_at",
        ),
        *allow("readiness", "SELECT", ("k_worker",), "true"),
        *allow("sessionguest", "SELECT", ("k_worker",), "true", columns="id, session_id, valid_until"),
        *allow("signal", "SELECT, DELETE", ("k_worker",), "true", columns="id, at"),
        *allow("socketticket", "SELECT, DELETE", ("k_worker",), "true", columns="ticket_hash, expires_at"),
    ]


def recordings() -> list[str]:
    """A recording is heard by those to whom it was given, and by nobody for being of the case."""
    given = (
        "EXISTS (SELECT 1 FROM konsilium_recordingaccess a WHERE a.session_id = konsilium_recording.session_id "
        f"AND a.person_id = {PERSON} AND a.until > now() OFFSET 0)"
    )
    return [
        *allow("recording", "SELECT", CASE, f"{THROUGH_SESSION} AND {given}"),
        *allow("recording", "SELECT, INSERT, UPDATE", (ROOM,), OF_ROOM),
        *allow(
            "recording",
            "SELECT, DELETE",
            ("k_worker",),
            "true",
            columns="id, session_id, state, sha256, size, delete_on",
        ),
        *allow("recordingaccess", "SELECT", CASE, THROUGH_SESSION),
        *allow("recordingaccess", "INSERT, UPDATE, DELETE", ("k_consultant",), THROUGH_SESSION),
    ]


def create_access(apps: Any, schema_editor: Any) -> None:
    """Make the roles, switch row level security on for the new tables, and write their policies."""
    _, login = ACCESS.role_names()
    run = schema_editor.execute
    for role in NEW_ROLES:
        run(f"DO $$ BEGIN CREATE ROLE {role} NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
        run(f'GRANT {role} TO "{login}"')
        run(f"GRANT USAGE ON SCHEMA public TO {role}")
        run(f"GRANT SELECT ON django_migrations TO {role}")
    for name in TABLES:
        run(f"ALTER TABLE {table(name)} ENABLE ROW LEVEL SECURITY")
    for statement in (*testing(), *rooms()):
        run(statement)
    run(ASKS_AGAIN)
    run(ASKS_AGAIN_TRIGGER)
    run(TELLS_OF_TEST)
    for name, column in OF_TEST.items():
        run(TELLS_OF_TEST_TRIGGER.format(name, column))


class Migration(migrations.Migration):
    """Access to rooms and to the testing of equipment, below the pages."""

    dependencies = [("konsilium", "0008_video")]

    operations = [migrations.RunPython(create_access, migrations.RunPython.noop, elidable=False)]
