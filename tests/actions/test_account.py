"""Signing in and what guards it, one-time links, own sessions, own data."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import ProgrammingError, connection, transaction

from konsilium.actions import account
from konsilium.actions._guessing import FAILURES_OF_A_NETWORK, FAILURES_OF_AN_ACCOUNT, TooManyTries
from konsilium.models import (
    Credential,
    DeskEvent,
    Membership,
    OneTimeLink,
    Person,
    SignInAttempt,
    WebSession,
    stored_key,
)
from konsilium.models.access import acting, as_worker, signing_in
from tests.cast import NOW, PASSWORD, PEOPLE

pytestmark = pytest.mark.django_db

HERE, THERE = "192.0.2.0/24", "198.51.100.0/24"
NEW = "совершенно новая фраза"


def try_in(login="omsk_doctor", password=PASSWORD, network=HERE, at=NOW):
    return account.check_sign_in(login=login, password=password, network=network, at=at)


def fail(times, login="omsk_doctor", network=HERE, at=NOW):
    for _ in range(times):
        try_in(login, "совсем не тот пароль", network, at)


def events(kind):
    with signing_in():
        return list(DeskEvent.objects.filter(kind=kind))


def test_the_right_password_names_the_person(cast):
    checked = try_in("  Omsk_Doctor ")
    assert (checked.person.pk, checked.needs_code, checked.refusal) == (
        cast.omsk_doctor.person_id,
        False,
        None,
    )


def test_wrong_password_unknown_login_and_ended_account_are_refused_alike(cast, owner):
    owner.execute("UPDATE konsilium_person SET is_active = false WHERE login = 'chita_doctor'")
    try:
        answers = [try_in(password="не тот пароль вовсе"), try_in("nobody"), try_in("chita_doctor")]
    finally:
        owner.execute("UPDATE konsilium_person SET is_active = true WHERE login = 'chita_doctor'")
    assert [(answer.person, str(answer.refusal)) for answer in answers] == [
        (None, "Login or password is wrong.")
    ] * 3


def test_an_unknown_login_costs_a_hash_and_as_many_queries_as_a_known_one(
    cast, monkeypatch, django_assert_num_queries
):
    checked, real = [], account.check_password

    def counted(password, kept):
        checked.append(kept)
        return real(password, kept)

    monkeypatch.setattr(account, "check_password", counted)
    for login in ("omsk_doctor", "nobody"):
        with django_assert_num_queries(13):
            try_in(login, "не тот пароль вовсе")
    assert len(checked) == 2
    assert {kept.rsplit("$", 2)[0] for kept in checked} == {checked[0].rsplit("$", 2)[0]}


def test_an_account_closes_after_ten_failures_for_a_quarter_of_an_hour(cast):
    fail(FAILURES_OF_AN_ACCOUNT - 1)
    assert try_in().refusal is None
    fail(1)
    assert isinstance(try_in().refusal, TooManyTries)
    assert isinstance(try_in(network=THERE).refusal, TooManyTries)
    assert try_in("omsk_admin").refusal is None
    assert try_in(at=NOW + timedelta(minutes=15, seconds=1)).refusal is None


def test_a_login_that_nobody_has_closes_just_the_same(cast):
    fail(FAILURES_OF_AN_ACCOUNT, login="nobody")
    assert isinstance(try_in("nobody").refusal, TooManyTries)


def test_a_network_closes_for_everybody_in_it_and_nobody_else(cast):
    with signing_in():
        SignInAttempt.objects.bulk_create(
            SignInAttempt(account_hash=str(number), network=HERE, at=NOW, succeeded=False)
            for number in range(FAILURES_OF_A_NETWORK)
        )
    assert isinstance(try_in("omsk_admin").refusal, TooManyTries)
    assert try_in("omsk_admin", network=THERE).refusal is None


def test_what_was_typed_as_login_is_kept_as_a_hash_only(cast):
    try_in("my password typed here")
    with signing_in():
        kept = SignInAttempt.objects.get()
    assert (kept.account_hash, kept.succeeded) == (account.hash_of("my password typed here"), False)


@pytest.mark.django_db(transaction=True)
def test_a_hundred_tries_at_once_are_counted_one_by_one(cast):
    def one(_):
        try:
            return type(try_in(password="не тот пароль вовсе").refusal).__name__
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(one, range(30)))
    assert (answers.count("WrongSignIn"), answers.count("TooManyTries")) == (FAILURES_OF_AN_ACCOUNT, 20)


def test_no_acting_role_reads_what_the_door_keeps(cast):
    for name in (
        "omsk_doctor",
        "omsk_admin",
        "omsk_technician",
        "cniis_consultant",
        "coordinator",
        "sysadmin",
    ):
        for model in (Credential, OneTimeLink, SignInAttempt, WebSession):
            with acting(cast.actor_of(name)), pytest.raises(ProgrammingError), transaction.atomic():
                model.objects.count()
    with as_worker(), pytest.raises(ProgrammingError), transaction.atomic():
        Credential.objects.count()
    with signing_in():
        assert Credential.objects.count() == len(PEOPLE)


def link(cast, purpose=OneTimeLink.INVITATION, who="omsk_doctor", at=NOW):
    with signing_in():
        return account.make_link(cast.actor_of(who).person_id, purpose, at=at)


def test_a_link_is_kept_as_a_hash_and_opens_for_its_person(cast):
    token = link(cast)
    assert account.open_link(token, at=NOW).pk == cast.omsk_doctor.person_id
    with signing_in():
        assert OneTimeLink.objects.get().token_hash == account.hash_of(token) != token


@pytest.mark.parametrize(("purpose", "hours"), [(OneTimeLink.INVITATION, 72), (OneTimeLink.RESET, 1)])
def test_a_link_dies_of_age(cast, purpose, hours):
    token = link(cast, purpose)
    assert account.open_link(token, at=NOW + timedelta(hours=hours, seconds=-1))
    with pytest.raises(account.LinkDead):
        account.open_link(token, at=NOW + timedelta(hours=hours))
    with pytest.raises(account.LinkDead):
        account.set_password_by_link(token, password=NEW, at=NOW + timedelta(hours=hours))


def test_a_link_works_once_and_takes_the_others_along(cast):
    first, other = link(cast, OneTimeLink.RESET), link(cast, OneTimeLink.RESET)
    account.set_password_by_link(first, password=NEW, at=NOW)
    for token in (first, other):
        with pytest.raises(account.LinkDead):
            account.set_password_by_link(token, password="другая длинная фраза", at=NOW)
    assert try_in(password=NEW).refusal is None
    assert try_in(password=PASSWORD).person is None


def test_a_new_invitation_ends_the_earlier_one_only_of_that_person(cast):
    old, foreign = link(cast), link(cast, who="chita_doctor")
    link(cast)
    with pytest.raises(account.LinkDead):
        account.open_link(old, at=NOW)
    assert account.open_link(foreign, at=NOW)


def test_an_unknown_token_is_a_dead_link(cast):
    with pytest.raises(account.LinkDead):
        account.open_link("no-such-token", at=NOW)


@pytest.mark.parametrize("password", ["короткий", "1q2w3e4r5t6y7u8i9o", "omsk_doctor2026"])
def test_a_weak_password_is_refused_and_the_link_lives(cast, password):
    token = link(cast)
    with pytest.raises(account.WeakPassword):
        account.set_password_by_link(token, password=password, at=NOW)
    assert account.open_link(token, at=NOW)
    assert try_in().refusal is None


def reset(typed, at=NOW, network=HERE):
    return [person.login for person, _ in account.ask_for_reset(typed, network=network, at=at)]


def test_a_reset_is_found_by_login_and_by_address(cast):
    assert reset(" OMSK_doctor ") == ["omsk_doctor"]
    assert reset("Chita_Doctor@example.org") == ["chita_doctor"]
    assert reset("nobody@example.org") == []


def test_somebody_who_never_entered_gets_no_reset(cast, owner):
    owner.execute("UPDATE konsilium_person SET has_entered = false WHERE login = 'pskov_doctor'")
    try:
        assert reset("pskov_doctor") == []
    finally:
        owner.execute("UPDATE konsilium_person SET has_entered = true WHERE login = 'pskov_doctor'")


def test_three_letters_in_a_quarter_of_an_hour_are_enough(cast):
    assert [reset("omsk_doctor") for _ in range(4)] == [["omsk_doctor"]] * 3 + [[]]
    assert reset("omsk_doctor", at=NOW + timedelta(minutes=16)) == ["omsk_doctor"]


def test_asking_again_and_again_closes_for_the_network_whoever_it_asks_for(cast):
    for number in range(FAILURES_OF_A_NETWORK):
        reset(f"nobody{number}")
    with pytest.raises(TooManyTries):
        reset("omsk_doctor")
    assert reset("omsk_doctor", network=THERE) == ["omsk_doctor"]


def test_asking_for_a_reset_does_not_close_the_account(cast):
    for _ in range(FAILURES_OF_AN_ACCOUNT):
        reset("omsk_doctor")
    assert try_in().refusal is None


def person(cast, who="omsk_doctor"):
    with signing_in():
        return Person.objects.get(pk=cast.actor_of(who).person_id)


def test_a_changed_password_ends_other_sessions_and_open_links(cast, client_as):
    here, there = client_as(cast.omsk_doctor), client_as(cast.omsk_doctor)
    foreign = client_as(cast.chita_doctor)
    token = link(cast, OneTimeLink.RESET)
    keep = stored_key(here.cookies["konsilium"].value)
    account.change_password(person(cast), old=PASSWORD, new=NEW, keep=keep, network=HERE, at=NOW)
    with signing_in():
        left = set(WebSession.objects.values_list("session_key", flat=True))
    assert left == {keep, stored_key(foreign.cookies["konsilium"].value)}
    assert stored_key(there.cookies["konsilium"].value) not in left
    with pytest.raises(account.LinkDead):
        account.open_link(token, at=NOW)
    assert [event.subject_id for event in events("password_changed")] == [cast.omsk_doctor.person_id]


def test_the_old_password_is_not_to_be_guessed_from_an_open_browser(cast):
    def change(old):
        account.change_password(person(cast), old=old, new=NEW, keep="", network=HERE, at=NOW)

    for _ in range(FAILURES_OF_AN_ACCOUNT):
        with pytest.raises(account.WrongPassword):
            change("не тот пароль вовсе")
    with pytest.raises(TooManyTries):
        change(PASSWORD)
    assert try_in().refusal is None


def test_one_session_is_ended_by_its_name_and_never_somebody_elses(cast, client_as):
    mine, theirs = client_as(cast.omsk_doctor), client_as(cast.chita_doctor)
    keys = [stored_key(client.cookies["konsilium"].value) for client in (mine, theirs)]
    assert account.end_sessions(cast.omsk_doctor.person_id, only=account.session_name(keys[1])) == 0
    assert account.end_sessions(cast.omsk_doctor.person_id, only=account.session_name(keys[0])) == 1
    assert keys[0] not in account.session_name(keys[0])


def test_a_person_in_one_active_organisation_has_one_membership_to_act_in(cast, owner):
    assert account.first_membership(cast.omsk_doctor.person_id) == cast.omsk_doctor.membership_id
    owner.execute("UPDATE konsilium_organization SET state = 'suspended' WHERE id = %s", [cast.house("omsk")])
    try:
        assert account.first_membership(cast.omsk_doctor.person_id) is None
        assert account.resting_organizations(cast.omsk_doctor.person_id) == ["Омская ОКБ"]
    finally:
        owner.execute(
            "UPDATE konsilium_organization SET state = 'active' WHERE id = %s", [cast.house("omsk")]
        )


def test_a_changed_name_is_remembered_and_a_changed_phone_is_not(cast):
    with acting(cast.omsk_doctor):
        row = Person.objects.get(pk=cast.omsk_doctor.person_id)
        row.phone, row.given = "+73812000000", "Илья-Мария"
        account.change_profile(row, ["phone"], None, [], at=NOW)
        assert events("name_changed") == []
        account.change_profile(row, ["given"], None, [], at=NOW)
    assert [event.text for event in events("name_changed")] == ["Петров Илья-Мария"]
    assert person(cast).phone == "+73812000000"


@pytest.mark.parametrize(
    "who", ["omsk_doctor", "omsk_admin", "omsk_technician", "cniis_dispatcher", "coordinator"]
)
def test_everybody_changes_their_own_place_and_nothing_else_of_a_membership(cast, who):
    actor = cast.actor_of(who)
    with acting(actor):
        row = Membership.objects.get(pk=actor.membership_id)
        row.position, row.role = "Заведующий", "sysadmin"
        account.change_profile(Person.objects.get(pk=actor.person_id), [], row, ["position"], at=NOW)
        assert Membership.objects.get(pk=actor.membership_id).position == "Заведующий"
        with pytest.raises(ProgrammingError), transaction.atomic():
            row.save(update_fields=["role"])
