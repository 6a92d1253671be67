"""Photographs, papers and surfaces in a real browser: turned, enlarged, gone through; boxes drawn around names."""

import io
import shutil
import struct
from datetime import timedelta

import pytest
from django.utils import timezone
from PIL import Image, ImageDraw
from reportlab.pdfgen.canvas import Canvas

from konsilium.adapters.kinds import JPEG, PDF, STL
from konsilium.models import Reading, Series
from konsilium.models.access import acting, as_inspector
from tests import pictures
from tests.browser.conftest import SIZES
from tests.browser.test_story import fits, sign_in
from tests.requests import draft, sent

pytestmark = pytest.mark.django_db(transaction=True)
WITH_WEBGL = [
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
]


def jpeg(words, size=(900, 1200)):
    """A photograph with something to see on it."""
    picture = Image.new("RGB", size, (196, 170, 150))
    drawing = ImageDraw.Draw(picture)
    drawing.ellipse((size[0] // 4, size[1] // 4, size[0] * 3 // 4, size[1] * 3 // 4), fill=(224, 190, 165))
    drawing.text((40, 40), words, fill=(20, 20, 20))
    kept = io.BytesIO()
    picture.save(kept, "JPEG")
    return kept.getvalue()


def paper(pages=3):
    """A PDF whose font isn't in it, so that the reader needs its own."""
    kept = io.BytesIO()
    canvas = Canvas(kept)
    for number in range(1, pages + 1):
        canvas.setFont("Helvetica", 40)
        canvas.drawString(100, 700, f"Page {number}")
        canvas.rect(100, 300, 200, 200, fill=1)
        canvas.showPage()
    canvas.save()
    return kept.getvalue()


def packed_scan():
    """A PDF of one scanned page in JPEG 2000, which a browser can't decode by itself."""
    kept = io.BytesIO()
    Image.new("L", (600, 800), 20).save(kept, "JPEG2000")
    stream = kept.getvalue()
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Resources<</XObject<</S 5 0 R>>>>/Contents 4 0 R>>",
        b"<</Length 26>>stream\nq 600 0 0 800 0 0 cm /S Do Q\nendstream".replace(b"26", b"28"),
        b"<</Type/XObject/Subtype/Image/Width 600/Height 800/Filter/JPXDecode/Length %d>>stream\n"
        % len(stream)
        + stream
        + b"\nendstream",
    ]
    body, places = b"%PDF-1.5\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(body))
        body += b"%d 0 obj" % number + part + b"endobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"xref\n0 6\n0000000000 65535 f \n%strailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (
        table,
        len(body),
    )
    return body + end


def cube():
    """A binary STL of twelve triangles, 20 mm wide."""
    corners = [(x, y, z) for x in (0, 20) for y in (0, 20) for z in (0, 20)]
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    triangles = [triangle for a, b, c, d in faces for triangle in ((a, b, c), (a, c, d))]
    body = b"".join(
        struct.pack("<12fH", 0, 0, 0, *corners[a], *corners[b], *corners[c], 0) for a, b, c in triangles
    )
    return b"cube".ljust(80) + struct.pack("<I", len(triangles)) + body


def added(owner, row, name, media_type, content, **values):
    document = pictures.paper(owner, row, name, media_type=media_type, content=content, **values)
    if media_type == JPEG:
        pictures.copy_of(document, purpose="thumbnail", media_type=JPEG, content=content)
    return document


def width_of(image):
    """How wide a picture is, in its own pixels, once it is there."""
    return image.evaluate("image => image.decode().then(() => image.naturalWidth)")


def test_photographs_are_gone_through_turned_and_enlarged(owner, cast, people):
    row = sent(cast)
    for name, view in (("Анфас.jpg", "face_front"), ("Профиль.jpg", "profile_right"), ("Без вида.jpg", "")):
        added(owner, row, name, JPEG, jpeg(name), kind="face_photo", photo_view=view)
    page = people("cniis_dispatcher")
    sign_in(page, "cniis_dispatcher")
    page.goto(f"/requests/{row.pk}/")
    fits(page)
    page.get_by_role("link", name="Посмотреть Анфас.jpg").click()
    page.get_by_text("1 / 3").wait_for()
    fits(page)
    image = page.locator("[data-photo] img")
    assert width_of(image) == 900
    page.get_by_role("button", name="Повернуть вправо").click()
    assert "rotate(90deg)" in image.get_attribute("style")
    inside = "([image, frame]) => { const a = image.getBoundingClientRect(), b = frame.getBoundingClientRect(); return a.width <= b.width + 1 && a.height <= b.height + 1 }"
    assert page.evaluate(
        f"({inside})([document.querySelector('[data-photo] img'), document.querySelector('[data-photo]')])"
    )
    page.keyboard.press("+")
    assert "scale(1.4" in image.get_attribute("style") or "larger" in page.locator(
        "[data-photo]"
    ).get_attribute("class")
    page.keyboard.press("0")
    page.keyboard.press("ArrowRight")
    page.get_by_text("2 / 3").wait_for()
    box = page.locator("[data-photo]").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.8, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.2, middle, steps=4)
    page.mouse.up()
    page.get_by_text("3 / 3").wait_for()
    assert page.get_by_role("heading", name="Фотопротокол: Лицо").is_visible()
    assert page.get_by_text("2 из 6 видов").is_visible()


