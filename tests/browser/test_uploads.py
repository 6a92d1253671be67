"""A real browser sends files over lines that break, are silent, and to servers that are killed."""

import hashlib
import io
import os
import random
import re
import time
import zipfile

import pytest
from django.conf import settings
from playwright.sync_api import TimeoutError as TooLate

from konsilium.actions import documents
from konsilium.models import Document, Upload
from konsilium.models.access import acting
from tests.breaking import BreakingLine
from tests.browser.test_story import fits, sign_in
from tests.live.conftest import Server
from tests.requests import draft

pytestmark = pytest.mark.django_db(transaction=True)
MIB = 1024**2


def scan(path, size, seed=1):
    """Bytes that begin like DICOM, the same for the same seed. Returns their hash."""
    source, told = random.Random(seed), hashlib.sha256()
    with path.open("wb") as file:
        left = size
        head = bytes(128) + b"DICM"
        while left:
            piece = (head + source.randbytes(min(left, 4 * MIB)))[: min(left, 4 * MIB)]
            head = b""
            told.update(piece)
            file.write(piece)
            left -= len(piece)
    return told.hexdigest()


@pytest.fixture
def server(django_db_setup):
    one = Server(workers=2).start()
    yield one
    one.end()


@pytest.fixture
def browse(chromium):
    """Open a browser at an address; closed with the test."""
    opened, troubles = [], []

    def at(address, size=(1280, 900)):
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]}, locale="ru-RU", base_url=address
        )
        context.set_default_timeout(20_000)
        opened.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on(
            "console",
            lambda message: troubles.append(message.text) if "Content Security" in message.text else None,
        )
        return page

    yield at
    for context in opened:
        context.close()
    assert troubles == []


def form_of(page, row):
    sign_in(page, "omsk_doctor")
    page.goto(f"/requests/{row.pk}/form/")
    return page


def send(page, path, kind="cbct", field="#document-files"):
    page.get_by_label("Вид документа").select_option(kind)
    page.locator(field).set_input_files(path)
    page.get_by_role("button", name="Добавить").click()


def arrived(page, name, seconds=60):
    try:
        page.locator("[data-documents] .files").get_by_text(name).wait_for(timeout=seconds * 1000)
    except TooLate as late:
        raise AssertionError(page.locator("[data-uploads]").inner_text()) from late


def received(cast, row):
    with acting(cast.omsk_doctor):
        return list(Document.objects.filter(consultation=row))


def content(document):
    return b"".join(documents.store().open_range(document.sha256))


def resting(cast):
    with acting(cast.omsk_doctor):
        return list(Upload.objects.on_the_way())


def wait_until(holds, seconds=40):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


def settled(line):
    """How much was sent, once what stood in buffers has run out and nothing follows for a second."""
    last, since = -1, time.monotonic()
    while time.monotonic() - since < 1:
        if line.sent != last:
            last, since = line.sent, time.monotonic()
        time.sleep(0.1)
    return last


def over_a_line_that_resets(browse, cast, server, path, *, size, every, extra, seconds):
    """Send a file; hold the bytes on the line to so many more than the file has."""
    row, told = draft(cast), scan(path, size)
    line = BreakingLine(server.port)
    page = form_of(browse(line.address), row)
    before, line.reset_every = line.sent, every
    send(page, path)
    arrived(page, path.name, seconds)
    sent, resets = line.sent - before, line.resets
    line.close()
    (document,) = received(cast, row)
    assert (document.sha256, document.size) == (told, size)
    assert resets >= size // every - 1
    assert sent <= size + extra, f"{sent:,} bytes for {size:,}, {resets} resets"
    return sent, resets


def test_a_file_arrives_over_a_line_that_resets_again_and_again(browse, cast, server, tmp_path):
    # Each reset loses what stood in buffers; a body sent again as a whole would cost as much as the file.
    over_a_line_that_resets(
        browse, cast, server, tmp_path / "scan.dcm", size=24 * MIB, every=4 * MIB, extra=4 * MIB, seconds=40
    )


@pytest.mark.prove
def test_a_gigabyte_arrives_over_a_line_that_resets_every_90_megabytes(browse, cast, server, tmp_path):
    sent, resets = over_a_line_that_resets(
        browse,
        cast,
        server,
        tmp_path / "scan.dcm",
        size=1024 * MIB,
        every=90_000_000,
        extra=1024 * MIB // 50,
        seconds=600,
    )
    print(f"{sent:,} bytes, {resets} resets")


def test_a_silent_line_is_given_up_and_another_one_goes_on(browse, cast, server, tmp_path):
    row, path = draft(cast), tmp_path / "scan.dcm"
    told = scan(path, 12 * MIB)
    line = BreakingLine(server.port)
    page = form_of(browse(line.address), row)
    line.silent_after = line.sent + 4 * MIB
    send(page, path)
    arrived(page, path.name, 90)
    assert line.silences == 1
    line.close()
    assert [document.sha256 for document in received(cast, row)] == [told]


