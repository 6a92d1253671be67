"""A throw-away database with many requests, and the pages served over it."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import psycopg

from konsilium.adapters.postgres import Cluster, find_binaries

HOUSES = 2000
CENTRES = 20

ORGANIZATIONS = """
INSERT INTO konsilium_organization (id, version, state, full_name, short_name, oid, inn, ogrn, region, time_zone, level,
    is_consulting, is_coordinating, created_at)
SELECT md5('o' || n)::uuid, 1, 'active', 'Больница ' || n, 'Больница ' || n, '1.2.643.5.1.13.13.12.2.77.' || n, '', '',
    '77', (ARRAY['Europe/Moscow','Asia/Omsk','Asia/Chita'])[1 + n %% 3], 3, n <= %(centres)s, false, now()
FROM generate_series(1, %(houses)s) n
"""
PEOPLE = """
INSERT INTO konsilium_person (id, login, family, given, patronymic, email, phone, snils, language, is_active, has_entered)
SELECT md5('p' || n)::uuid, 'person' || n, 'Фамилия' || n, 'Имя', '', '', '', '', 'ru', true, true
FROM generate_series(1, %(houses)s + 1) n
"""
MEMBERSHIPS = """
INSERT INTO konsilium_membership (id, person_id, organization_id, role, department, position, specialty, is_active, created_at)
SELECT md5('m' || n)::uuid, md5('p' || n)::uuid, md5('o' || n)::uuid,
    CASE WHEN n = 1 THEN 'dispatcher' ELSE 'requester' END, '', '', '', true, now()
FROM generate_series(1, %(houses)s) n
UNION ALL SELECT md5('consultant')::uuid, md5('p' || %(houses)s + 1)::uuid, md5('o1')::uuid, 'consultant', '', '', '', true, now()
"""
PROFILE = """
INSERT INTO konsilium_profile (id, code, name, name_en, documents, welcome, fields, sections, is_active)
VALUES (md5('profile')::uuid, 'mfs', 'Челюстно-лицевая хирургия', '', '[]', '[]', '[]', '[]', true)
"""
# Half of everything goes to the measured centre and its doctor, so that its lists are long at every size.
REQUESTS = """
INSERT INTO konsilium_consultation (id, version, number, state, turn, created_at, updated_at, urgency, kind, mode, occurrence,
    goal, profile_id, place_of_care, severity, incomplete_reason, named_centre_id, requesting_organization_id, requester_id,
    requesting_name, requesting_time_zone, requesting_level, requester_name, requester_snils, requester_department,
    requester_position, requester_specialty, requester_phone, requester_email, centre_id, centre_name, centre_time_zone,
    consultant_id, consultant_name, patient_unknown, patient_unknown_reason, patient_family, patient_given,
    patient_patronymic, patient_sex, patient_birth_date, patient_snils, patient_enp, patient_document, representative,
    diagnosis_code, diagnosis_text, diagnosis_certainty, complaints, anamnesis, objective_state, treatment, consent_kind,
    consent_by, submitted_at, due_at, base_due_at, asked_from, outcome, outcome_text, end_reason, end_text, stirred_at,
    has_session)
SELECT md5('c' || g.n)::uuid, 2, '2026-' || lpad(g.n::text, 7, '0'), s.state, s.turn, t.at, t.at,
    (ARRAY['planned','planned','urgent','emergency'])[1 + g.n %% 4], 'consultation', 'deferred', 'first', 'tactics',
    md5('profile')::uuid, '', '', '', c.id, o.id, md5('p' || o.n)::uuid, 'Больница ' || o.n, 'Asia/Omsk', 3, 'Врач', '', '', '', '',
    '', '', c.id, 'Центр', 'Europe/Moscow', CASE WHEN s.state = 'submitted' THEN NULL ELSE md5('p' || %(houses)s + 1)::uuid END,
    CASE WHEN s.state = 'submitted' THEN '' ELSE 'Консультант' END, false, '', 'Пациент' || g.n, 'Имя', 'Отчество', 'male',
    '1980-01-01', '', '', '', '', 'K07.1', 'Диагноз', 'clinical', 'Жалобы', 'Анамнез', '', '', 'written', '', t.at,
    t.at + interval '24 hours', t.at + interval '24 hours', '', '', '', '', '', t.at, false
FROM generate_series(1, %(requests)s) AS g(n)
CROSS JOIN LATERAL (SELECT now() - (g.n %% 500000) * interval '1 minute' AS at) t
CROSS JOIN LATERAL (SELECT CASE WHEN g.n %% 10 = 0 THEN 21 ELSE 21 + g.n %% (%(houses)s - 21) END AS n) h
CROSS JOIN LATERAL (SELECT md5('o' || h.n)::uuid AS id, h.n) o
CROSS JOIN LATERAL (SELECT md5('o' || CASE WHEN g.n %% 2 = 0 THEN 1 ELSE 1 + g.n %% %(centres)s END)::uuid AS id) c
CROSS JOIN LATERAL (SELECT (ARRAY['submitted','assigned','conclusion','completed','closed'])[1 + (g.n / 2) %% 5] AS state,
    (ARRAY['dispatcher','consultant','consultant','requester','nobody'])[1 + (g.n / 2) %% 5] AS turn) s
