"""Who may read and write councils, print forms and signatures: a council member sees what they are invited to, while they are."""

from importlib import import_module
from typing import Any

from django.db import migrations

ACCESS = import_module("konsilium.migrations.0002_access")
allow, policy, table = ACCESS.allow, ACCESS.policy, ACCESS.table
CASE, CENTRE, REQUESTING = ACCESS.CASE, ACCESS.CENTRE, ACCESS.REQUESTING
PARENT, PERSON, ORGANIZATION = ACCESS.PARENT, ACCESS.PERSON, ACCESS.ORGANIZATION
OF_SUBJECT, SUBJECT_ID = ACCESS.OF_SUBJECT, ACCESS.SUBJECT_ID

COUNCILLOR, SIGNATORY, PRINTER = "k_councillor", "k_signatory", "k_printer"
NEW_ROLES = (COUNCILLOR, SIGNATORY, PRINTER)
TABLES = (
    "council", "seat", "opinion", "councilline", "recommendation", "studied", "conclusionpicture", "phrase",
    "printform", "signature", "signaturecheck",
)  # fmt: skip
READERS = (*CASE, COUNCILLOR, SIGNATORY)
SIGNERS = ("k_consultant", COUNCILLOR, SIGNATORY)
MINE = f"person_id = {PERSON}"
THROUGH_CONCLUSION = "EXISTS (SELECT 1 FROM konsilium_conclusion k WHERE k.id = conclusion_id{} OFFSET 0)"
THROUGH_FORM = "EXISTS (SELECT 1 FROM konsilium_printform f WHERE f.id = form_id OFFSET 0)"
THROUGH_SIGNATURE = "EXISTS (SELECT 1 FROM konsilium_signature g WHERE g.id = signature_id OFFSET 0)"
THROUGH_SESSION = "EXISTS (SELECT 1 FROM konsilium_session s WHERE s.id = session_id OFFSET 0)"
THROUGH_ENDPOINT = "EXISTS (SELECT 1 FROM konsilium_endpoint e WHERE e.id = endpoint_id OFFSET 0)"
OF_DOCUMENT = "EXISTS (SELECT 1 FROM konsilium_document d WHERE d.id = document_id OFFSET 0)"
OF_SERIES = "EXISTS (SELECT 1 FROM konsilium_series s WHERE s.id = series_id OFFSET 0)"
WITHHELD = import_module("konsilium.migrations.0005_withheld")
OF_PICTURE = f"(series_id IS NULL OR {OF_SERIES}) AND (document_id IS NULL OR {OF_DOCUMENT})"

# The requests in which the acting person has a seat that lasts. A function, for a policy that asks the table of seats
# about itself would never end.
MY_CASES = """
CREATE FUNCTION konsilium_my_cases() RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    SELECT DISTINCT s.consultation_id FROM konsilium_seat s
    WHERE s.person_id = nullif(current_setting('app.person_id', true), '')::uuid
        AND s.organization_id = nullif(current_setting('app.organization_id', true), '')::uuid
        AND s.answer IN ('invited', 'accepted') AND (s.access_until IS NULL OR s.access_until > now())
$$
"""
# The councils themselves: of another council over the same request its members see nothing.
MY_COUNCILS = MY_CASES.replace("konsilium_my_cases", "konsilium_my_councils").replace(
    "s.consultation_id", "s.council_id"
)
SEATED = "{} = ANY (ARRAY(SELECT konsilium_my_cases()))"
SITTING = "{} = ANY (ARRAY(SELECT konsilium_my_councils()))"
MY_COUNCIL = SITTING.format("council_id")

# Whom a council may be called from: the consultants of every active centre, by name and trade, and nothing else of them.
COLLEAGUES = """
CREATE FUNCTION konsilium_colleagues() RETURNS TABLE (
    membership_id uuid, person_id uuid, family text, given text, patronymic text, position_held text, specialty text,
    organization_id uuid, organization_name text
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    SELECT m.id, p.id, p.family, p.given, p.patronymic, m.position, m.specialty, o.id, o.short_name
    FROM konsilium_membership m
    JOIN konsilium_person p ON p.id = m.person_id AND p.is_active
    JOIN konsilium_organization o ON o.id = m.organization_id AND o.state = 'active' AND o.is_consulting
    WHERE m.role = 'consultant' AND m.is_active
$$
"""


