"""The viewer in a real Chromium, with files that went through the real inspector: right pixels, right sides, right lengths."""

import io
import math
import re
import shutil
import time

import numpy as np
import pytest
from django.utils import timezone
from PIL import Image

from konsilium.actions import documents
from konsilium.models import KeyImage, Mark, Reading, Series
from konsilium.models.access import acting, as_worker
from tests import phantom, requests
from tests.browser.conftest import SIZES
from tests.browser.test_gallery import WITH_WEBGL, cube
from tests.browser.test_story import fits, sign_in

pytestmark = pytest.mark.django_db(transaction=True)
READY = "#viewer[data-ready]"
# Brighter than any bone in the bone window.
WHITE = 240
EDGE = 10


@pytest.fixture
def row(cast, settings):
    settings.INSPECTOR = "sandbox"
    return requests.sent(cast)


@pytest.fixture
def page(request, chromium, site):
    """A browser that draws in three dimensions, signed in as the doctor who asks."""
    browser = chromium.browser_type.launch(
        executable_path=shutil.which("chromium"), chromium_sandbox=False, args=WITH_WEBGL
    )
    size = SIZES[getattr(request, "param", "wide")]
    page = browser.new_context(base_url=site, locale="ru-RU", viewport=size).new_page()
    page.set_default_timeout(60_000)
    troubles = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on(
        "console",
        lambda said: troubles.append(said.text) if "Content Security" in said.text else None,
    )
    sign_in(page, "omsk_doctor")
    yield page
    browser.close()
    assert troubles == []


def brought(row, cast, files, name="КЛКТ.zip", kind="cbct"):
    """Put files into the request as the doctor, and wait until the inspector has done all its work."""
    data = files if isinstance(files, bytes) else phantom.archive(files)
    kept = documents.store().receive([data], len(data))
    with acting(cast.omsk_doctor):
        documents.add(row, documents.Upload(kept, name), kind=kind, actor=cast.omsk_doctor, at=timezone.now())
    deadline = time.monotonic() + 60
    while waiting() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not waiting()


def waiting():
    with as_worker():
        return Reading.objects.filter(done_at=None).exists()


def series_of(cast, row):
    with acting(cast.omsk_doctor):
        return list(Series.objects.filter(consultation=row).order_by("series_uid"))


def opened(page, cast, row, more=""):
    """The viewer of the request's study, with its first diagnostic slice."""
    study = series_of(cast, row)[0].study_id
    page.goto(f"/requests/{row.pk}/viewer/{study}/{more}")
    page.wait_for_selector(READY)
    assert page.locator("#viewer .note").text_content() == ""
    page.wait_for_selector("#viewer progress", state="hidden")


def said(page, script, argument=None):
    """Ask the running viewer something; `viewer` is its engine."""
    text = f"argument => {{ const viewer = document.getElementById('viewer').viewer; return {script} }}"
    return page.evaluate(text, argument)


def place(at):
    """Where a voxel (slice, row, column) of the phantom lies in the patient, in mm."""
    number, row, column = at
    return [
        -20 + column * phantom.SPACING,
        -30 + row * phantom.SPACING,
        100 + number * phantom.STEP,
    ]


def turn_to(page, number, pane="stack"):
    said(page, "viewer.panes.get('stack').viewport.setImageIdIndex(argument)", number)
    page.wait_for_timeout(300)


def white_in(page, pane):
    """Where the marker is seen in a pane, as parts of its width and height; the letters hidden for the picture."""
    over = "#viewer .side, #viewer .scale, #viewer .about, #viewer svg"
    see = "([over, how]) => document.querySelectorAll(over).forEach(one => (one.style.visibility = how))"
    page.evaluate(see, [over, "hidden"])
    picture = Image.open(io.BytesIO(page.locator(f".pane-{pane}").screenshot()))
    page.evaluate(see, [over, ""])
    grey = np.asarray(picture.convert("L")).copy()
    # The stage has round corners, and the page behind them is white.
    grey[:EDGE], grey[-EDGE:], grey[:, :EDGE], grey[:, -EDGE:] = 0, 0, 0, 0
    rows, columns = np.nonzero(grey > WHITE)
    assert len(rows) > 50, "the marker isn't seen"
    return columns.mean() / picture.width, rows.mean() / picture.height


def letters(page, pane):
    sides = ("left", "right", "top", "bottom")
    return "".join(page.locator(f".pane-{pane} .at-{side}").text_content() for side in sides)


