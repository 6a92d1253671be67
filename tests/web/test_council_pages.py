"""The council's pages: the call, a council from its opinions to its signatures, and who sees what of it."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from konsilium.actions import account, councils
from konsilium.models import Council, CouncilLine, Opinion, Seat
from konsilium.models.access import acting, door
from konsilium.workflow.council import CouncilState, SeatKind
from tests.actions.test_councils import SECRET, Sitting
from tests.factories import Way

pytestmark = pytest.mark.django_db


@pytest.fixture
def sitting(cast):
    return Sitting(cast)


@pytest.fixture
def open_as(client_as):
    """Open a page of a council as somebody: `open_as(sitting, sitting.chair)`."""
    return lambda sitting, actor, page="": client_as(actor).get(f"/councils/{sitting.council.pk}/{page}")


def text(answer):
    return answer.content.decode()


def press(client, sitting, page, **given):
    """Send one of the council's forms as the page has it."""
    address = f"/councils/{sitting.council.pk}/"
    shown = text(client.get(address))
    hidden = (
        {name: re.search(f'name="{name}" value="([^"]+)"', shown)[1] for name in ("once_key", "version")}
        if 'name="version"' in shown
        else {"once_key": re.search(r'name="once_key" value="([^"]+)"', shown)[1]}
    )
    return client.post(f"{address}{page}/", hidden | given)


# --- The call


def call_form(cast, **more):
    seats = {
        "cniis_consultant2": SeatKind.CHAIR,
        "cniis_consultant": SeatKind.SECRETARY,
        "nmic_consultant": SeatKind.MEMBER,
    }
    chosen = {f"seat-{cast.actor_of(name).membership_id}": str(kind) for name, kind in seats.items()}
    given = {"purpose": "treatment", "reason": "Тактика при рецидиве.", "form": "remote", "quorum": "3"}
    return {**given, **chosen, "go": "call", "once_key": "one-call", **more}


def test_a_consultant_calls_a_council_from_several_centres(cast, client_as):
    way = Way(cast).concluding()
    client = client_as(way.consultant)
    page = text(client.get(f"/requests/{way.row.pk}/"))
    address = re.search(r'href="([^"]+/council/)"', page)[1]
    form = text(client.get(address))
    assert "Юдин Марк" in form
    assert "НМИЦ нейрохирургии" in form
    assert "Определение тактики лечения" in form
    answer = client.post(address, call_form(cast))
    assert answer.status_code == 302
    shown = text(client.get(answer.headers["Location"]))
    assert "Консилиум созван" in shown
    assert shown.count("Приглашён") >= 3
    with acting(way.consultant):
        council = Council.objects.get()
        assert (council.purpose, council.quorum, council.seats.count()) == ("treatment", 3, 3)


def test_a_search_keeps_who_is_chosen_and_what_was_typed(cast, client_as):
    way = Way(cast).concluding()
    given = call_form(cast, go="find", q="нейрохир")
    del given[f"seat-{cast.nmic_consultant.membership_id}"]
    page = text(client_as(way.consultant).post(f"/requests/{way.row.pk}/council/", given))
    assert "Юдин Марк" in page
    assert "Ершова Инна" in page
    assert "Тактика при рецидиве." in page
    assert "Не сохранено" not in page
    with acting(way.consultant):
        assert not Council.objects.exists()


def test_a_search_leaves_out_who_is_not_found(cast, client_as):
    way = Way(cast).concluding()
    page = text(
        client_as(way.consultant).post(f"/requests/{way.row.pk}/council/", {"go": "find", "q": "Юдин"})
    )
    assert "Юдин Марк" in page
    assert "Ершова Инна" not in page


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"reason": " "}, "Укажите, для чего"),
        ({"purpose": ""}, "Выберите цель."),
        ({"quorum": "9"}, "Кворум"),
        ({"purpose": "no such"}, "Цель консилиума"),
    ],
)
def test_a_wrong_call_comes_back_in_words_with_what_was_typed(cast, client_as, change, words):
    way = Way(cast).concluding()
    answer = client_as(way.consultant).post(f"/requests/{way.row.pk}/council/", call_form(cast, **change))
    assert answer.status_code == 422
    assert words in text(answer)
    assert re.search(r'value="chair" selected', text(answer))
    with acting(way.consultant):
        assert not Council.objects.exists()