def councils() -> list[str]:
    """Councils and seats are seen with the request; an opinion is its author's alone until all are opened.

    What somebody began and never sealed, or sealed and then left their seat, is opened to nobody.
    """
    opened = (
        "sealed_at IS NOT NULL AND "
        "EXISTS (SELECT 1 FROM konsilium_council c WHERE c.id = council_id AND c.opened_at IS NOT NULL OFFSET 0) AND "
        "EXISTS (SELECT 1 FROM konsilium_seat s WHERE s.id = seat_id AND s.answer = 'accepted' OFFSET 0)"
    )
    gathering = "EXISTS (SELECT 1 FROM konsilium_council c WHERE c.id = council_id AND c.state = 'gathering' OFFSET 0)"
    # What the asking side may know before the protocol is placed: that a council sits, and who.
    outside = (
        "id, version, consultation_id, state, purpose, form, quorum, session_id, called_at, called_by_name, opened_at, "
        "decided_at, signed_at"
    )
    names = (
        "id, consultation_id, council_id, kind, answer, person_id, organization_id, name, position, specialty, "
        "organization_name, invited_at"
    )
    return [
        *allow("council", "SELECT", CENTRE, PARENT),
        *allow("council", "SELECT", (COUNCILLOR,), SITTING.format("id")),
        *allow("council", "SELECT", REQUESTING, PARENT, columns=outside),
        *allow("council", "INSERT", CENTRE, f"state = 'gathering' AND opened_at IS NULL AND {PARENT}"),
        *allow("council", "SELECT, UPDATE", ("k_door",), OF_SUBJECT),
        *allow("seat", "SELECT", CENTRE, PARENT),
        *allow("seat", "SELECT", (COUNCILLOR,), MY_COUNCIL),
        *allow("seat", "SELECT", REQUESTING, PARENT, columns=names),
        *allow("seat", "SELECT, INSERT, UPDATE", ("k_door",), OF_SUBJECT),
        *allow(
            "seat",
            "SELECT",
            ("k_worker",),
            "true",
            columns="id, consultation_id, council_id, kind, answer, person_id, organization_id, access_until",
        ),
        # A sealed opinion is read by nobody else: not by the chair, not by the one who called, not by the door.
        *allow("opinion", "SELECT", (COUNCILLOR,), f"({MINE} OR {opened}) AND {MY_COUNCIL}"),
        *allow("opinion", "SELECT", CENTRE, f"{opened} AND {PARENT}"),
        *allow(
            "opinion",
            "INSERT",
            (COUNCILLOR,),
            f"{MINE} AND {gathering} AND {MY_COUNCIL}",
        ),
        *allow(
            "opinion",
            "UPDATE",
            (COUNCILLOR,),
            f"{MINE} AND sealed_at IS NULL AND {gathering} AND {MY_COUNCIL}",
            check=MINE,
            columns="text, updated_at, sealed_at",
        ),
        *allow("councilline", "SELECT", (COUNCILLOR,), MY_COUNCIL),
        *allow("councilline", "INSERT", (COUNCILLOR,), f"author_id = {PERSON} AND {MY_COUNCIL}"),
        # Who is called gets the role to look in with; it gives nothing beside a seat that lasts.
        *allow("membership", "INSERT", ("k_door",), "role = 'council_member'"),
        *allow(
            "membership",
            "SELECT",
            ("k_door",),
            "role = 'council_member'",
            columns="id, person_id, organization_id, role, is_active",
        ),
    ]