def test_the_patients_right_is_on_the_left_and_says_so(row, cast, page):
    brought(row, cast, phantom.files())
    opened(page, cast, row)
    turn_to(page, phantom.MARKER_AT[0])
    assert letters(page, "stack") == "RLAP"
    across, down = white_in(page, "stack")
    assert across < 0.45
    assert down < 0.4
    seen = said(page, "viewer.panes.get('stack').viewport.worldToCanvas(argument)", place(phantom.MARKER_AT))
    box = page.locator(".pane-stack").bounding_box()
    assert abs(across - seen[0] / box["width"]) < 0.01
    assert abs(down - seen[1] / box["height"]) < 0.01
    page.get_by_role("button", name="Отразить").click()
    page.wait_for_timeout(500)
    assert letters(page, "stack") == "LRAP"
    assert "ОТРАЖЕНО" in page.locator(".pane-stack .about").text_content()
    assert white_in(page, "stack")[0] > 0.55
    page.get_by_role("button", name="Вернуть вид").click()
    page.get_by_role("button", name="Повернуть вправо").click()
    page.wait_for_timeout(500)
    assert letters(page, "stack") == "PARL"
    assert white_in(page, "stack")[0] > 0.6


def test_three_planes_lie_as_a_radiologist_expects(row, cast, page):
    brought(row, cast, phantom.files())
    opened(page, cast, row)
    page.get_by_role("button", name="Три плоскости").click()
    page.wait_for_selector(".pane-sagittal canvas")
    said(page, "viewer.whole")
    said(
        page,
        "[...viewer.panes.values()].forEach(({ viewport }) => { viewport.setCamera({ focalPoint: argument,"
        " position: viewport.getCamera().position.map((value, axis) =>"
        " value + argument[axis] - viewport.getCamera().focalPoint[axis]) }); viewport.render() })",
        place(phantom.MARKER_AT),
    )
    page.wait_for_timeout(1500)
    assert [letters(page, name) for name in ("axial", "coronal", "sagittal")] == ["RLAP", "RLHF", "APHF"]
    for name in ("axial", "coronal", "sagittal"):
        across, down = white_in(page, name)
        assert abs(across - 0.5) < 0.03
        assert abs(down - 0.5) < 0.03
    corners = "['axial', 'coronal', 'sagittal'].map(name => viewer.panes.get(name).viewport.worldToCanvas(argument))"
    at, feet_right_back = (said(page, corners, place(where)) for where in (phantom.MARKER_AT, (0, 90, 0)))
    moved = [[b[0] - a[0], b[1] - a[1]] for a, b in zip(at, feet_right_back, strict=True)]
    # Right is left, back is down on the axial plane; feet are down; the back is right on the sagittal plane.
    assert [(x > 0, y > 0) for x, y in moved] == [(False, True), (False, True), (True, True)]


@pytest.mark.parametrize(
    "syntaxes",
    [
        pytest.param(list(phantom.SYNTAXES.values())[1::3], id="some"),
        pytest.param(list(phantom.SYNTAXES.values()), id="all", marks=pytest.mark.prove),
    ],
)
def test_voxels_are_those_of_the_source_in_every_transfer_syntax(row, cast, page, syntaxes):
    values = phantom.volume(slices=8)
    probes = [(0, 48, 48), (3, 20, 24), (5, 9, 48), (6, 48, 13), (7, 2, 2)]
    files = []
    for number, syntax in enumerate(syntaxes):
        made = phantom.files(values, syntax, series=f"1.2.826.0.1.{number}")
        files += [(f"{number}/{name}", data) for name, data in made]
    brought(row, cast, files)
    rows = series_of(cast, row)
    assert [one.state for one in rows] == ["ready"] * len(syntaxes)
    opened(page, cast, row)
    for number in range(len(syntaxes)):
        page.locator("button.series").nth(number).click()
        uid = page.locator("button.series").nth(number).get_attribute("data-uid")
        shown(page, uid)
        for at in probes:
            turn_to(page, at[0])
            found = said(page, "viewer.value(argument)", place(at))
            assert found == {"index": [at[2], at[1], 0], "value": values[at]}, (uid, at)


def shown(page, uid):
    """Wait until a series stands there; the page's policy forbids the tests' usual way to wait."""
    for _ in range(100):
        if said(page, "viewer.series.uid === argument && Boolean(viewer.panes.get('stack'))", uid):
            page.wait_for_timeout(300)
            return
        page.wait_for_timeout(100)
    raise AssertionError(uid)


