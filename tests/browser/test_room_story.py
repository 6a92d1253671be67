"""A counter-proposed session is held in the room by three over a shared study, and leads to the conclusion."""

import time
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from konsilium.actions import documents, inspecting
from konsilium.demo import files
from konsilium.demo.subject import Opinion
from konsilium.models import Attendance, Reading, Session
from konsilium.models.access import acting, as_worker
from tests import phantom
from tests.browser.test_room import browser, server, somebody, together  # noqa: F401  fixtures
from tests.browser.test_story import CLINICAL, PATIENT
from tests.factories import Way

pytestmark = pytest.mark.django_db(transaction=True)
ANSWER = "Да, показана."


def with_study(cast, settings):
    """A request under video, whose study the inspector has read."""
    way = Way(cast, at=timezone.now()).on_video()
    settings.INSPECTOR = "sandbox"
    data = phantom.archive(phantom.files())
    kept = documents.store().receive([data], len(data))
    with acting(cast.omsk_doctor):
        documents.add(
            way.row,
            documents.Upload(kept, "КЛКТ.zip"),
            kind="cbct",
            actor=cast.omsk_doctor,
            at=timezone.now(),
        )
    inspect()
    settings.INSPECTOR = "null"
    return way


def inspect():
    """Do the inspector's work until none is left; another inspector may be at it too."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        inspecting.run_pending(at=timezone.now())
        with as_worker():
            if not Reading.objects.filter(done_at=None).exists():
                return
        time.sleep(0.2)
    raise AssertionError("the inspector doesn't come to an end")


def local(moment, zone):
    return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M")


def agree(way, consultant, doctor):
    """Times are proposed, others answered, one of those accepted: each types in the own zone."""
    address = f"/requests/{way.row.pk}/"
    soon = timezone.now() + timedelta(minutes=10)
    consultant.goto(f"{address}sessions/propose/")
    consultant.locator("[name=time_1]").fill(local(soon + timedelta(days=2), way.consultant.time_zone))
    consultant.locator("main form button.primary").click()
    consultant.get_by_text("Время предложено").wait_for()
    doctor.goto(address)
    doctor.get_by_role("link", name="Предложить другое время").click()
    doctor.locator("[name=time_1]").fill(local(soon, way.doctor.time_zone))
    doctor.locator("main form button.primary").click()
    doctor.get_by_text("Время предложено").wait_for()
    consultant.goto(address)
    consultant.get_by_role("button", name="Принять").click()
    consultant.get_by_role("link", name="Войти в комнату").wait_for()
    with acting(way.consultant):
        return Session.objects.get(consultation=way.row)


def framed(one):
    """The study as one of those present has it beside the pictures."""
    one.page.locator("iframe").wait_for(timeout=30_000)
    frame = one.page.locator("iframe").element_handle().content_frame()
    frame.wait_for_selector("#viewer[data-ready]", timeout=90_000)
    return frame


def shown(frame):
    """The slice that is shown, and how many marks."""
    script = "document.getElementById('viewer').viewer"
    return frame.evaluate(
        f"[{script}.panes.get('stack').viewport.getCurrentImageIdIndex(), {script}.marks.rows.size]"
    )


def test_three_look_at_the_same_slice_and_the_session_fills_the_conclusion(cast, settings, somebody):  # noqa: F811
    way = with_study(cast, settings)
    red, green, blue = somebody("red"), somebody("green"), somebody("blue")
    for one in (red, green, blue):
        one.page.set_default_timeout(20_000)
    session = agree(way, green.page, red.page)

    for one in (red, green, blue):
        one.come(session)
    together(red, green, blue)

    green.page.locator(".look-bar select").select_option(index=1)
    frames = [framed(one) for one in (green, red, blue)]
    viewer = "document.getElementById('viewer').viewer"
    frames[0].evaluate(f"{viewer}.panes.get('stack').viewport.setImageIdIndex(4)")
    for one, frame in zip((red, blue), frames[1:], strict=True):
        one.soon(lambda frame=frame: shown(frame)[0] == 4)
    box = frames[0].locator(".pane-stack").bounding_box()
    green.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    green.page.mouse.move(box["x"] + box["width"] / 2 + 9, box["y"] + box["height"] / 2)
    frames[1].locator(".others-pointer:not([hidden])").wait_for()
    # Talking goes on beside it.
    red.hears_soon(green)
    green.hears_soon(red)

    for one in (red, blue, green):
        one.press("leave")
        one.page.get_by_text("Вы вышли с сеанса").wait_for()
    page = green.page
    page.goto(f"/requests/{way.row.pk}/")
    page.get_by_role("link", name="Сеанс состоялся").click()
    now = timezone.now()
    page.locator("[name=began_at]").fill(local(now - timedelta(minutes=1), way.consultant.time_zone))
    page.locator("[name=ended_at]").fill(local(now, way.consultant.time_zone))
    page.locator("main form button.primary").click()
    page.goto(f"/requests/{way.row.pk}/conclusion/")
    page.get_by_text("Из протокола сеанса").wait_for()
    for actor in (way.doctor, way.consultant, way.dispatcher):
        page.get_by_text(actor.name).first.wait_for()
    for answer in page.locator("textarea[name^=answer-]").all():
        answer.fill(ANSWER)
    page.locator("[name=text]").fill("Показана операция.")
    opinion = Opinion("1", "ЦНИИСиЧЛХ", "Соколов А.", "Врач", timezone.now().date(), "Показана операция", "—")
    scan = files.conclusion_scan_pdf(PATIENT, CLINICAL, opinion, 1)
    page.locator("#scan").set_input_files({"name": "scan.pdf", "mimeType": "application/pdf", "buffer": scan})
    page.get_by_role("button", name="Сохранить черновик").click()
    page.get_by_text("Сохранено.").first.wait_for()
    inspect()
    page.get_by_role("button", name="Сохранить и разместить").click()
    page.get_by_text("Заключение размещено").first.wait_for()

    doctor = red.page
    doctor.goto(f"/requests/{way.row.pk}/")
    conclusion = doctor.locator("#conclusion")
    conclusion.get_by_text("Показана операция.").wait_for()
    for actor in (way.doctor, way.consultant, way.dispatcher):
        conclusion.get_by_text(actor.name).first.wait_for()
    with acting(way.consultant):
        assert Attendance.objects.filter(session=session).count() == 3
