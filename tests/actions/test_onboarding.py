"""An application is taken, moved on by a coordinator alone, and never twice."""

from datetime import timedelta

import pytest

from konsilium.actions import equipment, onboarding, people
from konsilium.models import Application, DeskEvent, Organization
from konsilium.models.access import acting, as_public
from konsilium.workflow.machine import Missing, NotNow, NotYours, Refused, Stale
from tests.cast import NOW

pytestmark = pytest.mark.django_db

VALUES = {
    "full_name": "ГБУЗ «Тувинская республиканская больница»",
    "short_name": "Тувинская РБ",
    "oid": "1.2.643.5.1.13.13.12.2.17.4711",
    "inn": "7707083893",
    "ogrn": "1027700132195",
    "region": "17",
    "time_zone": "Asia/Krasnoyarsk",
    "level": 3,
    "responsible_name": "Ондар Чойгана Сергеевна",
    "responsible_position": "Заместитель главного врача",
    "responsible_phone": "+73942200000",
    "responsible_email": "ondar@tuva.example",
    "equipment": "Кодек Polycom в зале",
    "wishes": "",
}
TECHNICIAN = {
    "name": "Кыргыс Айдыс",
    "position": "Инженер",
    "phone": "+73942200001",
    "email": "it@tuva.example",
}
CODEC = {"kind": "sip", "name": "Зал телемедицины", "address": "vc@tuva.example"}


def applied(**changes):
    return onboarding.apply(VALUES | changes, [TECHNICIAN], at=NOW)


def moved(cast, row, *names, **more):
    with acting(cast.coordinator):
        for name in names:
            row = onboarding.move(row, name, actor=cast.coordinator, at=NOW, **more)
    return row


def examined(cast, row, verdict="passed", **more):
    with acting(cast.coordinator):
        endpoint = equipment.add_endpoint(row, CODEC, actor=cast.coordinator, at=NOW)
        found = equipment.Measured(participants="Кыргыс А.", verdict=verdict, **more)
        equipment.record_test(endpoint, found, actor=cast.coordinator, at=NOW)


def test_an_application_keeps_only_the_hash_of_its_link(cast):
    row, application, token = applied()
    assert application.number.startswith("2026/")
    assert token not in application.link_hash
    with as_public(onboarding.link_hash(token)):
        assert Application.objects.select_related("organization").get().organization.state == "submitted"
    with as_public(onboarding.link_hash("guess")):
        assert not Application.objects.exists()
    with acting(cast.coordinator):
        assert row.contacts.get().name == "Кыргыс Айдыс"
        assert DeskEvent.objects.get(organization=row).kind == "application_submitted"


def test_the_same_form_twice_is_one_application(cast):
    first = onboarding.apply(VALUES, [TECHNICIAN], at=NOW, token="a-key-that-came-with-the-form")
    second = onboarding.apply(VALUES, [TECHNICIAN], at=NOW, token="a-key-that-came-with-the-form")
    assert first[1].number == second[1].number
    with acting(cast.coordinator):
        assert Organization.objects.filter(oid=VALUES["oid"]).count() == 1


def test_a_known_oid_is_refused_and_nothing_is_left_behind(cast):
    applied()
    with pytest.raises(onboarding.AlreadyKnown):
        applied(short_name="Другая")
    with acting(cast.coordinator):
        assert Application.objects.count() == 1
        assert not Organization.objects.filter(short_name="Другая").exists()


def test_whoever_was_declined_may_apply_again(cast):
    row, _, _ = applied()
    moved(cast, row, "decline", reason="Нет лицензии на профиль")
    again, application, token = applied(short_name="С лицензией")
    assert (again.pk != row.pk, again.oid) == (True, row.oid)
    with as_public(onboarding.link_hash(token)):
        assert Application.objects.get().number == application.number
    with pytest.raises(onboarding.AlreadyKnown):
        applied(short_name="Третья")


def test_without_a_technical_specialist_there_is_no_application(cast):
    with pytest.raises(Refused):
        onboarding.apply(VALUES, [], at=NOW)
    with acting(cast.coordinator):
        assert not Application.objects.exists()


def test_the_way_to_access_needs_equipment_and_a_passed_test(cast):
    row, application, _ = applied()
    row = moved(cast, row, "take", "set_up")
    with pytest.raises(Missing):
        moved(cast, row, "test")
    examined(cast, row)
    row = moved(cast, row, "test", "set_up_again", "test", "activate")
    assert (row.state, row.activated_at, row.version) == ("active", NOW, 7)
    with acting(cast.coordinator):
        assert Application.objects.get(pk=application.pk).taken_by_name == cast.coordinator.name