def test_a_length_is_right_saved_listed_and_led_back_to(row, cast, page):
    brought(row, cast, phantom.files())
    opened(page, cast, row)
    turn_to(page, 3)
    ends = [place((3, 80, 10)), place((3, 20, 80))]
    page.get_by_role("button", name="Расстояние").click()
    box = page.locator(".pane-stack").bounding_box()
    for number, end in enumerate(ends):
        x, y = said(page, "viewer.panes.get('stack').viewport.worldToCanvas(argument)", end)
        page.mouse.move(box["x"] + x, box["y"] + y, steps=4)
        (page.mouse.up if number else page.mouse.down)()
    true = math.dist(*ends)
    item = page.locator(".marks li button.link")
    item.wait_for()
    assert abs(millimetres(item.text_content()) - true) <= 0.1
    assert abs(millimetres(page.locator(".pane-stack svg").text_content()) - true) <= 0.1
    with acting(cast.omsk_doctor):
        (mark,) = Mark.objects.filter(consultation=row)
    assert (mark.kind, mark.frame) == ("length", 1)
    assert abs(math.dist(*mark.data["points"]) - true) <= 0.1
    opened(page, cast, row)
    page.locator(".marks li button.link").click()
    page.get_by_text("4 / 24").wait_for()
    page.wait_for_timeout(500)
    assert abs(millimetres(page.locator(".pane-stack svg").text_content()) - true) <= 0.1
    page.get_by_role("button", name=re.compile("^Удалить")).click()
    page.get_by_text("Отметок пока нет.").wait_for()


def millimetres(text):
    return float(re.search(r"(\d+[.,]?\d*)\s*(?:мм|mm)", text)[1].replace(",", "."))


def test_uneven_slices_are_not_shown_as_three_planes_and_it_says_why(row, cast, page):
    files = []
    for number, given in enumerate(phantom.slices()):
        if number > 11:
            given.ImagePositionPatient = [-20.0, -30.0, 105 + number * phantom.STEP]
        files.append((f"IM{number:03}", phantom.as_bytes(given)))
    brought(row, cast, files)
    opened(page, cast, row)
    assert page.get_by_text("Трёх плоскостей нет: срезы через неравные промежутки").is_visible()
    assert page.get_by_role("button", name="Три плоскости").count() == 0
    page.keyboard.press("v")
    page.wait_for_timeout(500)
    assert said(page, "[...viewer.panes.keys()]") == ["stack"]


@pytest.mark.parametrize("page", ["wide", "narrow"], indirect=True)
def test_the_preview_is_there_without_the_viewer_labelled_and_not_measured_on(row, cast, page):
    brought(row, cast, phantom.files())
    page.route("**/viewer/engine*.js", lambda route: route.abort())
    page.goto(f"/requests/{row.pk}/viewer/{series_of(cast, row)[0].study_id}/")
    page.get_by_text("Предпросмотр, не для диагностики").wait_for()
    page.wait_for_timeout(500)
    assert lit(page, ".preview canvas") > 0.2
    assert page.get_by_role("button", name="Расстояние").count() == 0
    page.locator(".preview canvas").hover()
    before = page.locator(".preview input").input_value()
    page.mouse.wheel(0, 100)
    assert page.locator(".preview input").input_value() != before
    fits(page)


def lit(page, canvas):
    script = (
        "selector => { const from = document.querySelector(selector), canvas = document.createElement('canvas');"
        " canvas.width = canvas.height = 60; const draw = canvas.getContext('2d'); draw.drawImage(from, 0, 0, 60, 60);"
        " const data = draw.getImageData(0, 0, 60, 60).data; let lit = 0;"
        " for (let i = 0; i < data.length; i += 4) lit += data[i] > 40; return lit / 3600 }"
    )
    return page.evaluate(script, canvas)


@pytest.mark.parametrize("page", ["wide", "narrow"], indirect=True)
def test_a_key_image_goes_into_the_conversation_with_its_marks_and_its_way_back(row, cast, page):
    brought(row, cast, phantom.files())
    opened(page, cast, row)
    turn_to(page, 6)
    page.get_by_role("button", name="Мягкие ткани").click()
    fits(page)
    page.get_by_role("button", name="Ключевой снимок").click()
    page.get_by_role("textbox").last.fill("Очаг справа, у метки")
    page.locator("dialog").get_by_role("button", name="Сохранить").click()
    page.get_by_text("Ключевой снимок добавлен в переписку").wait_for()
    with acting(cast.omsk_doctor):
        key = KeyImage.objects.get(consultation=row)
        kept = b"".join(documents.store().open_range(key.document.sha256))
    assert np.asarray(Image.open(io.BytesIO(kept)).convert("L")).std() > 20
    opened(page, cast, row, f"?image={key.pk}")
    page.get_by_text("7 / 24").wait_for()