"""
# What people have opened grows with the years as well.
MARKS = """
INSERT INTO konsilium_readmark (consultation_id, person_id, read_at)
SELECT md5('c' || g.n)::uuid, md5(w.who)::uuid, now() - interval '1 day'
FROM generate_series(1, %(requests)s) AS g(n)
CROSS JOIN LATERAL (VALUES ('p1', g.n %% 4 = 0), ('p' || %(houses)s + 1, g.n %% 6 = 0), ('p21', g.n %% 20 = 0)) AS w(who, has)
WHERE w.has
"""
NOTICES = """
INSERT INTO konsilium_notice (id, event_id, person_id, kind, number, path, needs_action, at, read_at, mail_to, mail_tries,
    mail_trouble)
SELECT md5('n' || g.n || w.who)::uuid, md5('e' || g.n)::uuid, md5(w.who)::uuid, 'submit', '', '', false, now(),
    CASE WHEN g.n < 500 THEN NULL ELSE now() END, '', 0, ''
FROM generate_series(10, %(requests)s, 10) AS g(n) CROSS JOIN (VALUES ('p1'), ('p' || %(houses)s + 1), ('p21')) AS w(who)
"""
SESSION = """
INSERT INTO konsilium_websession (session_key, session_data, expire_date, person_id, membership_id, started_at, seen_at,
    network, device) VALUES (%s, %s, now() + interval '1 day', %s, %s, now(), now(), '', 'bench')
"""
WHO = {
    "dispatcher": ("p1", "m1"),
    "doctor": ("p21", "m21"),
    "consultant": (f"p{HOUSES + 1}", "consultant"),
}


@contextmanager
def cluster():
    """Run a throw-away PostgreSQL around the body; yields its socket's folder."""
    with tempfile.TemporaryDirectory(prefix="konsilium-bench-") as folder:
        server = Cluster(find_binaries(), Path(folder) / "pg", Path(folder) / "s", for_tests=True)
        server.start()
        try:
            yield Path(folder)
        finally:
            server.stop()


def fill(folder, requests):
    """Make and fill a database of its own; returns its name."""
    name = f"bench_{requests}"
    with psycopg.connect(f"host={folder / 's'} user=postgres dbname=postgres", autocommit=True) as root:
        root.execute(f"CREATE DATABASE {name} OWNER konsilium_owner")
    subprocess.run([sys.executable, "-m", "konsilium", "migrate"], env=environment(folder, name), check=True)
    with psycopg.connect(f"host={folder / 's'} user=konsilium_owner dbname={name}", autocommit=True) as owner:
        fill_tables(owner, requests)
        for role, (person, membership) in WHO.items():
            owner.execute(SESSION, [stored_key(f"key-{role}"), session_data(), md5(person), md5(membership)])
    return name


def fill_tables(owner, requests, houses=HOUSES):
    """Make the organisations, people and requests, and what people have opened and were told, as the owner."""
    values = {"houses": houses, "centres": CENTRES, "requests": requests}
    for statement in (ORGANIZATIONS, PEOPLE, MEMBERSHIPS, PROFILE, REQUESTS, MARKS, NOTICES):
        owner.execute(statement, values)
    owner.execute("ANALYZE")


def md5(text):
    """Return the key that PostgreSQL's md5(text)::uuid makes."""
    import hashlib
    from uuid import UUID

    return UUID(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest())


def session_data():
    """Return an empty web session's data, signed as the server will look for it."""
    from django.core import signing

    return signing.dumps({}, salt="django.contrib.sessions.SessionStore", compress=True)


def stored_key(key):
    """Return what the database keeps of a session's key."""
    from konsilium.models import stored_key as kept

    return kept(key)


def environment(folder, database, port=0):
    """Return the environment of a server over this database."""
    socket_folder = str(folder / "s").replace("/", "%2F")
    return os.environ | {
        "KONSILIUM_DATA": str(folder / "data"),
        "KONSILIUM_DATABASE_URL": f"postgresql://konsilium_app@{socket_folder}/{database}",
        "KONSILIUM_OWNER_DATABASE_URL": f"postgresql://konsilium_owner@{socket_folder}/{database}",
        "KONSILIUM_PORT": str(port or 8000),
        "KONSILIUM_SECRET_KEY": "bench-only-" + "x" * 40,
        "KONSILIUM_WORKERS": "1",
        "KONSILIUM_THREADS": "1",
    }


@contextmanager
def pages(folder, database):
    """Serve the pages over the database; yields address and process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "konsilium", "pages"],
        env=environment(folder, database, port),
        start_new_session=True,
    )
    try:
        _wait(port)
        yield f"http://127.0.0.1:{port}", process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def _wait(port):
    for _ in range(300):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the pages don't answer")
