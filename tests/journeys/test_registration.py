"""A hospital's way in over HTTP: application, status page, coordinator's desk, equipment, access."""

import re

import pytest

from konsilium.models import Endpoint, EquipmentTest, Organization
from konsilium.models.access import acting

pytestmark = pytest.mark.django_db

OID = "1.2.643.5.1.13.13.12.2.17.4711"
FORM = {
    "full_name": "ГБУЗ РТ «Республиканская больница № 1»",
    "short_name": "Тувинская РБ № 1",
    "oid": OID,
    "inn": "7707 083893",
    "ogrn": "1-02-77-00-132195",
    "region": "17",
    "time_zone": "",
    "level": "3",
    "responsible_name": "Ондар Чойгана Сергеевна",
    "responsible_position": "Заместитель главного врача",
    "responsible_phone": "8 (39422) 2-00-00",
    "responsible_email": "Ondar@tuva.example",
    "technician1-name": "Кыргыс Айдыс",
    "technician1-phone": "89130000000",
    "technician1-email": "it@tuva.example",
    "equipment": "Кодек в зале",
    "once_key": "k" * 24,
}


def text(answer):
    return answer.content.decode()


def applied(client, **changes):
    return client.post("/apply/", FORM | changes)


def status_path(answer):
    return re.search(r"/apply/[\w-]+/", text(answer).split('id="link"')[1])[0]


def organization(cast):
    with acting(cast.coordinator):
        return Organization.objects.get(oid=OID)


def press(client, cast, name, **more):
    row = organization(cast)
    return client.post(f"/organizations/{row.pk}/move/{name}/", {"version": row.version} | more)


def test_somebody_without_an_account_applies_and_follows_the_private_link(cast, client):
    assert client.get("/apply/").status_code == 200
    answer = applied(client)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert re.search(r"\d{4}/\d{5}", text(answer))
    page = client.get(status_path(answer))
    assert "Заявка получена" in text(page)
    assert "+7 394 222-00-00" in text(page)
    row = organization(cast)
    assert (row.time_zone, row.inn, row.ogrn) == ("Asia/Krasnoyarsk", "7707083893", "1027700132195")
    assert client.get("/apply/somebody-elses-guess/").status_code == 404


def test_the_same_form_sent_twice_shows_the_same_link(cast, client):
    assert status_path(applied(client)) == status_path(applied(client))


def test_what_is_wrong_is_said_beside_its_field_and_nothing_typed_is_lost(cast, client):
    wrong = {"oid": "1.2.3", "inn": "7707083894", "ogrn": "12", "technician1-phone": "1"}
    answer = applied(client, **wrong)
    assert answer.status_code == 422
    for name in wrong:
        assert f'href="#field-{name}"' in text(answer)
        assert f'id="field-{name}"' in text(answer)
    assert "Контрольные цифры ИНН" in text(answer)
    assert "Ондар Чойгана Сергеевна" in text(answer)


def test_one_technical_specialist_is_needed_and_three_are_taken(cast, client):
    nobody = {"technician1-name": "", "technician1-phone": "", "technician1-email": ""}
    assert applied(client, **nobody).status_code == 422
    third = {"technician3-name": "Монгуш А.", "technician3-phone": "89130000003"}
    assert applied(client, **third).status_code == 200
    with acting(cast.coordinator):
        assert organization(cast).contacts.count() == 2


def test_a_second_application_with_the_same_oid_gets_a_plain_sentence(cast, client):
    applied(client)
    answer = applied(client, once_key="z" * 24)
    assert answer.status_code == 422
    assert "с таким OID уже" in text(answer)


def test_a_program_that_fills_every_field_is_stopped(cast, client):
    assert applied(client, website="http://spam.example").status_code == 422
    with acting(cast.coordinator):
        assert not Organization.objects.filter(oid=OID).exists()


def test_the_coordinator_takes_it_through_to_access(cast, client, client_as):
    status = status_path(applied(client))
    desk = client_as(cast.coordinator)
    assert "Тувинская РБ № 1" in text(desk.get("/organizations/"))
    row = organization(cast)
    place = f"/organizations/{row.pk}/"
    for name in ("take", "set_up"):
        assert press(desk, cast, name).status_code == 302
    refused = press(desk, cast, "test")
    assert refused.status_code == 422
    assert "data-refusal" in text(refused)

    said = {
        "channel": "phone",
        "with_whom": "Кыргыс А.",
        "text": "Тест во вторник",
        "contacted_at": "2026-11-20T10:00",
    }
    assert desk.post(f"{place}log/", said).status_code == 302
    assert "Тест во вторник" in text(desk.get(place))

    codec = {"kind": "sip", "name": "Зал телемедицины", "address": "vc@tuva.example", "is_active": "on"}
    made = desk.post(f"{place}equipment/add/", codec)
    assert made.status_code == 302
    endpoint = made.headers["Location"]
    assert desk.post(f"{endpoint}tick/", {"step": "sip", "done": "1"}).status_code == 302
    assert cast.coordinator.name in text(desk.get(f"{endpoint}guide/"))
    assert press(desk, cast, "test").status_code == 302

    failed = {"participants": "Кыргыс А.", "verdict": "failed", "loss": "7", "jitter": "10"}
    assert desk.post(f"{endpoint}test/", failed).status_code == 422
    kept = desk.post(f"{endpoint}test/", failed | {"reason": "Потери"})
    assert kept.status_code == 302
    assert "вне предела" in text(desk.get(kept.headers["Location"]))
    assert press(desk, cast, "activate").status_code == 422
    passed = {"participants": "Кыргыс А.", "verdict": "passed", "checks": ["heard", "seen"]}
    assert desk.post(f"{endpoint}test/", passed).status_code == 302
    assert press(desk, cast, "activate").status_code == 302
    with acting(cast.coordinator):
        assert EquipmentTest.objects.filter(endpoint__organization=row).count() == 2

    assert "Работает" in text(client.get(status))
    invited = desk.post(f"{place}access/", {
        "family": "Ондар", "given": "Чойгана", "patronymic": "Сергеевна", "email": "ondar@tuva.example",
    })  # fmt: skip
    assert invited.status_code == 200
    assert "/link/" in text(invited)
    assert "ondar.ch" in text(desk.get(place))


