"""A consultant writes a conclusion in its parts; the requester reads it, and what a correction changes."""

import pytest

from tests.browser.test_story import fits, sign_in
from tests.factories import Way

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.chiefly("wide")
def test_parts_are_written_reused_placed_and_compared(people, cast):
    way = Way(cast).corrected()
    fresh = Way(cast).drafted()
    page = people("cniis_consultant")
    sign_in(page, "cniis_consultant")
    page.goto("/consulting/phrases/")
    page.locator("[name=title]").fill("Анализы")
    page.locator("[name=text]").fill("Общий анализ крови, коагулограмма.")
    page.get_by_role("button", name="Сохранить").click()
    page.get_by_text("Фраза сохранена.").wait_for()
    fits(page)

    page.goto(f"/requests/{fresh.row.pk}/conclusion/")
    items = page.locator("[data-item] textarea")
    items.nth(1).fill("МСКТ в динамике.")
    items.nth(2).focus()
    with page.expect_response(lambda answer: "phrase_q=%D0" in (answer.request.post_data or "")):
        page.locator("#phrase_q").fill("анализ")
    page.wait_for_timeout(200)
    page.locator("#found summary").get_by_text("Анализы").click()
    items.nth(2).focus()
    page.locator("#found [data-insert]").first.click()
    assert items.nth(2).input_value() == "Общий анализ крови, коагулограмма."
    assert items.count() == 4
    page.locator("[data-item-up]").nth(2).click()
    page.locator("[data-item] select").nth(1).select_option("urgent")
    fits(page)
    page.get_by_role("button", name="Сохранить черновик").click()
    page.get_by_text("Сохранено.").first.wait_for()
    assert [items.nth(number).input_value() for number in range(4)] == [
        "Госпитализация в плановом порядке.",
        "Общий анализ крови, коагулограмма.",
        "МСКТ в динамике.",
        "",
    ]
    assert page.locator("[data-item] select").nth(1).input_value() == "urgent"

    doctor = people("omsk_doctor")
    sign_in(doctor, "omsk_doctor")
    doctor.goto(f"/requests/{way.row.pk}/#conclusion")
    fits(doctor)
    doctor.get_by_role("link", name="Что изменилось").click()
    assert doctor.locator("ins").first.inner_text().strip() == "срочно"
    doctor.get_by_text("Уточнён срок операции.").wait_for()
    fits(doctor)
