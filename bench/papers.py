"""`python -m bench.papers`: a placed conclusion's page beside an empty page, and its PDF beside an empty sheet's, in one run.

The PDF is made as the worker makes it, in a child of its own: what is counted is all of the child's CPU, its start
included. The page is asked for by the doctor who reads it.
"""

import os
import statistics

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "konsilium.settings")
os.environ["KONSILIUM_SECRET_KEY"] = "bench-only-" + "x" * 40

import django

django.setup()

import psycopg
import segno

from bench import ground
from bench.__main__ import page, say
from konsilium.actions.printing import page_of
from konsilium.adapters.typesetting import typeset
from konsilium.models import PrintForm

MADE = "2026-11-23T10:00:00+00:00"
QR = {"qr.svg": segno.make("https://consult.example.org/papers/0/#0", error="m").svg_inline().encode()}
WORDS = "Перелом нижней челюсти со смещением отломков; показано оперативное лечение. " * 12
ROUNDS = 5
CONCLUSION = """
INSERT INTO konsilium_conclusion (id, version, consultation_id, edition, author_id, author_name, author_position,
    author_specialty, author_organization, kind, mode, goal, diagnosis_code, diagnosis_text, diagnosis_certainty, text,
    sections, visit_needed, admission_needed, repeat_needed, correction, created_at, updated_at, placed_at)
VALUES (%(pk)s, 1, %(case)s, 1, %(author)s, 'Консультант', 'Врач', '', 'Центр', 'consultation', 'deferred', 'tactics',
    'S02.6', 'Перелом', 'clinical', %(words)s, '{"s1": "Линия перелома"}', true, false, false, '', now(), now(), now())
"""
ITEMS = """
INSERT INTO konsilium_recommendation (id, conclusion_id, number, text, urgency)
SELECT md5('item' || n)::uuid, %(pk)s, n, 'Контрольный снимок через ' || n || ' недель', 'planned' FROM generate_series(1, 8) n
"""
CASE = """
UPDATE konsilium_consultation SET state = 'completed' WHERE id = (
    SELECT id FROM konsilium_consultation WHERE requester_id = %s ORDER BY number LIMIT 1) RETURNING id
"""


def main():
    """Measure both, print the figures and whether what is wanted holds."""
    with ground.cluster() as folder:
        database = ground.fill(folder, 1000)
        pk = put(folder, database)
        with ground.pages(folder, database) as (address, process):
            empty = page(address, process, "/healthz", None)
            shown = page(address, process, f"/conclusions/{pk}/", "doctor")
    sheet = typed("<html lang=ru><title>.</title><p>.", {})
    whole = typed(page_of(form(), words()), QR)
    print(
        f"\na conclusion's page: {shown[0]:.1f} ms, {shown[2]:.1f} ms of CPU, {shown[3] / 1000:.1f} kB on the wire"
    )
    print(f"a conclusion's PDF: {whole:.2f} s of CPU; an empty sheet's {sheet:.2f} s")
    say(f"the page costs {shown[1] / empty[1]:.1f} × an empty one", shown[3] <= 30_000)
    say(f"the PDF costs {whole / sheet:.2f} × an empty sheet's, within a second of CPU", whole <= 1)


def put(folder, database):
    """Place a conclusion in one of the doctor's requests. Returns its key."""
    values = {"pk": ground.md5("conclusion"), "author": ground.md5(f"p{ground.HOUSES + 1}"), "words": WORDS}
    with psycopg.connect(
        f"host={folder / 's'} user=konsilium_owner dbname={database}", autocommit=True
    ) as owner:
        values["case"] = owner.execute(CASE, [ground.md5("p21")]).fetchone()[0]
        owner.execute(CONCLUSION, values)
        owner.execute(ITEMS, values)
    return values["pk"]


def typed(text, pictures):
    """Return the median CPU seconds of typesetting."""
    return statistics.median(
        typeset(text, pictures=pictures, metadata="{}", made=MADE).cpu_seconds for _ in range(ROUNDS)
    )


def form():
    """Return a form as the worker has it."""
    return PrintForm(kind="conclusion", edition=1, content_sha256="0" * 64)


def words():
    """Return what stands in a long conclusion."""
    return {
        "number": "2026-000001",
        "edition": 1,
        "organization": "Центр",
        "requesting": "Больница",
        "patient": "Пациент",
        "text": WORDS,
        "answers": [[number, "Показана ли операция?", WORDS] for number in range(1, 4)],
        "items": [[f"Контрольный снимок через {number} недель", "Плановая"] for number in range(1, 9)],
        "sections": [["Описание изображений", WORDS]],
        "studied": [f"Документ {number}.pdf" for number in range(12)],
        "author": "Консультант",
        "date": "23.11.2026",
    }


if __name__ == "__main__":
    main()