def test_a_surface_is_moved_by_hand_fitted_by_points_and_the_fit_is_kept(row, cast, page):
    brought(row, cast, phantom.files())
    brought(row, cast, cube(), "Скан.stl", "intraoral_scan")
    opened(page, cast, row)
    page.get_by_role("button", name="Три плоскости").click()
    page.get_by_role("button", name="Наложить: Скан.stl").click()
    page.get_by_role("button", name="→ L").wait_for()
    before = said(page, "viewer.surfaces.loaded[0].matrix")
    page.get_by_role("button", name="→ L").click()
    after = said(page, "viewer.surfaces.loaded[0].matrix")
    assert [round(b - a, 6) for a, b in zip(before, after, strict=True)] == [0] * 3 + [1] + [0] * 12
    wanted, error = fitted(page)
    assert error < 1e-6
    assert np.allclose(said(page, "viewer.surfaces.loaded[0].matrix"), wanted.ravel(), atol=1e-6)
    page.get_by_role("button", name="Сохранить положение").click()
    page.get_by_text("Положение сохранено").wait_for()
    assert lit(page, ".pane-space canvas") > 0.02
    opened(page, cast, row)
    page.get_by_role("button", name="Три плоскости").click()
    page.get_by_role("button", name="Наложить: Скан.stl").click()
    page.get_by_role("button", name="→ L").wait_for()
    assert np.allclose(said(page, "viewer.surfaces.loaded[0].matrix"), wanted.ravel(), atol=1e-6)


def fitted(page):
    """Give four pairs of points that lie a known turn and shift apart; returns that movement and the reported error."""
    angle = math.radians(30)
    wanted = np.eye(4)
    wanted[:2, :2] = [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    wanted[:3, 3] = [5, -7, 104]
    error = None
    for corner in ([0, 0, 0], [20, 0, 0], [0, 20, 0], [0, 0, 20]):
        there = (wanted @ [*corner, 1])[:3].tolist()
        error = said(
            page,
            "(its => viewer.surfaces.pair(its, argument[0].map((_, axis) => [0, 1, 2, 3].reduce((sum, step) =>"
            " sum + its.matrix[axis * 4 + step] * [...argument[0], 1][step], 0)), argument[1]))"
            "(viewer.surfaces.loaded[0])",
            [corner, there],
        )
    return wanted, error


def test_a_volume_is_unrolled_along_a_curve_the_right_on_the_left_and_the_curve_is_kept(row, cast, page):
    brought(row, cast, phantom.files())
    opened(page, cast, row)
    page.get_by_role("button", name="Три плоскости").click()
    page.get_by_role("button", name="Панорама").click()
    page.get_by_text("Отмечайте щелчками зубную дугу").wait_for()
    box = page.locator(".pane-axial").bounding_box()
    # From the patient's left to the right: the picture has to turn it over.
    for at in ((12, 60, 84), (12, 20, 72), (12, 8, 48), (12, *phantom.MARKER_AT[1:]), (12, 60, 12)):
        x, y = said(page, "viewer.panes.get('axial').viewport.worldToCanvas(argument)", place(at))
        page.mouse.click(box["x"] + x, box["y"] + y)
    page.keyboard.press("Enter")
    page.locator(".panorama canvas").wait_for()
    across, down = brightest(page)
    assert across < 0.45
    assert down > 0.6
    page.locator(".marks li button.link").wait_for()
    with acting(cast.omsk_doctor):
        (mark,) = Mark.objects.filter(consultation=row)
    assert (mark.kind, len(mark.data["points"])) == ("curve", 5)
    opened(page, cast, row)
    page.locator(".marks li button.link").click()
    page.locator(".panorama canvas").wait_for()
    assert brightest(page) == pytest.approx((across, down), abs=0.01)


def brightest(page):
    """Where the marker is in the panoramic picture, as parts of its width and height."""
    script = (
        "() => { const canvas = document.querySelector('.panorama canvas'); const { width, height } = canvas;"
        " const data = canvas.getContext('2d').getImageData(0, 0, width, height).data; let [x, y, count] = [0, 0, 0];"
        " for (let at = 0; at < width * height; at += 1) if (data[at * 4] > 150) { x += at % width; y += Math.floor(at / width); count += 1 }"
        " return [x / count / width, y / count / height] }"
    )
    return page.evaluate(script)
