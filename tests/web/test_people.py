"""The organisation's administrator at their desk: who is shown, what can be done, what a second press does."""

import re

import pytest

from konsilium.actions import second_factor
from konsilium.models import Membership, Person
from konsilium.models.access import signing_in
from tests.actions.test_people import membership
from tests.actions.test_second_factor import turn_on

pytestmark = pytest.mark.django_db

FORM = {
    "family": "Щукина",
    "given": "Юлия",
    "patronymic": "Олеговна",
    "email": "s@example.org",
    "phone": "8 (3812) 12-34-56",
    "position": "врач-хирург",
    "roles": ["requester", "technician"],
}


def text(answer):
    return answer.content.decode()


def newcomer():
    with signing_in():
        return Person.objects.get(family="Щукина")


def test_the_list_shows_each_person_once_with_their_roles(cast, client_as):
    admin = client_as(cast.omsk_admin)
    admin.post("/people/invite/", FORM)
    rows = [(row.name, row.roles, row.state) for row in admin.get("/people/").context["rows"]]
    assert rows == [
        ("Гусев Пётр", "Технический специалист", "Есть доступ"),
        ("Зимина Анна", "Ответственное лицо", "Есть доступ"),
        ("Петров Илья", "Врач-заявитель", "Есть доступ"),
        ("Седова Нина", "Врач-заявитель", "Есть доступ"),
        ("Щукина Юлия Олеговна", "Врач-заявитель, Технический специалист", "Приглашён"),
    ]


def test_who_has_no_access_any_more_stands_last(cast, client_as):
    admin = client_as(cast.omsk_admin)
    admin.post(f"/people/{cast.omsk_technician.membership_id}/end/")
    rows = admin.get("/people/").context["rows"]
    assert (rows[-1].name, rows[-1].state) == ("Гусев Пётр", "Закрыт")


@pytest.mark.parametrize(
    ("typed", "found"), [("пет", ["Петров Илья"]), ("OMSK_DOC", ["Петров Илья", "Седова Нина"])]
)
def test_people_are_found_by_family_name_and_login(cast, client_as, typed, found):
    rows = client_as(cast.omsk_admin).get("/people/", {"q": typed}).context["rows"]
    assert [row.name for row in rows] == found


def test_a_search_never_leaves_the_house(cast, client_as):
    page = client_as(cast.omsk_admin).get("/people/", {"q": "Доржиев"})
    assert (page.context["rows"], "Никого не нашлось" in text(page)) == ([], True)


def test_the_form_offers_centre_roles_to_a_centre_only(cast, client_as):
    offered = lambda who: text(client_as(cast.actor_of(who)).get("/people/invite/"))  # noqa: E731
    assert "Диспетчер" not in offered("omsk_admin")
    assert "Диспетчер" in offered("cniis_admin")
    forged = client_as(cast.omsk_admin).post("/people/invite/", FORM | {"roles": ["dispatcher"]})
    assert forged.status_code == 422


def test_a_form_sent_twice_invites_once(cast, client_as):
    admin = client_as(cast.omsk_admin)
    form = FORM | {"once_key": "the-key-of-this-form"}
    assert "/link/" in text(admin.post("/people/invite/", form))
    again = admin.post("/people/invite/", form)
    assert again.headers["Location"] == f"/people/{newcomer().pk}/"
    other = admin.post("/people/invite/", form | {"given": "Анна"})
    assert (other.status_code, newcomer().given) == (422, "Юлия")


def test_a_bad_phone_is_said_beside_the_field_and_nothing_typed_is_lost(cast, client_as):
    answer = client_as(cast.omsk_admin).post("/people/invite/", FORM | {"phone": "123"})
    assert answer.status_code == 422
    assert all(words in text(answer) for words in ('value="Щукина"', 'value="123"', "Номер телефона"))


