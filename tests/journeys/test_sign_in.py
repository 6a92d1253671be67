"""A person comes in, is kept out where they should be, and goes: told through the pages."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from konsilium.models import SignInAttempt
from konsilium.models.access import signing_in
from tests.cast import PASSWORD, sign_in

pytestmark = pytest.mark.django_db

PHRASE = "длинный пароль из нескольких слов"


def enter(client, login, password=PASSWORD, **more):
    return client.post("/sign-in/", {"login": login, "password": password, **more})


def text(answer):
    return answer.content.decode()


def bare(answer):
    """A page without what differs each time: its moment, its tokens."""
    return re.sub(r'value="[^"]*"|data-now="[^"]*"|Token": "[^"]*"', "", text(answer))


def test_a_doctor_is_invited_sets_a_password_signs_in_and_leaves(cast, client_as, client):
    # The administrator invites; the link is shown once.
    admin = client_as(cast.omsk_admin)
    form = {"family": "Щукина", "given": "Юлия", "phone": "8 (3812) 12-34-56", "roles": "requester"}
    shown = admin.post("/people/invite/", form)
    assert "shchukina.yu" in text(shown)
    link = re.search(r"/link/[\w-]+/", text(shown))[0]
    assert "Приглашён" in text(admin.get("/people/"))

    # The doctor looks twice, mistypes, and sets the password.
    assert "Щукина Юлия" in text(client.get(link))
    differ = client.post(link, {"password": PHRASE, "again": "другое"})
    assert (differ.status_code, "Пароли не совпадают" in text(differ)) == (422, True)
    short = client.post(link, {"password": "короткий", "again": "короткий"})
    assert short.status_code == 422
    assert client.post(link, {"password": PHRASE, "again": PHRASE}).headers["Location"] == "/sign-in/"

    # The link is used up; nobody else gets in by it.
    late = Client().get(link)
    assert (late.status_code, "Ссылка уже использована" in text(late)) == (422, True)

    # One membership: straight to the desk, which says who acts as what and where.
    answer = enter(client, "shchukina.yu", PHRASE)
    assert answer.headers["Location"] == "/"
    assert client.get("/").headers["Location"] == "/requests/"
    page = text(client.get("/requests/"))
    assert all(words in page for words in ("Щукина Ю.", "Врач-заявитель", "Омская ОКБ"))
    assert "Есть доступ" in text(admin.get("/people/"))

    assert client.post("/sign-out/").headers["Location"] == "/sign-in/"
    assert client.get("/requests/").headers["Location"].startswith("/sign-in/")


def test_a_wrong_password_and_an_unknown_login_get_the_same_page(cast):
    pages = []
    for login in ("omsk_doctor", "nobody_here"):
        answer = enter(Client(), login, "совсем другой пароль")
        assert answer.status_code == 422
        pages.append(bare(answer))
    assert "Неверный логин или пароль" in pages[0]
    assert pages[0] == pages[1]


def test_after_ten_failures_even_the_right_password_has_to_wait(cast, client):
    for _ in range(10):
        enter(client, "omsk_doctor", "не тот пароль совсем")
    answer = enter(client, "omsk_doctor")
    assert (answer.status_code, "Слишком много попыток" in text(answer)) == (422, True)
    assert enter(Client(), "omsk_admin").status_code == 302
    with signing_in():
        assert SignInAttempt.objects.filter(succeeded=False).count() == 10


def device_code(login="omsk_doctor", ahead=0):
    with signing_in():
        device = TOTPDevice.objects.get(user__login=login)
    clock = TOTP(device.bin_key, device.step, device.t0, device.digits)
    clock.time = (timezone.now() + timedelta(seconds=ahead)).timestamp()
    return f"{clock.token():06d}"


def turn_factor_on(client):
    assert "<svg" in text(client.get("/me/security/second-factor/"))
    answer = client.post("/me/security/second-factor/", {"code": device_code(), "password": PASSWORD})
    assert answer.status_code == 200
    return answer.context["codes"]


def test_with_a_second_factor_the_password_alone_opens_nothing(cast, client_as, client):
    doctor = client_as(cast.omsk_doctor)
    codes = turn_factor_on(doctor)
    # Half a minute may end in between: the used code is the one of its turning on.
    first = device_code()
    assert len(codes) == 10
    answer = enter(client, "omsk_doctor", next="/notices/")
    assert answer.headers["Location"] == "/sign-in/code/?next=/notices/"
    for address in ("/me/", "/requests/", "/me/security/"):
        assert client.get(address).headers["Location"].startswith("/sign-in/")

    # The code that turned it on is used; a recovery code fits once.
    used = client.post("/sign-in/code/", {"code": first})
    assert (used.status_code, "Код не подходит" in text(used)) == (422, True)
    answer = client.post("/sign-in/code/", {"code": codes[0], "next": "/notices/"})
    assert answer.headers["Location"] == "/notices/"
    assert client.get("/notices/").status_code == 200

    other = Client()
    enter(other, "omsk_doctor")
    assert other.post("/sign-in/code/", {"code": codes[0]}).status_code == 422
    assert other.post("/sign-in/code/", {"code": device_code(ahead=30)}).status_code == 302


def test_the_code_page_is_for_those_whose_password_was_right_and_not_for_long(cast, client_as, client):
    turn_factor_on(client_as(cast.omsk_doctor))
    assert client.get("/sign-in/code/").headers["Location"] == "/sign-in/"
    enter(client, "omsk_doctor")
    session = client.session
    who, since = session["waits_for_code"]
    session["waits_for_code"] = [who, since - 301]
    session.save()
    assert client.post("/sign-in/code/", {"code": device_code(ahead=30)}).headers["Location"] == "/sign-in/"


def test_the_second_factor_is_turned_off_with_password_and_code(cast, client_as):
    doctor = client_as(cast.omsk_doctor)
    codes = turn_factor_on(doctor)
    assert doctor.get("/me/security/second-factor/").headers["Location"] == "/me/security/"
    form = {"password": PASSWORD, "code": "000000"}
    assert doctor.post("/me/security/second-factor/end/", form).status_code == 422
    assert doctor.post("/me/security/second-factor/end/", form | {"code": codes[3]}).status_code == 302
    assert enter(Client(), "omsk_doctor").headers["Location"] == "/"


def test_the_session_key_changes_at_sign_in_and_when_the_role_changes(cast, client, owner):
    insert = "INSERT INTO konsilium_membership (id, person_id, organization_id, role, department, position, specialty,"
    insert += " is_active, created_at) VALUES (gen_random_uuid(), %s, %s, %s, '', '', '', true, now())"
    owner.execute(insert, [cast.pskov_doctor.person_id, cast.house("pskov"), "technician"])
    try:
        answer = enter(client, "pskov_doctor")
        assert answer.headers["Location"].startswith("/me/act-as/")
        first = client.cookies["konsilium"].value
        page = client.get("/me/act-as/")
        assert text(page).count("Псковская ОКБ") == 2
        assert client.get("/requests/").headers["Location"] == "/me/act-as/"
        chosen = next(row for row, _ in page.context["rows"] if row.role == "technician")
        answer = client.post("/me/act-as/", {"membership": str(chosen.pk)})
        second = client.cookies["konsilium"].value
        assert first != second
        assert client.get("/organization/").status_code == 200
        assert client.get("/requests/").status_code == 403
        foreign = client.post("/me/act-as/", {"membership": str(cast.omsk_doctor.membership_id)})
        assert foreign.status_code == 404
        old = Client()
        old.cookies["konsilium"] = first
        assert old.get("/organization/").headers["Location"].startswith("/sign-in/")
    finally:
        owner.execute(
            "DELETE FROM konsilium_membership WHERE role = 'technician' AND person_id = %s",
            [cast.pskov_doctor.person_id],
        )


def test_somebody_without_a_membership_is_told_so(cast, client, owner):
    end = "UPDATE konsilium_membership SET is_active = %s WHERE id = %s"
    owner.execute(end, [False, cast.pskov_doctor.membership_id])
    try:
        enter(client, "pskov_doctor")
        assert "Нет роли, в которой можно работать" in text(client.get("/me/act-as/"))
        assert client.get("/").headers["Location"] == "/me/act-as/"
        assert client.get("/me/").status_code == 200
    finally:
        owner.execute(end, [True, cast.pskov_doctor.membership_id])


def test_people_of_a_suspended_organisation_are_told_so_at_their_next_page(cast, client_as, owner):
    doctor = client_as(cast.pskov_doctor)
    assert doctor.get("/requests/").status_code == 200
    suspend = "UPDATE konsilium_organization SET state = %s WHERE id = %s"
    owner.execute(suspend, ["suspended", cast.house("pskov")])
    try:
        assert doctor.get("/requests/").headers["Location"] == "/me/act-as/"
        assert "организация не активна: Псковская ОКБ" in text(doctor.get("/me/act-as/"))
    finally:
        owner.execute(suspend, ["active", cast.house("pskov")])


def test_other_sessions_are_seen_and_ended_and_out_at_their_next_request(cast):
    here, there, third = (Client() for _ in range(3))
    agent = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/141.0 Safari/537.36"
    for client in (here, there, third):
        sign_in(client, cast.omsk_doctor)
    enter(Client(headers={"user-agent": agent}), "omsk_doctor")
    page = here.get("/me/security/")
    assert (text(page).count("127.0.0.0/24"), "Chrome, Windows" in text(page)) == (4, True)
    name = next(one["name"] for one in page.context["sessions"] if not one["here"])
    here.post("/me/security/sessions/end/", {"only": name})
    assert len(here.get("/me/security/").context["sessions"]) == 3
    here.post("/me/security/sessions/end/")
    assert [client.get("/me/").status_code for client in (there, third, here)] == [302, 302, 200]


def test_a_new_password_ends_the_other_sessions(cast, client_as):
    here, there = client_as(cast.omsk_doctor), client_as(cast.omsk_doctor)
    form = {"old": PASSWORD, "password": PHRASE, "again": PHRASE}
    wrong = here.post("/me/security/password/", form | {"old": "не тот пароль вовсе"})
    assert (wrong.status_code, "Нынешний пароль введён неверно" in text(wrong)) == (422, True)
    assert here.post("/me/security/password/", form).status_code == 302
    assert [client.get("/me/").status_code for client in (here, there)] == [200, 302]
    assert enter(Client(), "omsk_doctor", PHRASE).status_code == 302


def test_a_reset_answers_the_same_for_somebody_and_nobody(cast, client):
    pages = [bare(client.post("/forgot/", {"typed": typed})) for typed in ("omsk_doctor", "nobody_at_all")]
    assert pages[0] == pages[1]
    assert "Проверьте почту" in pages[0]


def test_the_page_of_a_link_gives_its_address_to_nobody(cast, client_as, client):
    shown = client_as(cast.omsk_admin).post(
        "/people/invite/", {"family": "А", "given": "Б", "roles": "requester"}
    )
    link = re.search(r"/link/[\w-]+/", text(shown))[0]
    for answer in (client.get(link), client.get("/link/no-such/")):
        assert answer.headers["Referrer-Policy"] == "strict-origin"
        assert answer.headers["Cache-Control"] == "no-store"
    assert shown.headers["Cache-Control"] == "no-store"
    assert re.findall(r'(?:href|src|action)="(?!/)[^"#]', text(client.get(link))) == []


@pytest.mark.parametrize(
    "address", ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)", "me"]
)
def test_nobody_is_led_out_of_the_house_after_signing_in(cast, client, address):
    assert enter(client, "omsk_doctor", next=address).headers["Location"] == "/"


def test_the_language_is_kept_for_the_browser_and_the_person(cast, client_as):
    doctor = client_as(cast.omsk_doctor)
    assert "Личные данные" in text(doctor.get("/me/"))
    answer = doctor.post("/language/", {"language": "en", "next": "/me/"})
    assert answer.headers["Location"] == "/me/"
    assert "Own data" in text(doctor.get("/me/"))
    assert "Own data" in text(client_as(cast.omsk_doctor).get("/me/"))
    doctor.post("/language/", {"language": "xx"})
    assert "Own data" in text(doctor.get("/me/"))


def test_own_data_is_checked_and_kept(cast, client_as):
    doctor = client_as(cast.omsk_doctor)
    form = {
        "family": "Петров",
        "given": "Илья",
        "snils": "112-233-445 96",
        "phone": "8 916 123-45-67",
        "email": "petrov@example.org",
        "place-department": "Хирургия",
        "place-position": "врач-хирург",
    }
    wrong = doctor.post("/me/", form)
    assert (wrong.status_code, "Контрольные цифры" in text(wrong)) == (422, True)
    assert doctor.post("/me/", form | {"snils": "112-233-445 95"}).status_code == 302
    page = text(doctor.get("/me/"))
    assert all(
        value in page for value in ("112-233-445 95", "+79161234567", "petrov@example.org", "врач-хирург")
    )