def members() -> list[str]:
    """What a council member sees of the request they are called to: what the centre sees, while their seat lasts."""
    placed_or_own = (
        f"(placed_at IS NOT NULL OR {MY_COUNCIL}) AND {PARENT}"  # the own council's protocol, also as a draft
    )
    secretary = (
        "EXISTS (SELECT 1 FROM konsilium_seat s WHERE s.council_id = konsilium_conclusion.council_id AND "
        f"s.kind = 'secretary' AND s.answer = 'accepted' AND s.person_id = {PERSON} OFFSET 0)"
    )
    one = (COUNCILLOR,)
    of_draft = THROUGH_CONCLUSION.format(" AND k.placed_at IS NULL AND k.council_id IS NOT NULL")
    statements = [
        *allow("consultation", "SELECT", one, SEATED.format("id")),
        *allow("conclusion", "SELECT", one, placed_or_own),
        *allow("conclusion", "INSERT, UPDATE, DELETE", one, f"placed_at IS NULL AND {secretary}"),
        *allow("answer", "INSERT, UPDATE, DELETE", one, of_draft),
        *allow(
            "document",
            "SELECT",
            one,
            f"(kind <> 'conclusion_scan' OR placed_at IS NOT NULL OR author_id = {PERSON}) AND {PARENT}",
        ),
        # The secretary lays the scan of the signed protocol to it.
        *allow(
            "document",
            "INSERT",
            one,
            f"kind = 'conclusion_scan' AND author_id = {PERSON} AND {of_draft} AND {PARENT}",
        ),
        *allow("reading", "INSERT", one, f"done_at IS NULL AND {PARENT}"),
        *allow("series", "SELECT", one, f"{WITHHELD.SHOWN} AND {PARENT}"),
        *allow("study", "SELECT", one, f"{PARENT} AND {WITHHELD.WITH_SERIES}"),
        *allow("instance", "SELECT", one, OF_SERIES),
        *allow("leftout", "SELECT", one, OF_DOCUMENT),
        *allow("derived", "SELECT", one, WITHHELD.COPY_SHOWN),
        *allow("mark", "SELECT", one, f"{OF_PICTURE} AND {PARENT}"),
        *allow("keyimage", "SELECT", one, f"{OF_DOCUMENT} AND {OF_SERIES}"),
        *allow("sessionoption", "SELECT", one, THROUGH_SESSION),
        *allow("room", "SELECT", one, THROUGH_SESSION),
        *allow("attendance", "SELECT", one, THROUGH_SESSION),
        *allow("roomline", "SELECT", one, THROUGH_SESSION),
        *allow("readiness", "SELECT", one, THROUGH_SESSION),
        # What of their own house's equipment dials into a session.
        *allow("endpoint", "SELECT", one, f"organization_id = {ORGANIZATION}"),
        *allow("equipmenttest", "SELECT", one, THROUGH_ENDPOINT),
        *allow("recordingconsent", "SELECT", one, THROUGH_SESSION),
        *allow("event", "SELECT", one, f"audience = 'both' AND {PARENT}"),
        *allow("readmark", "SELECT, INSERT, UPDATE", one, f"{MINE} AND {PARENT}"),
        *allow("answer", "SELECT", one, THROUGH_CONCLUSION.format("")),
    ]
    for name in ("question", "reading", "session", "message"):
        statements += allow(name, "SELECT", one, PARENT)
    return [*statements, *allow("viewing", "SELECT, INSERT", one, PARENT)]


def signatories() -> list[str]:
    """Who signs for the centre sees its requests whose conclusion is written, and that alone."""
    one = (SIGNATORY,)
    return [
        *allow(
            "consultation",
            "SELECT",
            one,
            f"centre_id = {ORGANIZATION} AND state IN ('conclusion', 'completed', 'closed')",
        ),
        *allow("conclusion", "SELECT", one, PARENT),
        *allow("answer", "SELECT", one, THROUGH_CONCLUSION.format("")),
        *allow("question", "SELECT", one, PARENT),
        *allow("viewing", "SELECT, INSERT", one, PARENT),
        *allow("readmark", "SELECT, INSERT, UPDATE", one, f"{MINE} AND {PARENT}"),
    ]


def conclusions() -> list[str]:
    """The parts of a conclusion go with it; phrases are a person's own or their centre's."""
    own = f"organization_id = {ORGANIZATION} AND (person_id IS NULL OR {MINE})"
    statements = []
    for name in ("recommendation", "studied", "conclusionpicture"):
        statements += allow(name, "SELECT", READERS, THROUGH_CONCLUSION.format(""))
        statements += allow(
            name,
            "INSERT, UPDATE, DELETE",
            ("k_consultant", COUNCILLOR),
            THROUGH_CONCLUSION.format(" AND k.placed_at IS NULL"),
        )
    return [
        *statements,
        *allow("phrase", "SELECT", ("k_consultant", COUNCILLOR), own),
        *allow("phrase", "INSERT, UPDATE, DELETE", ("k_consultant",), own),
    ]


def papers() -> list[str]:
    """Print forms and signatures: the centre's are its own until they are placed; nobody changes what was made."""
    seen = f"(side = 'requesting' OR placed_at IS NOT NULL) AND {PARENT}"
    readable = (
        "kind NOT IN ('conclusion', 'protocol') OR "
        "EXISTS (SELECT 1 FROM konsilium_conclusion k WHERE k.id = subject_id OFFSET 0)"
    )
    asked = f"state = 'waiting' AND sha256 = '' AND placed_at IS NULL AND {PARENT}"
    return [
        *allow("printform", "SELECT", REQUESTING, seen),
        *allow("printform", "SELECT", (*CENTRE, SIGNATORY), PARENT),
        # Who sat in an earlier council reads no protocol of the next one before it is placed.
        *allow("printform", "SELECT", (COUNCILLOR,), f"(placed_at IS NOT NULL OR {readable}) AND {PARENT}"),
        *allow("printform", "INSERT", (*CASE, COUNCILLOR), asked),
        *allow("printform", "SELECT, UPDATE", ("k_door",), OF_SUBJECT),
        *allow(
            "printform",
            "SELECT",
            ("k_worker",),
            "true",
            columns="id, consultation_id, state, asked_at, sha256",
        ),
        *allow("signature", "SELECT", READERS, THROUGH_FORM),
        *allow(
            "signature",
            "INSERT",
            SIGNERS,
            f"{MINE} AND verdict = 'waiting' AND void_at IS NULL AND {THROUGH_FORM}",
        ),
        *allow("signature", "SELECT, UPDATE", ("k_door",), OF_SUBJECT),
        *allow(
            "signature", "SELECT", ("k_worker",), "true", columns="id, consultation_id, verdict, at, sha256"
        ),
        *allow("signaturecheck", "SELECT", READERS, THROUGH_SIGNATURE),
        *allow("signaturecheck", "SELECT", ("k_worker",), "true", columns="id, material_sha256"),
        *printing(),
    ]


