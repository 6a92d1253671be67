"""The signed paper is photographed with a phone: sheets added, ordered, turned and removed, joined and laid to the draft."""

import pytest

from konsilium.actions import concluding, printing
from konsilium.actions.documents import remove
from konsilium.models import Document
from konsilium.models.access import acting
from tests.browser.test_story import fits, press, sign_in
from tests.factories import Way
from tests.paper import as_jpeg, photographed, sheet

pytestmark = pytest.mark.django_db(transaction=True)
LIES = ((250, 200), (1380, 320), (1300, 1800), (170, 1710))


@pytest.fixture
def way(cast):
    way = Way(cast).drafted()
    with acting(way.consultant):
        remove(Document.objects.get(kind="conclusion_scan"), actor=way.consultant, at=way.at)
    return way


def photo(text, name):
    data = as_jpeg(photographed(sheet(text), LIES, (1600, 2000)))
    return {"name": name, "mimeType": "image/jpeg", "buffer": data}


def printed(way):
    draft = way.do(way.consultant, concluding.draft_of)
    with acting(way.consultant):
        return printing.address_of(printing.ask("conclusion", draft.pk, actor=way.consultant, at=way.at))


def names(page):
    return page.evaluate("[...document.getElementById('photos').files].map((file) => file.name)")


@pytest.mark.chiefly("narrow")
def test_paper_is_photographed_ordered_and_laid_to_the_conclusion(people, way):
    page = people("cniis_consultant")
    sign_in(page, "cniis_consultant")
    page.goto(f"/requests/{way.row.pk}/conclusion/")
    page.get_by_role("link", name="Снять подписанную бумагу").click()
    page.get_by_role("button", name="Сделать снимок").wait_for()
    assert page.locator("#camera").get_attribute("capture") == "environment"
    page.set_input_files("#camera", photo("", "second.jpg"))
    page.set_input_files("#camera", photo("", "blurred.jpg"))
    page.set_input_files("#photos", photo(printed(way), "first.jpg"))
    page.locator("#sheets li").nth(2).wait_for()
    page.locator("#sheets li").nth(1).get_by_label("Удалить").click()
    page.locator("#sheets li").nth(1).get_by_label("Выше").click()
    page.locator("#sheets li").nth(1).get_by_label("Повернуть вправо").click()
    assert names(page) == ["first.jpg", "second.jpg"]
    assert page.locator("#turns").input_value() == "0,1"
    fits(page)
    press(page, "Собрать и приложить к заключению")
    page.get_by_text("Скан собран и приложен к заключению.").wait_for()
    page.get_by_text("Код на бумаге — этой редакции.").wait_for()
    fits(page)


@pytest.mark.chiefly("wide")
def test_paper_of_another_edition_is_refused_in_words_and_one_without_a_code_asks_for_a_persons_eyes(
    people, way
):
    page = people("cniis_consultant")
    sign_in(page, "cniis_consultant")
    page.goto(f"/requests/{way.row.pk}/conclusion/scan/")
    other = "https://konsilium.example/papers/0b6a2d0e-3f57-4a0e-9d0b-2f6f1f0c0e11/#0123456789ab"
    page.set_input_files("#photos", photo(other, "1.jpg"))
    press(page, "Собрать и приложить к заключению")
    page.get_by_text("Код на бумаге — другой редакции.").wait_for()
    fits(page)
    page.set_input_files("#photos", photo("", "1.jpg"))
    press(page, "Собрать и приложить к заключению")
    page.get_by_text("Код не прочитан. Сверьте бумагу").wait_for()
    page.set_input_files("#photos", photo("", "1.jpg"))
    page.get_by_label("Я сверил(а) бумагу с этой редакцией глазами").check()
    press(page, "Собрать и приложить к заключению")
    page.get_by_text("Код не прочитан; сверено глазами.").wait_for()
