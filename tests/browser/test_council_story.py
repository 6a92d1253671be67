"""A council of three centres with a dissent, in a real browser: from the call to the closed request."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from konsilium.demo import files
from konsilium.workflow.roles import Role
from tests import cast as people_of_the_tests
from tests.browser.test_story import CLINICAL, PATIENT, fits, follow, place, press, sign_in
from tests.factories import Way

pytestmark = pytest.mark.django_db(transaction=True)
NORTH = ("Северный центр онкологии", 3, "78", "Europe/Moscow", True, False)
SEALED = {
    "chair": "Показана резекция.",
    "secretary": "Согласен на резекцию.",
    "member": "Достаточно наблюдения.",
}
DECISION = "Резекция с одномоментной пластикой."
DISSENT = "Не согласен: сначала повторный снимок через три месяца."
LINE = "Коллеги, на снимке нет роста за полгода."


@pytest.fixture
def cast(cast, owner, monkeypatch):
    """The cast with a third centre, whose consultant nobody else knows."""
    monkeypatch.setattr(cast, "owner", owner)
    monkeypatch.setitem(people_of_the_tests.HOUSES, "north", NORTH)
    cast.houses["north"] = cast._house("north", *NORTH)
    cast.actors["north_consultant"] = cast._person(
        "north_consultant", "north", Role.CONSULTANT, "Ладогин", "Егор"
    )
    return cast


def call(page, way):
    """The consultant calls a council; who is called is looked for, and who was chosen stays."""
    sign_in(page, "cniis_consultant")
    page.goto(f"/requests/{way.row.pk}/")
    follow(page, "Созвать консилиум")
    fits(page)
    page.get_by_label("Цель консилиума").select_option(label="Определение тактики лечения")
    page.get_by_label("Почему созывается и что должен решить").fill("Мнения двух центров расходятся.")
    for sought, name, kind in (("нейрохир", "Юдин Марк", "chair"), ("ладог", "Ладогин Егор", "member")):
        page.get_by_label("Найти по имени, центру или специальности").fill(sought)
        page.locator("#people li", has_text="Ершова Инна").wait_for(state="detached")
        page.get_by_label(name).select_option(kind)
        page.get_by_label("Найти по имени, центру или специальности").fill("")
        page.locator("#people li", has_text="Ершова Инна").wait_for()
    page.get_by_label("Соколов Андрей").select_option("secretary")
    fits(page)
    press(page, "Созвать")
    page.get_by_text("Консилиум созван; все названные получат уведомление.").wait_for()
    fits(page)
    return page.url


def sits(page, login, number):
    """Somebody who is called signs in, acts as a member of the council, and finds it on their desk."""
    sign_in(page, login)
    page.get_by_role("link", name="Консилиумы").click()
    page.get_by_text("Вы приглашены в консилиумы").wait_for()
    fits(page)
    press(page, "Перейти в роль участника консилиума")
    page.get_by_text("Приглашения").wait_for()
    fits(page)
    follow(page, number)
    page.get_by_text("Ваше мнение").first.wait_for()
    fits(page)


def seals(page, text):
    page.get_by_label("Что вы думаете — пока не знаете мнений остальных").fill(text)
    page.locator("#kept").get_by_text("Сохранено").wait_for()
    page.locator("summary", has_text="Сдать мнение").click()
    press(page, "Сдать окончательно")
    page.get_by_text("Ваше мнение сдано.").wait_for()
    fits(page)


def signs(page, name="Подписать протокол"):
    page.reload()
    page.locator("summary", has_text=name).click()
    press(page, "Прочитал и подписываю")
    page.get_by_text("Отмечено, что вы подписали.").wait_for()
    fits(page)


def writes_the_protocol(page, url):
    page.goto(url)
    follow(page, "Писать протокол")
    fits(page)
    page.get_by_label("Заключение", exact=True).fill("Консилиум рекомендует резекцию с пластикой.")
    for field in page.locator("textarea[name^=answer-]").all():
        field.fill("Да, показана.")
    press(page, "Сохранить черновик")
    page.get_by_text("Сохранено").first.wait_for()
    page.goto(url)
    press(page, "Передать протокол на подпись")
    page.get_by_text("Протокол ждёт подписей.").wait_for()
    fits(page)


def places_the_scan(page, url):
    page.goto(url)
    page.get_by_text("приложите скан").first.wait_for()
    follow(page, "Писать протокол")
    scan = files.extract_pdf(PATIENT, CLINICAL)
    page.locator("#scan").set_input_files(
        {"name": "protocol.pdf", "mimeType": "application/pdf", "buffer": scan}
    )
    place(page)
    fits(page)


@pytest.mark.chiefly("narrow")
def test_three_centres_hold_a_council_and_one_dissents(cast, people):
    way = Way(cast, at=timezone.now() - timedelta(hours=2)).concluding()
    number = way.row.number
    secretary, chair, member = people("secretary"), people("chair"), people("member")
    url = call(secretary, way)
    press(secretary, "Перейти в роль участника консилиума")
    secretary.wait_for_url(url)
    fits(secretary)
    sits(chair, "nmic_consultant", number)
    sits(member, "north_consultant", number)

    seals(chair, SEALED["chair"])
    seals(secretary, SEALED["secretary"])
    chair.reload()
    chair.get_by_text("Ждём мнений: Ладогин Егор.").wait_for()
    assert SEALED["secretary"] not in chair.content()
    seals(member, SEALED["member"])

    chair.reload()
    chair.locator("summary", has_text="Открыть мнения одновременно").click()
    press(chair, "Открыть мнения одновременно")
    chair.get_by_text("Мнения открыты.").wait_for()
    for words in SEALED.values():
        chair.locator("#opinions").get_by_text(words).wait_for()
    fits(chair)

    member.reload()
    member.locator("#talk").get_by_label("Сообщение").fill(LINE)
    member.locator("#talk").get_by_role("button", name="Отправить").click()
    # The discussion comes to the others by itself.
    chair.locator("#news").get_by_text(LINE).wait_for(timeout=15_000)

    chair.get_by_label("Что решено").fill(DECISION)
    press(chair, "Записать решение")
    chair.get_by_text("Решение записано.").wait_for()
    member.reload()
    member.locator("summary", has_text="Я не согласен").click()
    member.get_by_label(re.compile("Ваше особое мнение")).fill(DISSENT)
    press(member, "Записать особое мнение")
    member.locator("blockquote").get_by_text(DISSENT).wait_for()
    fits(member)

    writes_the_protocol(secretary, url)
    signs(member)
    signs(secretary)
    signs(chair, "Подписать протокол как председатель")
    chair.goto(f"{url}printed/")
    chair.get_by_text(DISSENT).wait_for()
    fits(chair)
    places_the_scan(secretary, url)

    doctor = people("doctor")
    sign_in(doctor, "omsk_doctor")
    doctor.goto(f"/requests/{way.row.pk}/")
    doctor.get_by_text("Консилиум рекомендует резекцию с пластикой.").first.wait_for()
    doctor.get_by_text("Ладогин Егор").first.wait_for()
    assert LINE not in doctor.content()
    fits(doctor)
    closes(doctor)


def closes(doctor):
    """The doctor confirms, and reports what became of the patient."""
    press(doctor, "Подтвердить ознакомление")
    follow(doctor, "Закрыть с исходом")
    doctor.locator("[name=outcome][value=transferred]").check()
    press(doctor, "Закрыть с исходом")
    doctor.get_by_text("Закрыт").first.wait_for()
    fits(doctor)
