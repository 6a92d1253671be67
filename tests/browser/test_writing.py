"""A consultant writes in a real browser: what is typed is kept by itself, and leaving asks only when it isn't."""

from datetime import timedelta

import pytest
from django.utils import timezone

from konsilium.demo import files
from tests.browser.test_story import CLINICAL, PATIENT, fits, place, sign_in
from tests.factories import Way

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.chiefly("narrow")
def test_a_conclusion_is_kept_while_it_is_written(cast, people):
    way = Way(cast, at=timezone.now() - timedelta(hours=2)).concluding()
    page = people("consultant")
    sign_in(page, "cniis_consultant")
    address = f"/requests/{way.row.pk}/conclusion/"
    page.goto(address)
    fits(page)
    page.locator("#saved").get_by_text("Пока ничего не написано.").wait_for()
    page.get_by_label("Заключение", exact=True).fill("Показано лечение в центре.")
    page.locator("#saved").get_by_text("Черновик видите только вы.").wait_for()
    assert page.locator("#saved li").all_inner_texts() == [
        "Ответ на каждый вопрос",
        "Скан подписанного документа",
    ]
    page.get_by_label("Рекомендация 1").fill("Явка через неделю.")
    page.locator("#saved input[name=draft_version][value='3']").wait_for(state="attached")
    page.goto(address)
    assert page.get_by_label("Заключение", exact=True).input_value() == "Показано лечение в центре."
    assert page.get_by_label("Рекомендация 1").input_value() == "Явка через неделю."
    scan = files.extract_pdf(PATIENT, CLINICAL)
    page.locator("#scan").set_input_files({"name": "scan.pdf", "mimeType": "application/pdf", "buffer": scan})
    for field in page.locator("textarea[name^=answer-]").all():
        field.fill("Да.")
    place(page)
    fits(page)