def test_a_paper_is_drawn_page_by_page(owner, cast, people):
    row = sent(cast)
    added(owner, row, "Выписка.pdf", PDF, paper())
    page = people("omsk_doctor")
    sign_in(page, "omsk_doctor")
    page.goto(f"/requests/{row.pk}/gallery/")
    page.locator("figure[data-ready]").first.wait_for()
    assert page.locator("[data-paper] figure").count() == 3
    # The black square alone is 200 × 200 of 595 × 842 points.
    assert 0.08 < darkness(page) < 0.1
    fits(page)


def darkness(page):
    """Which part of the first page is dark."""
    return page.locator("figure canvas").first.evaluate(
        "canvas => { const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;"
        " let dark = 0; for (let i = 0; i < data.length; i += 4) dark += data[i] < 60; return dark / (data.length / 4) }"
    )


def test_a_scan_that_needs_a_decoder_of_our_own_is_drawn(owner, cast, people):
    row = sent(cast)
    added(owner, row, "Скан.pdf", PDF, packed_scan())
    page = people("omsk_doctor")
    sign_in(page, "omsk_doctor")
    page.goto(f"/requests/{row.pk}/gallery/")
    page.locator("figure[data-ready]").first.wait_for()
    assert darkness(page) > 0.95


@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_a_surface_is_turned_and_shown_as_a_net(owner, cast, chromium, site, size):
    row = sent(cast)
    added(owner, row, "Скан.stl", STL, cube(), kind="intraoral_scan")
    browser = chromium.browser_type.launch(
        executable_path=shutil.which("chromium"), chromium_sandbox=False, args=WITH_WEBGL
    )
    page = browser.new_context(base_url=site, locale="ru-RU", viewport=SIZES[size]).new_page()
    sign_in(page, "omsk_doctor")
    page.goto(f"/requests/{row.pk}/gallery/")
    page.locator("[data-surface][data-ready]").wait_for(timeout=30000)
    assert page.locator("[data-triangles]").inner_text() == "12"
    lit = (
        "() => { const from = document.querySelector('[data-surface] canvas'); const canvas = document.createElement('canvas');"
        " canvas.width = canvas.height = 100; const draw = canvas.getContext('2d'); draw.drawImage(from, 0, 0, 100, 100);"
        " const data = draw.getImageData(0, 0, 100, 100).data; let lit = 0;"
        " for (let i = 0; i < data.length; i += 4) lit += data[i] > 90; return lit }"
    )
    whole = page.evaluate(lit)
    assert whole > 500
    page.get_by_role("button", name="Сетка").click()
    assert page.evaluate(lit) < whole / 2
    page.get_by_role("button", name="Сверху").click()
    fits(page)
    browser.close()