def printing() -> list[str]:
    """The printer reads one request, and writes nothing but the form and what a check of a signature said."""
    one = (PRINTER,)
    statements = [
        *allow("consultation", "SELECT", one, f"id = {SUBJECT_ID}"),
        *allow("printform", "SELECT, UPDATE", one, OF_SUBJECT),
        *allow("signature", "SELECT", one, OF_SUBJECT),
        *allow("signature", "UPDATE", one, OF_SUBJECT, columns="verdict, certificate, signed_at, checked_at"),
        *allow("signaturecheck", "SELECT, INSERT", one, OF_SUBJECT),
        *allow("organization", "SELECT", one, "true"),
        *allow("keyimage", "SELECT", one, OF_DOCUMENT),
    ]
    for name in ("question", "conclusion", "document", "session", "council", "seat", "derived"):
        statements += allow(name, "SELECT", one, OF_SUBJECT if name != "derived" else OF_DOCUMENT)
    for name in ("answer", "recommendation", "studied", "conclusionpicture"):
        statements += allow(name, "SELECT", one, THROUGH_CONCLUSION.format(""))
    return [*statements, *allow("attendance", "SELECT", one, THROUGH_SESSION)]


def signing_in() -> list[str]:
    """The new roles sign in as everybody does."""
    both = (COUNCILLOR, SIGNATORY)
    contact = "family, given, patronymic, email, phone, snils, language"
    known = f"id = {ORGANIZATION} OR (is_consulting AND state = 'active')"
    statements = [
        *allow("organization", "SELECT", both, known),
        *allow("person", "SELECT", both, f"id = {PERSON}"),
        *allow("person", "UPDATE", both, f"id = {PERSON}", columns=contact),
        *allow("membership", "SELECT", both, MINE),
        *allow(
            "membership",
            "UPDATE",
            both,
            f"{MINE} AND organization_id = {ORGANIZATION}",
            columns="department, position, specialty",
        ),
        *allow("notice", "SELECT, UPDATE", both, MINE),
        *allow("oncekey", "SELECT, INSERT, UPDATE", both, MINE),
    ]
    for name in ACCESS.DIRECTORIES:
        statements += allow(name, "SELECT", NEW_ROLES, "true")
    for name in ("oncekey", "readmark", "viewing"):
        statements.append(f"GRANT USAGE ON SEQUENCE {table(name)}_id_seq TO {', '.join(both)}")
    return statements


def create_access(apps: Any, schema_editor: Any) -> None:
    """Make the roles and functions, switch row level security on for the new tables, and write their policies."""
    _, login = ACCESS.role_names()
    run = schema_editor.execute
    for role in NEW_ROLES:
        run(f"DO $$ BEGIN CREATE ROLE {role} NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
        run(f'GRANT {role} TO "{login}"')
        run(f"GRANT USAGE ON SCHEMA public TO {role}")
        run(f"GRANT SELECT ON django_migrations TO {role}")
    for name in TABLES:
        run(f"ALTER TABLE {table(name)} ENABLE ROW LEVEL SECURITY")
    run(MY_CASES)
    run(MY_COUNCILS)
    run(COLLEAGUES)
    run(f"GRANT EXECUTE ON FUNCTION konsilium_withheld(uuid) TO {COUNCILLOR}")
    for name, roles in (
        # A consultant learns how many councils wait for them in their other role, and no more.
        ("konsilium_my_cases", f"{COUNCILLOR}, k_consultant"),
        ("konsilium_my_councils", COUNCILLOR),
        ("konsilium_colleagues", "k_consultant, k_dispatcher"),
    ):
        run(f"REVOKE ALL ON FUNCTION {name}() FROM PUBLIC")
        run(f"GRANT EXECUTE ON FUNCTION {name}() TO {roles}")
    for statement in (*signing_in(), *conclusions(), *councils(), *members(), *signatories(), *papers()):
        run(statement)


class Migration(migrations.Migration):
    """Access to councils, print forms and signatures, below the pages."""

    dependencies = [("konsilium", "0010_conclusions")]

    operations = [migrations.RunPython(create_access, migrations.RunPython.noop, elidable=False)]