def test_a_declined_applicant_reads_the_reason(cast, client, client_as):
    status = status_path(applied(client))
    desk = client_as(cast.coordinator)
    row = organization(cast)
    assert 'name="reason"' in text(desk.get(f"/organizations/{row.pk}/move/decline/"))
    assert press(desk, cast, "decline", reason="").status_code == 422
    assert press(desk, cast, "decline", reason="Нет лицензии на профиль").status_code == 302
    assert "Нет лицензии на профиль" in text(client.get(status))


def test_a_coordinator_who_was_slower_is_told(cast, client, client_as):
    applied(client)
    desk = client_as(cast.coordinator)
    row = organization(cast)
    press(desk, cast, "take")
    late = desk.post(f"/organizations/{row.pk}/move/decline/", {"version": 1, "reason": "Не то"})
    assert late.status_code == 422
    assert "data-refusal" in text(late)


def test_access_is_ended_and_given_back(cast, client_as):
    desk = client_as(cast.coordinator)
    base = f"/organizations/{cast.house('omsk')}/access/{cast.omsk_admin.membership_id}"
    admin = client_as(cast.omsk_admin)
    assert admin.get("/organization/").status_code == 200
    assert desk.post(f"{base}/end/").status_code == 302
    assert admin.get("/organization/").status_code == 302
    assert desk.post(f"{base}/restore/").status_code == 302
    # The sessions that acted in it are gone: the person signs in anew.
    assert admin.get("/organization/").status_code == 302
    assert client_as(cast.omsk_admin).get("/organization/").status_code == 200
    doctor = f"/organizations/{cast.house('omsk')}/access/{cast.omsk_doctor.membership_id}"
    assert desk.post(f"{doctor}/end/").status_code == 404


def test_search_finds_by_name_oid_and_inn(cast, client, client_as):
    applied(client, inn="500100732259")
    desk = client_as(cast.coordinator)
    for query in ("тувинская", OID, "500100732259", "4711"):
        assert "Тувинская РБ № 1" in text(desk.get("/organizations/", {"q": query})), query
    assert "Тувинская РБ № 1" not in text(desk.get("/organizations/", {"q": "омская"}))


def test_only_coordinators_see_the_desk(cast, client, client_as):
    assert client.get("/organizations/").status_code == 302
    for actor in (
        cast.omsk_admin,
        cast.omsk_doctor,
        cast.cniis_dispatcher,
        cast.sysadmin,
        cast.omsk_technician,
    ):
        assert client_as(actor).get("/organizations/").status_code == 403
        assert client_as(actor).get(f"/organizations/{cast.house('omsk')}/").status_code == 403


def test_a_technician_keeps_own_equipment_and_no_other(cast, client_as):
    own, stranger = client_as(cast.omsk_technician), client_as(cast.chita_technician)
    codec = {
        "kind": "vinteo",
        "name": "Ноутбук ординаторской",
        "reserve_phone": "83812000000",
        "is_active": "on",
    }
    made = own.post(f"/organizations/{cast.house('omsk')}/equipment/add/", codec)
    place = made.headers["Location"]
    assert "Ноутбук ординаторской" in text(own.get("/organization/"))
    assert own.post(f"{place}change/", codec | {"name": "Ноутбук 2"}).status_code == 302
    assert own.post(f"{place}tick/", {"step": "install", "done": "1"}).status_code == 302
    assert own.post(f"{place}tick/", {"step": "install"}).status_code == 302
    assert own.post(f"{place}tick/", {"step": "nothing", "done": "1"}).status_code == 422
    assert own.get(f"{place}test/").status_code == 403
    for address in (place, f"{place}guide/", f"{place}change/"):
        assert stranger.get(address).status_code == 404
    assert stranger.post(f"/organizations/{cast.house('omsk')}/equipment/add/", codec).status_code == 404
    with acting(cast.coordinator):
        assert Endpoint.objects.get().name == "Ноутбук 2"


def test_an_administrator_manages_contacts_and_a_technician_reads_them(cast, client_as):
    admin, technician = client_as(cast.omsk_admin), client_as(cast.omsk_technician)
    contact = {"name": "Юсупов Т.", "phone": "83812111111", "is_technical": "on", "is_active": "on"}
    assert admin.post("/organization/contacts/add/", contact).status_code == 302
    assert "Юсупов Т." in text(technician.get("/organization/"))
    assert technician.get("/organization/contacts/add/").status_code == 403
    with acting(cast.omsk_admin):
        pk = Organization.objects.get(pk=cast.house("omsk")).contacts.get().pk
    assert client_as(cast.chita_admin).get(f"/organization/contacts/{pk}/").status_code == 404
    assert admin.post(f"/organization/contacts/{pk}/", contact | {"name": "Юсупов Тимур"}).status_code == 302
    assert "Юсупов Тимур" in text(admin.get("/organization/"))