def test_a_call_without_a_chair_is_refused_in_words(cast, client_as):
    way = Way(cast).concluding()
    given = call_form(cast, **{f"seat-{cast.cniis_consultant2.membership_id}": "member"})
    answer = client_as(way.consultant).post(f"/requests/{way.row.pk}/council/", given)
    assert answer.status_code == 422
    assert "Назовите одного председателя" in text(answer)


def test_a_call_sent_twice_is_one_council(cast, client_as):
    way = Way(cast).concluding()
    client = client_as(way.consultant)
    first, second = (client.post(f"/requests/{way.row.pk}/council/", call_form(cast)) for _ in range(2))
    assert first.headers["Location"] == second.headers["Location"]
    with acting(way.consultant):
        assert Council.objects.count() == 1


# --- Opinions


def test_an_opinion_is_kept_while_it_is_written_and_sealed_when_that_is_said(sitting, client_as):
    client = client_as(sitting.member)
    address = f"/councils/{sitting.council.pk}/"
    kept = client.post(f"{address}opinion/save/", {"opinion": SECRET})
    assert "Сохранено" in text(kept)
    assert SECRET in text(client.get(address))
    done = press(client, sitting, "opinion", opinion=SECRET, go="seal")
    assert done.status_code == 302
    shown = text(client.get(address))
    assert "Ваше мнение сдано." in shown
    assert 'textarea name="opinion"' not in shown
    late = client.post(f"{address}opinion/save/", {"opinion": "Иначе."})
    assert (late.status_code, "Не сохранено" in text(late)) == (422, True)
    with acting(sitting.member):
        assert Opinion.objects.get().text == SECRET


def test_an_empty_opinion_is_refused_in_words(sitting, client_as):
    answer = press(client_as(sitting.member), sitting, "opinion", opinion="  ", go="seal")
    assert answer.status_code == 422
    assert "Напишите мнение" in text(answer)


def test_others_see_that_an_opinion_is_sealed_and_no_word_of_it(sitting, open_as):
    sitting.do(sitting.member, councils.write_opinion, SECRET, seal=True)
    for actor in (
        sitting.chair,
        sitting.secretary,
        sitting.cast.cniis_consultant,
        sitting.cast.cniis_dispatcher,
    ):
        page = text(open_as(sitting, actor))
        assert page.count("Мнение сдано") == 1
        assert "сокровенное" not in page
        assert 'id="opinions"' not in page


def test_all_opinions_are_opened_together_and_stand_side_by_side(sitting, client_as, open_as):
    sitting.sealed()
    chair = client_as(sitting.chair)
    assert "Открыть мнения одновременно" in text(open_as(sitting, sitting.chair))
    assert "Открыть мнения одновременно" not in text(open_as(sitting, sitting.member))
    assert press(chair, sitting, "open").status_code == 302
    for actor in (*sitting.all, sitting.cast.cniis_consultant):
        assert text(open_as(sitting, actor)).count("сокровенное") == 3


def test_who_presses_too_early_is_told_why(sitting, client_as):
    answer = press(client_as(sitting.chair), sitting, "open")
    assert answer.status_code == 422
    assert "кворума нет" in text(answer)


# --- Answers and substitutes


def test_who_takes_part_says_so_and_who_declines_sees_nothing_any_more(sitting, client_as):
    chair, member = client_as(sitting.chair), client_as(sitting.member)
    assert press(chair, sitting, "answer", answer="accept").status_code == 302
    done = press(member, sitting, "answer", answer="decline", decline="В отпуске.")
    assert done.headers["Location"] == "/councils/"
    assert "Вы отказались" in text(member.get("/councils/"))
    assert member.get(f"/councils/{sitting.council.pk}/").status_code == 404
    assert member.get(f"/requests/{sitting.row.pk}/").status_code == 404
    assert "В отпуске." in text(chair.get(f"/councils/{sitting.council.pk}/"))


def test_a_dispatcher_calls_a_substitute(sitting, client_as):
    dispatcher = client_as(sitting.cast.cniis_dispatcher)
    with acting(sitting.cast.cniis_dispatcher):
        seat = Seat.objects.get(kind="member")
    with door(sitting.row.pk):
        Seat.objects.filter(kind="secretary").update(answer="declined")
    address = f"/councils/{sitting.council.pk}/seats/{seat.pk}/substitute/"
    assert "Юдин" in text(dispatcher.get(address))
    nobody = dispatcher.post(address, {"go": "call", "once_key": "a"})
    assert (nobody.status_code, "Выберите, кто займёт место" in text(nobody)) == (422, True)
    done = dispatcher.post(
        address,
        {"go": "call", "membership": str(sitting.cast.cniis_consultant.membership_id), "once_key": "b"},
    )
    assert done.status_code == 302
    page = text(dispatcher.get(f"/councils/{sitting.council.pk}/"))
    assert "Замена призвана" in page
    assert client_as(sitting.member).get(f"/councils/{sitting.council.pk}/").status_code == 404


