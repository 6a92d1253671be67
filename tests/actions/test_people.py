"""Who gives access to whom, and takes it away."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import ProgrammingError, connection, transaction

from konsilium.actions import account, people, second_factor
from konsilium.models import DeskEvent, Membership, OneTimeLink, Organization, Person, WebSession
from konsilium.models.access import acting, signing_in
from konsilium.workflow.machine import NotYours, Refused
from konsilium.workflow.roles import Role
from tests.actions.test_second_factor import turn_on
from tests.cast import NOW, STRANGERS

pytestmark = pytest.mark.django_db

YULIA = people.Invitee("Щукина", "Юлия", "Олеговна", email="s@example.org", position="врач-хирург")


def invite(cast, actor, roles, house="", invitee=YULIA):
    with acting(actor):
        organization = Organization(pk=cast.house(house)) if house else None
        organization = organization or Organization.objects.get(pk=actor.organization_id)
        return people.invite(invitee, roles=roles, organization=organization, actor=actor, at=NOW)


def membership(actor):
    with signing_in():
        return Membership.objects.select_related("person", "organization").get(pk=actor.membership_id)


def do(actor, verb, about, *given):
    row = membership(about)
    with acting(actor):
        return verb(row, *given, actor=actor, at=NOW)


def kinds(cast, house="omsk"):
    with signing_in():
        rows = DeskEvent.objects.filter(organization_id=cast.house(house))
        return [(row.kind, row.actor_name, row.text) for row in rows]


def test_an_invited_person_has_the_roles_and_no_password(cast):
    person, token = invite(cast, cast.omsk_admin, [Role.REQUESTER, Role.TECHNICIAN])
    assert (person.login, person.has_entered) == ("shchukina.yu", False)
    assert account.open_link(token, at=NOW).pk == person.pk
    with signing_in():
        rows = Membership.objects.filter(person=person, organization_id=cast.house("omsk"), is_active=True)
        assert sorted(rows.values_list("role", "position")) == [
            ("requester", "врач-хирург"),
            ("technician", "врач-хирург"),
        ]
    assert kinds(cast) == [("person_invited", "Зимина Анна", "")]


def test_namesakes_get_logins_of_their_own(cast):
    logins = [invite(cast, cast.omsk_admin, [Role.REQUESTER])[0].login for _ in range(3)]
    foreign = invite(cast, cast.chita_admin, [Role.REQUESTER])[0].login
    assert [*logins, foreign] == ["shchukina.yu", "shchukina.yu2", "shchukina.yu3", "shchukina.yu4"]


@pytest.mark.parametrize(
    ("family", "given", "login"),
    [
        ("Ёлкин", "Яков", "elkin.ya"),
        ("Мельник-Подъячев", "Ян", "melnikpodyachev.ya"),
        ("O'Brien", "Sean", "obrien.s"),
        ("李", "", "doctor"),
    ],
)
def test_a_login_is_made_of_latin_letters(cast, family, given, login):
    assert people.login_for(people.Invitee(family, given)) == login


@pytest.mark.parametrize(
    ("who", "role"),
    [
        ("omsk_admin", Role.COORDINATOR),
        ("omsk_admin", Role.SYSADMIN),
        ("omsk_doctor", Role.REQUESTER),
        ("cniis_dispatcher", Role.CONSULTANT),
        ("coordinator", Role.REQUESTER),
    ],
)
def test_nobody_gives_roles_that_are_not_theirs_to_give(cast, who, role):
    with pytest.raises(NotYours, match="these roles"):
        invite(cast, cast.actor_of(who), [role])


def test_an_invitation_without_a_role_or_into_another_house_is_refused(cast):
    with pytest.raises(NotYours):
        invite(cast, cast.omsk_admin, [])
    with pytest.raises(NotYours):
        invite(cast, cast.omsk_admin, [Role.REQUESTER], house="chita")


def test_only_a_centre_has_dispatchers_and_consultants(cast):
    with pytest.raises(Refused, match="Only a consulting centre"):
        invite(cast, cast.omsk_admin, [Role.DISPATCHER])
    assert invite(cast, cast.cniis_admin, [Role.CONSULTANT])


def test_a_refused_invitation_leaves_nothing_behind(cast):
    with signing_in():
        before = Person.objects.count()
    with pytest.raises(Refused):
        invite(cast, cast.omsk_admin, [Role.REQUESTER, Role.CONSULTANT])
    with signing_in():
        assert (Person.objects.count(), OneTimeLink.objects.count()) == (before, 0)


def test_the_coordinator_issues_access_once_the_organisation_is_active(cast):
    with acting(cast.coordinator):
        house = Organization.objects.get(pk=cast.house("pskov"))
        person, token = people.issue_access(house, YULIA, actor=cast.coordinator, at=NOW)
        house.state = "equipment_test"
        with pytest.raises(Refused, match="once the organisation is active"):
            people.issue_access(house, YULIA, actor=cast.coordinator, at=NOW)
    assert account.open_link(token, at=NOW).pk == person.pk
    with signing_in():
        assert list(person.memberships.values_list("role", flat=True)) == [Role.ORG_ADMIN]


def test_a_new_link_ends_the_earlier_one(cast):
    person, first = invite(cast, cast.omsk_admin, [Role.REQUESTER])
    with signing_in():
        row = Membership.objects.select_related("person", "organization").get(person=person)
    with acting(cast.omsk_admin):
        second = people.invite_again(row, actor=cast.omsk_admin, at=NOW)
    with pytest.raises(account.LinkDead):
        account.open_link(first, at=NOW)
    assert account.open_link(second, at=NOW).pk == person.pk


def test_no_house_makes_a_link_for_somebody_who_works_in_another_too(cast, owner):
    extra = "INSERT INTO konsilium_membership (id, person_id, organization_id, role, department, position, specialty,"
    extra += (
        " is_active, created_at) VALUES (gen_random_uuid(), %s, %s, 'requester', '', '', '', true, now())"
    )
    owner.execute(extra, [cast.cniis_consultant.person_id, cast.house("chita")])
    try:
        with signing_in():
            row = Membership.objects.select_related("person", "organization").get(
                person_id=cast.cniis_consultant.person_id, organization_id=cast.house("chita")
            )
        with acting(cast.chita_admin):
            for verb in (people.invite_again, people.take_second_factor):
                with pytest.raises(NotYours, match="another organisation too"):
                    verb(row, actor=cast.chita_admin, at=NOW)
    finally:
        owner.execute("DELETE FROM konsilium_membership WHERE id = %s", [row.pk])


STRANGER_VERBS = (people.invite_again, people.end_access, people.restore_access, people.take_second_factor)


@pytest.mark.parametrize("verb", STRANGER_VERBS)
@pytest.mark.parametrize(
    "who", [*STRANGERS.values(), "omsk_doctor2", "omsk_technician", "coordinator", "sysadmin"]
)
def test_nobody_but_the_own_administrator_touches_a_doctors_access(cast, verb, who):
    with pytest.raises(NotYours):
        do(cast.actor_of(who), verb, cast.omsk_doctor)
    assert membership(cast.omsk_doctor).is_active
    assert kinds(cast) == []


def test_ended_access_is_out_at_once_and_can_be_given_back(cast, client_as):
    doctor, colleague = client_as(cast.omsk_doctor), client_as(cast.omsk_doctor2)
    assert doctor.get("/notices/").status_code == 200
    do(cast.omsk_admin, people.end_access, cast.omsk_doctor)
    assert doctor.get("/notices/").headers["Location"].startswith("/sign-in/")
    assert colleague.get("/notices/").status_code == 200
    assert account.first_membership(cast.omsk_doctor.person_id) is None
    do(cast.omsk_admin, people.restore_access, cast.omsk_doctor)
    assert account.first_membership(cast.omsk_doctor.person_id) == cast.omsk_doctor.membership_id
    assert [kind for kind, *_ in kinds(cast)] == ["access_ended", "access_restored"]


def test_nobody_ends_their_own_access(cast):
    with pytest.raises(Refused, match="can't end your own"):
        do(cast.omsk_admin, people.end_access, cast.omsk_admin)
    assert membership(cast.omsk_admin).is_active


def test_the_coordinator_ends_a_responsible_persons_access(cast):
    do(cast.coordinator, people.end_access, cast.omsk_admin)
    assert not membership(cast.omsk_admin).is_active


def test_somebody_whose_own_access_was_ended_meanwhile_ends_nobodys(cast, owner):
    owner.execute(
        "UPDATE konsilium_membership SET is_active = false WHERE id = %s", [cast.omsk_admin.membership_id]
    )
    try:
        with pytest.raises(NotYours, match="ended meanwhile"):
            do(cast.omsk_admin, people.end_access, cast.omsk_doctor)
    finally:
        owner.execute(
            "UPDATE konsilium_membership SET is_active = true WHERE id = %s", [cast.omsk_admin.membership_id]
        )


@pytest.mark.django_db(transaction=True)
def test_two_administrators_who_end_each_other_leave_one(cast):
    do(cast.omsk_admin, people.add_role, cast.omsk_doctor, Role.ORG_ADMIN)
    with signing_in():
        rows = Membership.objects.select_related("person", "organization")
        other = rows.get(person_id=cast.omsk_doctor.person_id, role=Role.ORG_ADMIN)
    pairs = [(cast.omsk_admin, other), (other.actor(), membership(cast.omsk_admin))]

    def end(pair):
        actor, row = pair
        try:
            with acting(actor):
                people.end_access(row, actor=actor, at=NOW)
        except NotYours:
            return "refused"
        else:
            return "ended"
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(end, pairs)) == ["ended", "refused"]


def test_one_more_role_is_given_once_and_an_ended_one_comes_back(cast):
    do(cast.omsk_admin, people.add_role, cast.omsk_doctor, Role.TECHNICIAN)
    with signing_in():
        row = Membership.objects.get(person_id=cast.omsk_doctor.person_id, role=Role.TECHNICIAN)
        assert (row.position, row.organization_id) == ("Врач", cast.house("omsk"))
        Membership.objects.filter(pk=row.pk)
    do(cast.omsk_admin, people.add_role, cast.omsk_doctor, Role.TECHNICIAN)
    with signing_in():
        assert Membership.objects.filter(person_id=cast.omsk_doctor.person_id).count() == 2
    with pytest.raises(Refused):
        do(cast.omsk_admin, people.add_role, cast.omsk_doctor, Role.CONSULTANT)
    with pytest.raises(NotYours):
        do(cast.omsk_admin, people.add_role, cast.omsk_doctor, Role.COORDINATOR)
    with pytest.raises(NotYours):
        do(cast.chita_admin, people.add_role, cast.omsk_doctor, Role.TECHNICIAN)


def test_a_lost_second_factor_is_taken_by_the_administrator_and_not_by_oneself(cast):
    doctor, admin = membership(cast.omsk_doctor).person, membership(cast.omsk_admin).person
    turn_on(doctor)
    turn_on(admin)
    do(cast.omsk_admin, people.take_second_factor, cast.omsk_doctor)
    assert not second_factor.is_on(doctor.pk)
    with pytest.raises(NotYours):
        do(cast.omsk_admin, people.take_second_factor, cast.omsk_admin)
    with pytest.raises(NotYours):
        do(cast.coordinator, people.take_second_factor, cast.omsk_admin)
    assert second_factor.is_on(admin.pk)
    assert kinds(cast) == [("second_factor_taken", "Зимина Анна", "")]


def test_the_database_lets_no_administrator_into_another_house(cast):
    """The floor below the rules: what a forgotten check would meet."""
    with acting(cast.omsk_admin):
        foreign = Membership.objects.filter(organization_id=cast.house("chita"))
        assert (foreign.count(), foreign.update(is_active=False)) == (0, 0)
        row = Membership.objects.get(pk=cast.omsk_doctor.membership_id)
        row.role = Role.SYSADMIN
        with pytest.raises(ProgrammingError), transaction.atomic():
            row.save(update_fields=["role"])
        link = OneTimeLink(
            person_id=cast.chita_doctor.person_id,
            purpose="reset",
            token_hash="x",
            created_at=NOW,
            expires_at=NOW,
        )
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            link.save(force_insert=True)
    with signing_in():
        assert WebSession.objects.count() == 0