def test_after_the_tab_was_closed_the_same_file_goes_on_from_another_browser(browse, cast, server, tmp_path):
    row, path = draft(cast), tmp_path / "scan.dcm"
    told = scan(path, 12 * MIB)
    line = BreakingLine(server.port, delay=0.0)
    first = form_of(browse(line.address), row)
    line.delay = 0.05
    send(first, path)
    wait_until(lambda: line.sent > 5 * MIB)
    first.close(run_before_unload=False)
    line.cut()
    wait_until(lambda: resting(cast) and resting(cast)[0].offset > MIB)
    line.delay = 0.0
    other = form_of(browse(line.address), row)
    other.get_by_text("Выберите тот же файл ещё раз").wait_for()
    (rested,) = resting(cast)
    before = line.sent
    # The kind that was chosen first holds.
    send(other, path, kind="extract")
    arrived(other, path.name)
    assert line.sent - before <= 12 * MIB - rested.offset + MIB
    line.close()
    (document,) = received(cast, row)
    assert (document.sha256, document.kind) == (told, "cbct")
    assert other.get_by_text("Выберите тот же файл ещё раз").count() == 0


def test_a_server_that_is_killed_and_started_again_loses_nothing(browse, cast, server, tmp_path):
    row, path = draft(cast), tmp_path / "scan.dcm"
    told = scan(path, 40 * MIB)
    line = BreakingLine(server.port)
    page = form_of(browse(line.address), row)
    line.delay = 0.01
    send(page, path)
    wait_until(lambda: line.sent > 25 * MIB, 60)
    server.end()
    server.start()
    arrived(page, path.name, 90)
    line.close()
    assert [document.sha256 for document in received(cast, row)] == [told]


def test_a_folder_of_dicom_files_travels_as_one_zip_and_is_the_same_again(browse, cast, server, tmp_path):
    folder = tmp_path / "КТ Зайцева"
    (folder / "серия 1").mkdir(parents=True)
    for number in range(1, 8):
        scan(folder / "серия 1" / f"{number}", 200_000, seed=number)
    (folder / "viewer.exe").write_bytes(b"MZ" + os.urandom(2000))
    row, page = draft(cast), browse(server.address)
    form_of(page, row)
    send(page, folder, field="#document-folder")
    page.locator("[data-left-out]").get_by_text("viewer.exe").wait_for()
    arrived(page, "КТ Зайцева.zip")
    (document,) = received(cast, row)
    packed = zipfile.ZipFile(io.BytesIO(content(document)))
    assert packed.testzip() is None
    assert packed.namelist() == [f"серия 1/{number}" for number in range(1, 8)]
    assert packed.read("серия 1/3") == (folder / "серия 1" / "3").read_bytes()
    # Under another name, in another browser: the same bytes, so nothing is sent.
    renamed = folder.rename(tmp_path / "CD")
    again = form_of(browse(server.address), row)
    send(again, renamed, field="#document-folder")
    again.get_by_text("Этот файл уже здесь").wait_for()
    assert len(received(cast, row)) == 1


def test_a_file_is_paused_goes_on_and_is_cancelled(browse, cast, server, tmp_path):
    row, path = draft(cast), tmp_path / "scan.dcm"
    scan(path, 20 * MIB)
    line = BreakingLine(server.port)
    page = form_of(browse(line.address), row)
    line.delay = 0.05
    send(page, path)
    wait_until(lambda: resting(cast) and line.sent > 3 * MIB)
    page.get_by_role("button", name="Приостановить scan.dcm").click()
    page.get_by_text("Приостановлен").wait_for()
    fits(page)
    held = settled(line)
    assert held < 15 * MIB
    page.get_by_role("button", name="Продолжить scan.dcm").click()
    wait_until(lambda: line.sent > held + MIB)
    page.get_by_role("button", name=re.compile("^Отменить")).click()
    wait_until(lambda: not resting(cast) and not list((settings.FILES / "uploads").glob("*.part")))
    line.close()
    assert received(cast, row) == []


def test_a_ceiling_holds_for_all_files_together(browse, cast, server, tmp_path):
    row, page = draft(cast), browse(server.address, size=(390, 844))
    paths = [tmp_path / f"{number}.pdf" for number in (1, 2)]
    for path in paths:
        path.write_bytes(b"%PDF-1.4\n" + os.urandom(MIB) + b"\n%%EOF\n")
    form_of(page, row)
    page.get_by_text("Когда и с какой скоростью отправлять").click()
    page.get_by_label("Не быстрее, мегабит в секунду").fill("4")
    fits(page)
    begun = time.monotonic()
    send(page, paths, kind="extract")
    arrived(page, "1.pdf")
    arrived(page, "2.pdf")
    # 2 MiB at half a megabyte a second; the first pieces go at once.
    assert 1.5 < time.monotonic() - begun < 20
    assert len(received(cast, row)) == 2


def test_a_refusal_is_said_beside_its_file_and_the_others_go_on(browse, cast, server, tmp_path):
    row, page = draft(cast), browse(server.address)
    program, paper = tmp_path / "setup.exe", tmp_path / "paper.pdf"
    program.write_bytes(b"MZ" + os.urandom(5000))
    paper.write_bytes(b"%PDF-1.4\n%%EOF\n")
    form_of(page, row)
    send(page, [program, paper], kind="extract")
    arrived(page, "paper.pdf")
    item = page.locator("[data-sending] li").filter(has_text="setup.exe")
    item.locator("[data-tone=bad]").get_by_text("Программы и сценарии не принимаются").wait_for()
    assert [document.file_name for document in received(cast, row)] == ["paper.pdf"]
