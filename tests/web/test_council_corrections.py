"""What the pages offer where a council's protocol is placed: to call the council again, and to its secretary the form."""

import pytest

from konsilium.actions import closing, councils
from konsilium.models import Council
from konsilium.models.access import acting
from tests.actions.test_council_corrections import AGAIN, Again, placed
from tests.actions.test_councils import Sitting
from tests.factories import Way
from tests.web.test_council_pages import call_form, text

pytestmark = pytest.mark.django_db
RECALL, CALL = "Созвать консилиум снова", "Созвать консилиум для исправления заключения"
CORRECT, WRITE = "Исправить заключение", "Писать протокол"


@pytest.fixture
def first(cast):
    return placed(Sitting(cast))


@pytest.fixture
def page(client_as):
    """The request's page as somebody reads it."""
    return lambda sitting, actor: text(client_as(actor).get(f"/requests/{sitting.row.pk}/"))


def offers(page):
    """Which of the ways to a correction a page offers."""
    return {words for words in (RECALL, CALL, CORRECT, WRITE) if f">{words}</a>" in page}


def test_the_consultant_is_led_to_call_the_council_again(first, page):
    assert offers(page(first, first.cast.cniis_consultant)) == {RECALL, CALL}
    assert offers(page(first, first.cast.cniis_dispatcher)) == {CALL}
    for actor in (first.secretary, first.member, first.cast.omsk_doctor):
        assert offers(page(first, actor)) == set()


def test_what_the_consultant_placed_alone_they_correct_or_call_a_council(cast, page):
    way = Way(cast).completed()
    assert offers(page(way, way.consultant)) == {CORRECT, CALL}


def test_while_the_new_council_sits_its_secretary_is_led_to_the_form_and_nobody_else(first, page, client_as):
    again = Again(first, ("nmic_consultant", "cniis_consultant2", "cniis_consultant")).decided()
    assert offers(page(first, again.secretary)) == {WRITE}
    for actor in (first.secretary, first.cast.cniis_consultant, first.cast.cniis_dispatcher):
        assert offers(page(first, actor)) == set()
    form = text(client_as(again.secretary).get(f"/requests/{first.row.pk}/conclusion/"))
    assert 'name="correction"' in form
    assert "Решение консилиума." in form


def test_the_form_of_a_correction_refuses_the_consultant_in_words_that_help(first, client_as):
    client = client_as(first.cast.cniis_consultant)
    answer = client.get(f"/requests/{first.row.pk}/conclusion/")
    assert answer.status_code == 302
    shown = text(client.get(answer.headers["Location"]))
    assert "изменить его может только консилиум. Созовите консилиум снова." in shown


def test_a_council_is_called_from_the_page_of_a_placed_protocol(first, client_as, cast):
    client, address = client_as(cast.cniis_consultant), f"/requests/{first.row.pk}/council/"
    assert "Консилиум исправляет размещённое" in text(client.get(address))
    answer = client.post(address, call_form(cast))
    assert "Консилиум созван" in text(client.get(answer.headers["Location"]))
    with acting(cast.cniis_consultant):
        assert Council.objects.open().count() == 1


def test_over_a_closed_request_the_call_is_refused_in_words(first, client_as, page, cast):
    with acting(cast.omsk_doctor):
        closing.close(first.row, "improved", actor=cast.omsk_doctor, at=AGAIN)
    assert offers(page(first, cast.cniis_consultant)) == set()
    client = client_as(cast.cniis_consultant)
    answer = client.get(f"/requests/{first.row.pk}/council/")
    assert "Консилиум созывают, пока запрос у консультанта" in text(client.get(answer.headers["Location"]))


def test_the_desk_and_the_page_say_what_the_secretary_has_to_do_until_it_is_placed(first, client_as, page):
    again = Again(first).signed()
    client = client_as(again.secretary)
    task, done = "приложите скан подписанного протокола", "Протокол размещён: его читает"
    assert [text(client.get("/councils/?tab=work")).count(words) for words in (task, done)] == [1, 0]
    assert [text(client.get("/councils/?tab=past")).count(words) for words in (task, done)] == [0, 1]
    assert task in page(first, again.secretary)
    again.place()
    assert [text(client.get("/councils/?tab=past")).count(words) for words in (task, done)] == [0, 2]
    assert task not in page(first, again.secretary)


def test_a_protocol_that_a_closed_request_overtook_waits_for_nobody(first, client_as, page, cast):
    again = Again(first).signed()
    with acting(cast.omsk_doctor):
        closing.close(first.row, "improved", actor=cast.omsk_doctor, at=AGAIN)
    words = "Запрос завершился раньше, чем разместили протокол."
    assert words in page(first, again.secretary)
    assert words in text(client_as(again.secretary).get(f"/councils/{again.council.pk}/"))
    assert words in text(client_as(again.secretary).get("/councils/?tab=past"))


def test_a_signed_protocol_that_was_passed_on_leads_its_secretary_to_no_form(cast, client_as):
    sitting = Sitting(cast).signed()
    address = f"/councils/{sitting.council.pk}/"
    assert WRITE in text(client_as(sitting.secretary).get(address))
    Again(sitting, ("nmic_consultant", "cniis_consultant2"))
    assert WRITE not in text(client_as(sitting.secretary).get(address))


def test_a_cancelled_council_leaves_the_way_to_another(first, page, cast):
    again = Again(first)
    again.do(cast.cniis_consultant, councils.cancel, "not_needed")
    assert offers(page(first, cast.cniis_consultant)) == {RECALL, CALL}
