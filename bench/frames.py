"""`python -m bench.frames`: frames served to a signed-in reader against plain reads of the same file, in one run.

A series of 300 frames of 256 kB, as HTJ2K makes of 512×512 pixels. Read one after the other over one kept connection,
as a viewer's one loader does; the plain reads open the file, seek and read each frame, as the server has to.
"""

import argparse
import hashlib
import json
import os
import statistics
import time
from contextlib import suppress
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "konsilium.settings")
os.environ["KONSILIUM_SECRET_KEY"] = "bench-only-" + "x" * 40

import django

django.setup()

import httpx
import psycopg

from bench import ground

SIZE = 256 * 1024
HTJ2K = "1.2.840.10008.1.2.4.201"
STUDY, SERIES = "1.2.3.1", "1.2.3.2"
DOCUMENT = """
INSERT INTO konsilium_document (id, version, consultation_id, state, kind, file_name, media_type, size, sha256, note,
    verdict, refusal, added_at, author_id, author_name, author_role, facts, photo_view)
VALUES (%(document)s, 1, %(case)s, 'available', 'ct', 'study.zip', 'application/zip', 1, %(pack)s, '', '', '', now(),
    %(document)s, 'bench', 'requester', '{}', '')
"""
STUDY_ROW = """
INSERT INTO konsilium_study (id, consultation_id, study_uid, description, institution, patient_name, patient_sex,
    patient_identifier, created_at) VALUES (%(study)s, %(case)s, %(study_uid)s, '', '', '', '', '', now())
"""
SERIES_ROW = """
INSERT INTO konsilium_series (id, consultation_id, study_id, series_uid, modality, description, body_part, rows, columns,
    count, is_volume, why_not_volume, facts, is_included, burned_in, state, progress, metadata_sha256, pack_sha256,
    pack_syntax, previews, layout)
VALUES (%(series)s, %(case)s, %(study)s, %(series_uid)s, 'CT', '', '', 512, 512, %(count)s, true, '', '{}', true, '',
    'ready', 100, %(metadata)s, %(pack)s, %(syntax)s, '{}', '{}')
"""
INSTANCES = """
INSERT INTO konsilium_instance (id, consultation_id, series_id, document_id, sop_uid, sop_class, transfer_syntax, position,
    frames, file_sha256, file_offset, file_length, ranges)
SELECT md5('i' || n)::uuid, %(case)s, %(series)s, %(document)s, '1.2.3.4.' || n, '1.2', '1.2.840.10008.1.2.1', n, 1,
    %(pack)s, 0, 1, jsonb_build_array(jsonb_build_array(n * %(size)s, %(size)s))
FROM generate_series(0, %(count)s - 1) n
"""


def main():
    """Serve a series, read it both ways, print the figures and whether what is wanted holds."""
    parser = argparse.ArgumentParser(prog="bench.frames")
    parser.add_argument("--count", type=int, default=300, help="how many frames")
    parser.add_argument("--requests", type=int, default=1000, help="how many requests stand in the database")
    options = parser.parse_args()
    with ground.cluster() as folder:
        database = ground.fill(folder, options.requests)
        case, path, metadata = put(folder, database, options.count)
        plain = [timed(lambda number=number: read(path, number)) for number in range(options.count)]
        with ground.pages(folder, database) as (address, process):
            report(options.count, plain, *served(address, process, case, options.count), metadata)


def put(folder, database, count):
    """Write the pack, the metadata and the rows. Returns the request's key, the pack's path, the metadata's size."""
    pack = os.urandom(SIZE) * count
    metadata = json.dumps(
        [{"00080018": {"vr": "UI", "Value": [f"1.2.3.4.{n}"]}, "x": "y" * 2500} for n in range(count)]
    )
    path = keep(folder, pack)
    values = {
        "case": ground.md5("c1"),
        "document": ground.md5("document"),
        "study": ground.md5("study"),
        "series": ground.md5("series"),
        "study_uid": STUDY,
        "series_uid": SERIES,
        "count": count,
        "size": SIZE,
        "syntax": HTJ2K,
        "pack": path.name,
        "metadata": keep(folder, metadata.encode()).name,
    }
    with psycopg.connect(
        f"host={folder / 's'} user=konsilium_owner dbname={database}", autocommit=True
    ) as owner:
        values["case"] = owner.execute(
            "SELECT id FROM konsilium_consultation WHERE centre_id = %s LIMIT 1", [ground.md5("o1")]
        ).fetchone()[0]
        for statement in (DOCUMENT, STUDY_ROW, SERIES_ROW, INSTANCES):
            owner.execute(statement, values)
        owner.execute("ANALYZE")
    return values["case"], path, len(metadata)


def keep(folder, content):
    """Put bytes where the server's store looks for them."""
    name = hashlib.sha256(content).hexdigest()
    path = folder / "data" / "files" / "content" / name[:2] / name[2:4] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def read(path, number):
    """Read one frame as plainly as can be."""
    with path.open("rb", buffering=0) as file:
        file.seek(number * SIZE)
        return len(file.read(SIZE))


def timed(do):
    """Return the milliseconds that one call takes."""
    begun = time.perf_counter()
    do()
    return (time.perf_counter() - begun) * 1000


def cpu(session):
    """Return the CPU seconds of all processes of a session: the server's and its workers'."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rsplit(")", 1)[1].split()
            total += sum(map(int, fields[11:13])) if int(fields[3]) == session else 0
    return total / os.sysconf("SC_CLK_TCK")


def served(address, process, case, count):
    """Return the milliseconds of each frame, of pages that do nothing, of the metadata, and CPU a frame."""
    root = f"/dicomweb/{case}/studies/{STUDY}/series/{SERIES}"
    accepts = {"Accept": "multipart/related; type=application/octet-stream; transfer-syntax=*"}
    with httpx.Client(base_url=address, cookies={"konsilium": "key-dispatcher"}, headers=accepts) as client:

        def frame(number):
            answer = client.get(f"{root}/instances/1.2.3.4.{number}/frames/1")
            if answer.status_code != httpx.codes.OK or len(answer.content) < SIZE:
                raise SystemExit(f"a frame answers {answer.status_code}: {answer.text[:200]}")

        for number in range(min(count, 20)):
            frame(number)
        before = cpu(process.pid)
        frames = [timed(lambda number=number: frame(number)) for number in range(count)]
        spent = (cpu(process.pid) - before) / count * 1000
        empty = [timed(lambda: client.get("/healthz")) for _ in range(count)]
        accept = {"Accept": "application/dicom+json"}
        metadata = [timed(lambda: client.get(f"{root}/metadata", headers=accept)) for _ in range(10)]
    return frames, empty, metadata, spent


def report(count, plain, frames, empty, metadata, spent, weight):
    """Print medians, rates and ratios of this run."""
    said = {"plain read": plain, "frame served": frames, "page that does nothing": empty}
    for name, times in said.items():
        rate = f"{SIZE / statistics.mean(times) / 1000:8.0f} MB/s" if times is not empty else ""
        print(f"{name:24}{statistics.median(times):8.2f} ms{rate}")
    print(
        f"{'metadata of the series':24}{statistics.median(metadata):8.2f} ms  ({weight / 1e6:.2f} MB, compressed on the way)"
    )
    ratio = statistics.median(frames) / statistics.median(empty)
    print(f"{spent:.2f} ms of the server's CPU a frame")
    print(
        f"{'holds ' if ratio <= 8 else 'MISSED'}  a frame costs {ratio:.1f} × a page that does nothing, 8 allowed"
    )


if __name__ == "__main__":
    main()