def test_a_persons_page_shows_how_to_reach_them_and_what_can_be_done(cast, client_as):
    admin = client_as(cast.omsk_admin)
    admin.post("/people/invite/", FORM)
    page = text(admin.get(f"/people/{newcomer().pk}/"))
    assert all(
        words in page for words in ("s@example.org", "+73812123456", "врач-хирург", "Пригласить снова")
    )
    mine = text(admin.get(f"/people/{cast.omsk_admin.person_id}/"))
    assert "Закрыть доступ" not in mine
    assert "Новая ссылка" not in mine


def test_a_new_link_is_shown_and_the_old_one_is_dead(cast, client_as, client):
    admin = client_as(cast.omsk_admin)
    links = []
    admin_page = admin.post("/people/invite/", FORM)
    links += re.findall(r"/link/[\w-]+/", text(admin_page))
    with signing_in():
        row = Membership.objects.filter(person=newcomer()).first()
    links += re.findall(r"/link/[\w-]+/", text(admin.post(f"/people/{row.pk}/again/")))
    assert [client.get(link).status_code for link in links] == [422, 200]


def test_a_role_is_given_ended_and_given_back(cast, client_as):
    admin, page = client_as(cast.omsk_admin), f"/people/{cast.omsk_doctor.person_id}/"
    pk = cast.omsk_doctor.membership_id
    assert admin.post(f"/people/{pk}/role/", {"role": "technician"}).headers["Location"] == page
    assert "Технический специалист" in text(admin.get(page))
    assert admin.post(f"/people/{pk}/role/", {"role": "consultant"}).status_code == 422
    assert admin.post(f"/people/{pk}/end/").headers["Location"] == page
    assert not membership(cast.omsk_doctor).is_active
    assert "Вернуть доступ" in text(admin.get(page))
    admin.post(f"/people/{pk}/restore/")
    assert membership(cast.omsk_doctor).is_active


def test_ones_own_access_is_not_ended_and_the_page_says_why(cast, client_as):
    answer = client_as(cast.omsk_admin).post(f"/people/{cast.omsk_admin.membership_id}/end/")
    assert (answer.status_code, "Свой доступ завершить нельзя" in text(answer)) == (422, True)


def test_a_lost_second_factor_is_taken_away_from_the_persons_page(cast, client_as):
    admin, doctor = client_as(cast.omsk_admin), membership(cast.omsk_doctor).person
    page = f"/people/{doctor.pk}/"
    assert "Снять второй фактор" not in text(admin.get(page))
    turn_on(doctor)
    assert "Снять второй фактор" in text(admin.get(page))
    admin.post(f"/people/{cast.omsk_doctor.membership_id}/second-factor/")
    assert not second_factor.is_on(doctor.pk)


@pytest.mark.parametrize("what", ["role", "second-factor", "again", "end", "restore"])
def test_somebody_of_another_house_is_not_there(cast, client_as, what):
    stranger = client_as(cast.chita_admin)
    for pk in (cast.omsk_doctor.membership_id, cast.house("omsk")):
        assert stranger.post(f"/people/{pk}/{what}/", {"role": "requester"}).status_code == 404
    assert stranger.get(f"/people/{cast.omsk_doctor.person_id}/").status_code == 404
    assert membership(cast.omsk_doctor).is_active


@pytest.mark.parametrize(
    "who", ["omsk_doctor", "omsk_technician", "cniis_dispatcher", "coordinator", "sysadmin"]
)
def test_only_administrators_manage_people(cast, client_as, who):
    assert client_as(cast.actor_of(who)).get("/people/").status_code == 403


def test_the_list_costs_the_same_for_few_and_many(cast, client_as, owner, django_assert_num_queries):
    admin = client_as(cast.omsk_admin)

    def count():
        with django_assert_num_queries(100, exact=False) as queries:
            assert admin.get("/people/").status_code == 200
        return len(queries)

    few = count()
    for number in range(12):
        admin.post("/people/invite/", FORM | {"family": f"Новый{number}"})
    assert count() == few