# --- Discussion, decision, dissent


def test_members_talk_and_nobody_else_hears_it(sitting, client_as, open_as):
    sitting.opened()
    member = client_as(sitting.member)
    assert press(member, sitting, "say", line="Я бы подождал.").status_code == 302
    news = text(open_as(sitting, sitting.chair, "news/"))
    assert "Я бы подождал." in news
    assert "В консилиуме есть изменения" in news
    for actor in (sitting.cast.cniis_consultant, sitting.cast.cniis_dispatcher):
        assert "Я бы подождал." not in text(open_as(sitting, actor))
        assert "Я бы подождал." not in text(open_as(sitting, actor, "news/"))
    with acting(sitting.member):
        assert CouncilLine.objects.count() == 1


def test_news_say_nothing_while_nothing_has_changed(sitting, open_as):
    sitting.opened()
    page = text(open_as(sitting, sitting.chair))
    stamp = re.search(r"news/\?stamp=(\w+)", page)[1]
    assert "есть изменения" not in text(open_as(sitting, sitting.chair, f"news/?stamp={stamp}"))
    sitting.do(sitting.chair, councils.decide, "Резекция.")
    assert "есть изменения" in text(open_as(sitting, sitting.chair, f"news/?stamp={stamp}"))


def test_an_unwritten_decision_is_refused_and_what_was_typed_stays(sitting, client_as):
    sitting.opened()
    answer = press(client_as(sitting.chair), sitting, "decide", decision=" ")
    assert (answer.status_code, "Запишите решение." in text(answer)) == (422, True)


def test_a_decision_a_dissent_and_the_way_back(sitting, client_as, open_as):
    sitting.opened()
    press(client_as(sitting.secretary), sitting, "decide", decision="Резекция с пластикой.")
    press(client_as(sitting.member), sitting, "dissent", dissent="Достаточно наблюдения.")
    for actor in (sitting.chair, sitting.cast.cniis_consultant):
        page = text(open_as(sitting, actor))
        assert "Резекция с пластикой." in page
        assert "Достаточно наблюдения." in page
    printed = text(open_as(sitting, sitting.chair, "printed/"))
    assert "Достаточно наблюдения." in printed
    assert "Подписали ещё не все." in printed
    assert "<b>Юдин Марк</b> — Член, НМИЦ нейрохирургии" in printed
    press(client_as(sitting.chair), sitting, "rediscuss")
    page = text(open_as(sitting, sitting.chair))
    assert "Достаточно наблюдения." not in page
    assert "Резекция с пластикой." in page


# --- Signing


def test_each_signs_the_chair_last_and_the_page_says_who_is_awaited(sitting, client_as, open_as):
    sitting.signing()
    assert "Вы подписываете последним" in text(open_as(sitting, sitting.chair))
    assert press(client_as(sitting.chair), sitting, "sign").status_code == 422
    for actor in (sitting.member, sitting.secretary, sitting.chair):
        assert press(client_as(actor), sitting, "sign").status_code == 302
    page = text(open_as(sitting, sitting.secretary))
    assert "приложите скан" in page
    assert sitting.state() == CouncilState.SIGNED


def test_a_refusal_to_sign_says_why_and_goes_back(sitting, client_as, open_as):
    sitting.signing()
    member = client_as(sitting.member)
    empty = press(member, sitting, "refuse", refusal=" ")
    assert empty.status_code == 422
    assert press(member, sitting, "refuse", refusal="Нет моего мнения.").status_code == 302
    assert "Нет моего мнения." in text(open_as(sitting, sitting.secretary))
    assert sitting.state() == CouncilState.DECIDED


def test_who_called_the_council_cancels_it_with_a_reason(sitting, client_as):
    client = client_as(sitting.cast.cniis_consultant)
    bare = press(client, sitting, "cancel", reason="other")
    assert bare.status_code == 422
    assert press(client, sitting, "cancel", reason="not_needed").headers["Location"] == "/councils/"
    assert "Больше не нужен" in text(client.get(f"/councils/{sitting.council.pk}/"))