def test_a_failed_or_aged_test_opens_nothing(cast):
    row = moved(cast, applied()[0], "take", "set_up")
    examined(cast, row, "failed", reason="Нет звука")
    row = moved(cast, row, "test")
    with pytest.raises(Missing):
        moved(cast, row, "activate")
    with acting(cast.coordinator):
        endpoint = row.endpoints.get()
        passed = equipment.Measured(participants="Кыргыс А.", verdict="passed")
        equipment.record_test(endpoint, passed, actor=cast.coordinator, at=NOW - timedelta(days=400))
        assert endpoint.tests.count() == 2
    with pytest.raises(Missing):
        moved(cast, row, "activate")


def test_a_later_failed_test_takes_an_earlier_passed_one_away(cast):
    row = moved(cast, applied()[0], "take", "set_up")
    examined(cast, row)
    with acting(cast.coordinator):
        assert equipment.is_ready(row.pk, NOW.date())
        failed = equipment.Measured(participants="", verdict="failed", reason="Потери 7 %")
        equipment.record_test(
            row.endpoints.get(), failed, actor=cast.coordinator, at=NOW + timedelta(hours=1)
        )
        assert not equipment.is_ready(row.pk, NOW.date())


def test_a_decline_needs_a_reason_that_the_applicant_reads(cast):
    row, _, token = applied()
    with pytest.raises(Missing):
        moved(cast, row, "decline", reason="  ")
    row = moved(cast, row, "decline", reason="Нет лицензии")
    assert row.state == "declined"
    with as_public(onboarding.link_hash(token)):
        assert Application.objects.get().reason == "Нет лицензии"
    with pytest.raises(NotNow):
        moved(cast, row, "take")


def test_an_active_organisation_is_suspended_and_restored(cast):
    with acting(cast.coordinator):
        row = Organization.objects.get(pk=cast.house("chita"))
    row = moved(cast, row, "suspend", reason="Проверка")
    assert row.state == "suspended"
    assert moved(cast, row, "restore").state == "active"


def test_nobody_but_a_coordinator_moves_an_application(cast):
    row = applied()[0]
    for actor in (cast.omsk_admin, cast.omsk_technician, cast.cniis_dispatcher, cast.sysadmin):
        with acting(actor), pytest.raises(NotYours):
            onboarding.move(row, "take", actor=actor, at=NOW)
    with acting(cast.coordinator):
        assert Organization.objects.get(pk=row.pk).state == "submitted"


def test_of_two_coordinators_the_later_is_told(cast):
    row = applied()[0]
    moved(cast, row, "take", version=1)
    with pytest.raises(Stale):
        moved(cast, row, "decline", version=1, reason="Не то")


def test_the_contact_log_is_the_coordinators(cast):
    row = applied()[0]
    said = {"channel": "phone", "with_whom": "Ондар", "text": "Договорились о тесте"}
    with acting(cast.coordinator):
        entry = onboarding.log_contact(row, **said, contacted_at=NOW, actor=cast.coordinator, at=NOW)
        assert entry.author_name == cast.coordinator.name
        ahead = NOW + timedelta(hours=1)
        with pytest.raises(Refused):
            onboarding.log_contact(row, **said, contacted_at=ahead, actor=cast.coordinator, at=NOW)
    with acting(cast.omsk_admin), pytest.raises(NotYours):
        onboarding.log_contact(row, **said, contacted_at=NOW, actor=cast.omsk_admin, at=NOW)


def test_contacts_are_kept_by_their_own_administrator(cast):
    with acting(cast.omsk_admin):
        own = Organization.objects.get(pk=cast.house("omsk"))
        contact = onboarding.add_contact(own, TECHNICIAN, actor=cast.omsk_admin, at=NOW)
        onboarding.change_contact(contact, {"is_active": False}, actor=cast.omsk_admin, at=NOW)
        contact.refresh_from_db()
        assert not contact.is_active
    for actor in (cast.chita_admin, cast.omsk_technician):
        with acting(actor), pytest.raises(NotYours):
            onboarding.add_contact(own, TECHNICIAN, actor=actor, at=NOW)


def test_access_is_issued_only_when_the_organisation_is_active(cast):
    row = applied()[0]
    who = people.Invitee("Ондар", "Чойгана", email="ondar@tuva.example")
    with acting(cast.coordinator), pytest.raises(Refused):
        people.issue_access(row, who, actor=cast.coordinator, at=NOW)
    row = moved(cast, row, "take", "set_up")
    examined(cast, row)
    row = moved(cast, row, "test", "activate")
    with acting(cast.coordinator):
        person, token = people.issue_access(row, who, actor=cast.coordinator, at=NOW)
    assert person.login == "ondar.ch"
    assert len(token) > 20