def test_a_box_is_drawn_around_a_name(owner, cast, people):
    row = draft(cast)
    document = pictures.paper(owner, row, "ОПТГ.dcm")
    kept = pictures.stored(jpeg("ZAITSEVA OLGA", (1200, 600)))
    preview = {"sha256": kept.sha256, "size": kept.size, "media_type": JPEG}
    series = pictures.series(
        pictures.study(row),
        document,
        rows=600,
        columns=1200,
        burned_in="asked",
        previews={"thumbnail": preview, "picture": preview},
        count=1,
    )
    page = people("omsk_doctor")
    sign_in(page, "omsk_doctor")
    page.goto(f"/requests/{row.pk}/form/")
    fits(page)
    page.get_by_role("link", name="Есть имя на снимке?").click()
    image = page.locator("[data-boxes] img")
    assert width_of(image) == 1200
    image.scroll_into_view_if_needed()
    frame = image.bounding_box()
    page.mouse.move(frame["x"] + frame["width"] * 0.1, frame["y"] + frame["height"] * 0.1)
    page.mouse.down()
    page.mouse.move(frame["x"] + frame["width"] * 0.6, frame["y"] + frame["height"] * 0.3, steps=5)
    page.mouse.up()
    assert page.locator(".box").count() == 1
    fits(page)
    page.get_by_role("button", name="Закрасить").click()
    page.get_by_text("Имя закрашивается").wait_for()
    with acting(cast.omsk_doctor):
        left, top, width, height = Reading.objects.get(task="black_out").arguments["boxes"][0]
        assert Series.objects.get(pk=series.pk).burned_in == "yes"
    near = 6 if people.size == "narrow" else 2
    assert [
        abs(a - b) <= near for a, b in zip((left, top, width, height), (120, 60, 600, 120), strict=True)
    ] == [True] * 4


@pytest.mark.chiefly("narrow")
def test_progress_comes_by_itself_and_without_scripts_by_a_link(owner, cast, people, chromium, site):
    row = draft(cast)
    document = pictures.paper(owner, row, "Диск.zip")
    # Taken by an inspector, as it were, whose lease still runs.
    taken = {"next_try_at": timezone.now() + timedelta(hours=1), "progress": 40}
    work = pictures.reading(row, "index", document=document, **taken)
    page = people("omsk_doctor")
    sign_in(page, "omsk_doctor")
    page.goto(f"/requests/{row.pk}/form/")
    page.get_by_text("прочитано: 40 %").wait_for()
    assert page.get_by_role("link", name="Посмотреть снова").is_visible()
    pictures.series(pictures.study(row), document)
    with as_inspector(row.pk):
        Reading.objects.filter(pk=work.pk).update(done_at="2026-11-23T06:00Z")
    page.get_by_text("КЛКТ челюстей").wait_for()
    assert page.locator("#studies").get_attribute("hx-trigger") == "documents-changed from:body"


@pytest.mark.chiefly("narrow")
def test_what_comes_by_itself_takes_nothing_from_under_somebodys_hands(owner, cast, people):
    row = draft(cast)
    document = pictures.paper(owner, row, "Диск.zip")
    pictures.series(pictures.study(row), document)
    pictures.left_out(document, "AUTORUN.INF", "not_dicom")
    taken = {"next_try_at": timezone.now() + timedelta(hours=1), "progress": 40}
    work = pictures.reading(row, "index", document=document, **taken)
    page = people("omsk_doctor")
    sign_in(page, "omsk_doctor")
    page.goto(f"/requests/{row.pk}/form/")
    page.get_by_text("прочитано: 40 %").wait_for()
    page.locator("#left-out summary").click()
    page.get_by_role("button", name="Не отправлять: ").focus()
    with as_inspector(row.pk):
        Reading.objects.filter(pk=work.pk).update(progress=60)
    page.get_by_text("прочитано: 60 %").wait_for()
    assert page.get_by_text("AUTORUN.INF").is_visible()
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("Не отправлять: ")