def test_a_page_that_is_old_is_told_so(sitting, client_as):
    sitting.opened()
    chair = client_as(sitting.chair)
    answer = chair.post(
        f"/councils/{sitting.council.pk}/decide/",
        {"decision": "Резекция.", "version": "1", "once_key": "old"},
    )
    assert answer.status_code == 422
    assert "Резекция." in text(answer)
    with acting(sitting.chair):
        assert Council.objects.get().state == CouncilState.DISCUSSION


# --- The desk, the request page, another role


def test_the_desk_of_a_member_says_what_they_are_called_to_what_is_at_work_and_what_is_past(
    sitting, client_as
):
    member = client_as(sitting.member)
    assert sitting.row.number in text(member.get("/councils/?tab=invited"))
    assert member.get("/").headers["Location"] == "/councils/"
    press(member, sitting, "answer", answer="accept")
    assert sitting.row.number not in text(member.get("/councils/?tab=invited"))
    assert sitting.row.number in text(member.get("/councils/?tab=work"))
    sitting.signed()
    assert sitting.row.number not in text(member.get("/councils/?tab=work"))
    assert sitting.row.number in text(member.get("/councils/?tab=past"))


def test_a_consultant_who_is_called_elsewhere_is_led_to_that_role(sitting, client_as):
    called = client_as(sitting.cast.nmic_consultant)
    page = text(called.get("/councils/"))
    assert "Вы приглашены в консилиумы" in page
    assert sitting.row.number not in page
    membership = re.search(r'name="membership" value="([^"]+)"', page)[1]
    assert membership == str(sitting.member.membership_id)
    called.post("/me/act-as/", {"membership": membership, "next": "/councils/"})
    assert sitting.row.number in text(called.get("/councils/"))


def test_who_is_called_still_signs_in_to_their_own_desk(sitting):
    called = sitting.cast.nmic_consultant
    assert account.first_membership(called.person_id) == called.membership_id
    assert (
        account.first_membership(sitting.cast.nmic_member.person_id) == sitting.cast.nmic_member.membership_id
    )


def test_who_is_secretary_of_the_own_request_is_led_to_that_role_on_its_page(sitting, client_as):
    page = text(client_as(sitting.cast.cniis_consultant).get(f"/requests/{sitting.row.pk}/"))
    assert f'value="{sitting.secretary.membership_id}"' in page
    assert "Перейти в роль участника консилиума" in page


def test_the_requesting_side_sees_who_sits_and_no_more(sitting, client_as):
    sitting.decided()
    doctor = client_as(sitting.cast.omsk_doctor)
    page = text(doctor.get(f"/requests/{sitting.row.pk}/"))
    assert "Юдин Марк" in page
    assert "Решение принято, готовится протокол" in page
    assert "Резекция с одномоментной" not in page
    assert "/councils/" not in page
    assert doctor.get(f"/councils/{sitting.council.pk}/").status_code == 403


def test_while_a_council_sits_its_secretary_writes_and_the_consultant_does_not(sitting, client_as):
    sitting.decided()
    address = f"/requests/{sitting.row.pk}/conclusion/"
    secretary = client_as(sitting.secretary)
    assert address in text(secretary.get(f"/councils/{sitting.council.pk}/"))
    assert secretary.get(address).status_code == 200
    assert address not in text(client_as(sitting.member).get(f"/councils/{sitting.council.pk}/"))
    assert address not in text(client_as(sitting.cast.cniis_consultant).get(f"/requests/{sitting.row.pk}/"))


def test_a_council_asks_the_database_as_often_for_a_long_discussion_as_for_a_short_one(cast, client_as):
    counts = []
    for said in (1, 20):
        sitting = Sitting(cast).opened()
        for _ in range(said):
            sitting.do(sitting.member, councils.say, "Слово.")
        client = client_as(sitting.chair)
        client.get(f"/councils/{sitting.council.pk}/")
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/councils/{sitting.council.pk}/")
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[0] < 45, counts


def test_after_access_ends_the_council_and_its_case_are_gone(sitting, client_as):
    sitting.signed()
    member = client_as(sitting.member)
    assert member.get(f"/councils/{sitting.council.pk}/").status_code == 200
    past = timezone.now() - timedelta(minutes=1)
    with door(sitting.row.pk):
        Seat.objects.update(access_until=past)
    assert member.get(f"/councils/{sitting.council.pk}/").status_code == 404
    assert member.get(f"/requests/{sitting.row.pk}/").status_code == 404
    assert sitting.row.number not in text(member.get("/councils/"))
