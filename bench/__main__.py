"""`make bench`: work-lists and the request page at growing sizes; figures are medians and best tenths, ratios within one run."""

import argparse
import os
import re
import statistics
import time
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "konsilium.settings")
os.environ["KONSILIUM_SECRET_KEY"] = "bench-only-" + "x" * 40

import django

django.setup()

import httpx
import psycopg

from bench import ground

ROUNDS, WARM_UP = 120, 20
TICK = os.sysconf("SC_CLK_TCK")
BARE = (
    "SELECT id, due_at, number, state, urgency, patient_family, requesting_name FROM konsilium_consultation "
    "WHERE centre_id = %s AND state = 'submitted' ORDER BY due_at, id LIMIT 50"
)


def main():
    """Fill, serve and measure each size, then print the table and the ratios."""
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--quick", action="store_true", help="1,000 and 20,000 requests only")
    parser.add_argument("--sizes", type=int, nargs="+", help="how many requests, smallest first")
    options = parser.parse_args()
    sizes = options.sizes or ((1_000, 20_000) if options.quick else (1_000, 100_000, 1_000_000))
    figures = {}
    with ground.cluster() as folder:
        for size in sizes:
            print(f"filling {size:,} requests …", flush=True)
            database = ground.fill(folder, size)
            figures[size] = measure(folder, database)
    report(figures)


def measure(folder, database):
    """Return the figures of one size: name -> (median and best milliseconds, CPU milliseconds, bytes)."""
    figures = {"bare query": (*bare(folder, database), 0.0, 0)}
    with ground.pages(folder, database) as (address, process):
        figures["empty page"] = page(address, process, "/healthz", None)
        figures["dispatcher's list"] = page(address, process, "/triage/", "dispatcher")
        figures["doctor's list"] = page(address, process, "/requests/?tab=open", "doctor")
        figures["consultant's list"] = page(address, process, "/consulting/", "consultant")
        with httpx.Client(base_url=address, cookies={"konsilium": "key-dispatcher"}) as client:
            text = client.get("/triage/").text
            one = re.search(r'href="(/requests/[0-9a-f-]{36}/)"', text)[1]
            first = weigh(client, text)
        figures["request page"] = page(address, process, one, "dispatcher")
    figures["first visit"] = (0.0, 0.0, 0.0, first)
    return figures


def bare(folder, database):
    """Time the same rows asked of the database alone."""
    with psycopg.connect(f"host={folder / 's'} user=postgres dbname={database}") as connection:
        return timed(lambda: connection.execute(BARE, [ground.md5("o1")], prepare=True).fetchall())


def page(address, process, path, who):
    """Time a page with one client, with the CPU that the server's processes spent and the bytes on the wire."""
    cookies = {"konsilium": f"key-{who}"} if who else {}
    with httpx.Client(base_url=address, cookies=cookies, headers={"Accept-Encoding": "gzip"}) as client:
        answer = client.get(path)
        if answer.status_code != httpx.codes.OK:
            raise SystemExit(f"{path} answers {answer.status_code}")
        for _ in range(WARM_UP):
            client.get(path)
        before = cpu(process.pid)
        middle, best = timed(lambda: client.get(path), warm=0)
        spent = (cpu(process.pid) - before) / ROUNDS * 1000
        return middle, best, spent, answer.num_bytes_downloaded


def timed(do, warm=WARM_UP):
    """Return the median and the best tenth of ROUNDS calls in milliseconds."""
    for _ in range(warm):
        do()
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        do()
        times.append((time.perf_counter() - begun) * 1000)
    return statistics.median(times), statistics.quantiles(times, n=10)[0]


def cpu(session):
    """Return the CPU seconds of all processes of a session: the server's and its workers'."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[3]) == session:
            total += int(fields[11]) + int(fields[12])
    return total / TICK


def weigh(client, text):
    """Return the bytes on the wire of a first visit: the page and the files it names, compressed."""
    total = client.get("/triage/").num_bytes_downloaded
    for path in set(re.findall(r'(?:href|src)="(/static/[^"]+)"', text)):
        total += client.get(path, headers={"Accept-Encoding": "gzip"}).num_bytes_downloaded
    return total


def report(figures):
    """Print each figure, and whether what is wanted holds."""
    sizes = sorted(figures)
    print(f"\n{'':22}" + "".join(f"{size:>36,}" for size in sizes))
    for name in figures[sizes[0]]:
        cells = (figures[size][name] for size in sizes)
        print(
            f"{name:22}"
            + "".join(
                f"{ms:9.2f} ms {best:7.2f} ms {spent:5.1f} cpu {count:6}" for ms, best, spent, count in cells
            )
        )
    small, large = figures[sizes[0]], figures[sizes[-1]]
    for name in ("dispatcher's list", "doctor's list", "consultant's list", "request page"):
        # The best tenth: what else the machine does hits medians, and hits the sizes unequally.
        ratio = large[name][1] / small[name][1]
        floor = large[name][1] / large["bare query"][1]
        say(f"{name}: largest costs {ratio:.2f} × the smallest, {floor:.1f} × the bare query", ratio <= 1.2)
    for name in ("dispatcher's list", "doctor's list", "consultant's list"):
        say(f"{name}: {large[name][2]:.1f} ms of the server's CPU a page of 50", large[name][2] <= 5)
    weight = large["first visit"][3]
    say(f"first visit to a work-list: {weight / 1000:.1f} kB on the wire", weight <= 60_000)


def say(text, holds):
    """Print a figure beside whether it holds."""
    print(f"{'holds ' if holds else 'MISSED'}  {text}")


main()
