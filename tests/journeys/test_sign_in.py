"""A person comes in, is kept out where they should be, and goes."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from konsilium.actions import account, people
from konsilium.models import Credential, Membership, SignInAttempt
from konsilium.models.access import acting, signing_in
from konsilium.workflow.machine import NotYours, Refused
from konsilium.workflow.roles import Role
from tests.cast import NOW, PASSWORD

pytestmark = pytest.mark.django_db


def enter(client, login, password=PASSWORD):
    return client.post("/sign-in/", {"login": login, "password": password})


def test_a_doctor_signs_in_and_stands_at_their_desk(cast, client):
    answer = enter(client, "omsk_doctor")
    assert answer.status_code == 302
    page = client.get("/me/")
    assert "Омская ОКБ" in page.content.decode()
    assert "Врач-заявитель" in page.content.decode()


def test_a_wrong_password_and_an_unknown_login_get_the_same_words(cast, client):
    wrong = enter(client, "omsk_doctor", "совсем другой пароль")
    unknown = enter(client, "nobody_here", "совсем другой пароль")
    assert wrong.status_code == unknown.status_code == 422
    assert "Неверный логин или пароль" in wrong.content.decode()
    assert "Неверный логин или пароль" in unknown.content.decode()


def test_after_ten_failures_even_the_right_password_has_to_wait(cast, client):
    for _ in range(10):
        enter(client, "omsk_doctor", "не тот пароль совсем")
    answer = enter(client, "omsk_doctor")
    assert answer.status_code == 422
    assert "Слишком много попыток" in answer.content.decode()
    assert enter(Client(), "omsk_admin").status_code == 302


def test_sixty_failures_close_a_network_for_every_account(cast, client):
    with signing_in():
        SignInAttempt.objects.bulk_create(
            SignInAttempt(account_hash=str(n), network="127.0.0.0/24", at=NOW, succeeded=False) for n in range(60)
        )
        checked = account.check_sign_in(login="omsk_admin", password=PASSWORD, network="127.0.0.0/24", at=NOW)
        elsewhere = account.check_sign_in(login="omsk_admin", password=PASSWORD, network="10.0.0.0/24", at=NOW)
    assert isinstance(checked.refusal, account.TooManyTries)
    assert elsewhere.refusal is None


def test_a_failed_try_is_remembered_although_the_page_refuses(cast, client):
    enter(client, "omsk_doctor", "не тот пароль совсем")
    with signing_in():
        assert SignInAttempt.objects.filter(succeeded=False).count() == 1


def turn_factor_on(client):
    page = client.get("/me/security/second-factor/")
    assert page.status_code == 200
    with signing_in():
        device = TOTPDevice.objects.get(confirmed=False)
    code = TOTP(device.bin_key, device.step, device.t0, device.digits).token()
    answer = client.post("/me/security/second-factor/", {"code": f"{code:06d}"})
    assert answer.status_code == 200
    return answer.context["codes"]


def test_with_a_second_factor_the_password_alone_opens_nothing(cast, client_as, client):
    codes = turn_factor_on(client_as(cast.omsk_doctor))
    assert len(codes) == 10
    answer = enter(client, "omsk_doctor")
    assert answer.headers["Location"].startswith("/sign-in/code/")
    assert client.get("/me/").status_code == 302
    assert client.post("/sign-in/code/", {"code": codes[0]}).status_code == 302
    assert client.get("/me/").status_code == 200


def test_a_code_fits_once(cast, client_as, client):
    codes = turn_factor_on(client_as(cast.omsk_doctor))
    enter(client, "omsk_doctor")
    client.post("/sign-in/code/", {"code": codes[0]})
    other = Client()
    enter(other, "omsk_doctor")
    assert other.post("/sign-in/code/", {"code": codes[0]}).status_code == 422
    with signing_in():
        device = TOTPDevice.objects.get(confirmed=True)
        device.throttle_reset()
        device.last_t = -1
        device.save()
        code = f"{TOTP(device.bin_key, device.step, device.t0, device.digits).token():06d}"
    assert other.post("/sign-in/code/", {"code": code}).status_code == 302
    third = Client()
    enter(third, "omsk_doctor")
    assert third.post("/sign-in/code/", {"code": code}).status_code == 422


def test_an_ended_session_is_out_at_its_next_request(cast, client_as):
    here, there = client_as(cast.omsk_doctor), client_as(cast.omsk_doctor)
    assert there.get("/me/").status_code == 200
    here.post("/me/security/sessions/end/")
    assert there.get("/me/").status_code == 302
    assert here.get("/me/").status_code == 200


def test_nobody_ends_another_persons_session(cast, client_as):
    mine, theirs = client_as(cast.omsk_doctor), client_as(cast.chita_doctor)
    name = account.session_name(theirs.cookies["konsilium"].value)
    mine.post("/me/security/sessions/end/", {"only": name})
    assert theirs.get("/me/").status_code == 200


def invited(cast):
    invitee = people.Invitee("Щукина", "Юлия", "Олеговна", email="s@example.org")
    organization = Membership.objects.select_related("organization").filter(
        organization_id=cast.omsk_admin.organization_id
    )[0].organization
    return people.invite(
        invitee, roles=[Role.REQUESTER], organization=organization, actor=cast.omsk_admin, at=NOW
    )


def test_an_invited_person_sets_their_own_password_once(cast, client):
    with acting(cast.omsk_admin):
        person, token = invited(cast)
    assert person.login == "shchukina.yu"
    with signing_in():
        assert account.open_link(token, at=NOW).pk == person.pk
        account.set_password_by_link(token, password="длинный пароль из слов", at=NOW)
        with pytest.raises(account.LinkDead):
            account.set_password_by_link(token, password="другой длинный пароль", at=NOW)
    assert enter(client, "shchukina.yu", "длинный пароль из слов").status_code == 302


def test_a_link_dies_of_age(cast):
    with acting(cast.omsk_admin):
        _, token = invited(cast)
    with pytest.raises(account.LinkDead):
        account.open_link(token, at=NOW + timedelta(hours=73))


def test_a_short_password_is_refused_and_the_link_lives(cast):
    with acting(cast.omsk_admin):
        _, token = invited(cast)
    with pytest.raises(account.WeakPassword):
        account.set_password_by_link(token, password="short", at=NOW)
    assert account.open_link(token, at=NOW)


def test_a_new_password_ends_the_other_sessions(cast, client_as):
    here, there = client_as(cast.omsk_doctor), client_as(cast.omsk_doctor)
    new = "совершенно новая фраза"
    answer = here.post("/me/security/password/", {"old": PASSWORD, "password": new, "again": new})
    assert answer.status_code == 302
    assert here.get("/me/").status_code == 200
    assert there.get("/me/").status_code == 302


def test_a_reset_answers_the_same_for_somebody_and_nobody(cast, client):
    pages = [client.post("/forgot/", {"typed": typed}).content.decode() for typed in ("omsk_doctor", "nobody_at_all")]
    known, unknown = (re.sub(r'[\w+:.-]{64}|data-now="[^"]*"', "", page) for page in pages)
    assert "Проверьте почту" in known
    assert known == unknown


def test_ended_access_counts_from_the_next_request(cast, client_as):
    doctor = client_as(cast.omsk_doctor)
    assert doctor.get("/notices/").status_code == 200
    answer = client_as(cast.omsk_admin).post(f"/people/{cast.omsk_doctor.membership_id}/end/")
    assert answer.status_code == 302
    assert doctor.get("/notices/").headers["Location"] == "/me/act-as/"


def test_an_administrator_neither_sees_nor_ends_people_of_another_house(cast, client_as):
    admin = client_as(cast.chita_admin)
    assert admin.post(f"/people/{cast.omsk_doctor.membership_id}/end/").status_code == 404
    assert "Петров" not in admin.get("/people/").content.decode()


def test_an_administrator_does_not_end_their_own_access(cast):
    with acting(cast.omsk_admin):
        row = Membership.objects.select_related("person", "organization").get(pk=cast.omsk_admin.membership_id)
        with pytest.raises(Refused):
            people.end_access(row, actor=cast.omsk_admin, at=NOW)


def test_a_hospital_that_does_not_consult_has_no_dispatchers(cast):
    with acting(cast.omsk_admin):
        row = Membership.objects.select_related("person", "organization").get(pk=cast.omsk_admin.membership_id)
        with pytest.raises(Refused):
            people.add_role(row, Role.DISPATCHER, actor=cast.omsk_admin, at=NOW)
        with pytest.raises(NotYours):
            people.add_role(row, Role.COORDINATOR, actor=cast.omsk_admin, at=NOW)


def test_no_acting_role_reads_a_password(cast):
    from django.db import ProgrammingError, transaction

    for name in ("omsk_doctor", "omsk_admin", "cniis_dispatcher", "coordinator", "sysadmin"):
        with acting(getattr(cast, name)), pytest.raises(ProgrammingError), transaction.atomic():
            Credential.objects.count()
    with signing_in():
        assert Credential.objects.count() == 18
