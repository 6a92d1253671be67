"""A doctor writes a request through the pages: nothing typed is lost, what is missing is said, it is sent once."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from konsilium.models import Consultation
from konsilium.models.access import acting
from tests.factories import KINDS, PAPER, VALUES
from tests.journeys.test_triage import fill, text

pytestmark = pytest.mark.django_db
TYPED = {
    **{name: str(value) for name, value in VALUES.items()},
    "patient_snils": "112-233-445 95",
    "kind": "consultation",
    "mode": "deferred",
    "occurrence": "first",
    "requester_name": "Петров Илья",
    "requester_snils": "112-233-445 95",
    "requester_department": "Отделение",
    "requester_position": "Врач",
    "requester_specialty": "Хирургия",
    "requester_phone": "+7 495 000-00-00",
    "requester_email": "omsk_doctor@example.org",
    "question": ["Показана ли операция в ближайшие месяцы?", "", "Нужна ли подготовка перед ней?"],
}


@pytest.fixture
def doctor(cast, client_as):
    return client_as(cast.omsk_doctor)


def typed(cast, **given):
    places = {"profile_id": str(cast.profile()), "named_centre_id": str(cast.house("cniis"))}
    return {**TYPED, **places, **given}


def begun(doctor):
    page = text(doctor.get("/requests/"))
    key = re.search(r'name="once_key" value="([^"]+)"', page)[1]
    answers = [doctor.post("/requests/begin/", {"once_key": key}) for _ in range(2)]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    return answers[0].headers["Location"]


def add(doctor, form, kind, *names):
    files = [SimpleUploadedFile(f"{name}.pdf", PAPER + name.encode()) for name in names]
    address = form.replace("/form/", "/documents/")
    return doctor.post(address, {"kind": kind, "files": files, "next": f"{form}#documents"})


def test_a_request_is_begun_written_checked_and_sent_once(cast, doctor):
    form = begun(doctor)
    page = text(doctor.get(form))
    assert 'value="112-233-445 95"' in page
    assert 'class="missing"' in page
    answer = fill(doctor, form, **typed(cast, go="send"))
    assert answer.status_code == 302
    check = answer.headers["Location"]
    assert 'class="missing"' in text(doctor.get(check))
    for kind in KINDS:
        assert add(doctor, form, kind, kind).status_code == 302
    page = text(doctor.get(check))
    assert 'class="missing"' not in page
    assert "ЦНИИСиЧЛХ" in page
    hidden = dict(re.findall(r'name="(once_key|version)" value="([^"]+)"', page))
    answers = [doctor.post(check, hidden) for _ in range(2)]
    assert {answer.headers["Location"] for answer in answers} == {check.replace("/send/", "/receipt/")}
    receipt = text(doctor.get(answers[0].headers["Location"]))
    with acting(cast.omsk_doctor):
        row = Consultation.objects.get(requester_id=cast.omsk_doctor.person_id)
    assert row.state == "submitted"
    assert row.number in receipt


def test_an_incomplete_request_is_refused_by_the_check_even_when_forced(cast, doctor):
    form = begun(doctor)
    answer = fill(doctor, form.replace("/form/", "/send/"))
    assert answer.status_code == 422
    assert "data-refusal" in text(answer)


def test_a_wrong_check_digit_is_said_at_its_field_and_nothing_typed_is_lost(cast, doctor):
    form = begun(doctor)
    answer = fill(doctor, form, **typed(cast, patient_snils="112-233-445 96", anamnesis="Долго писал."))
    assert answer.status_code == 422
    page = text(answer)
    for words in ("112-233-445 96", "Долго писал.", "Нужна ли подготовка перед ней?", 'aria-invalid="true"'):
        assert words in page, words
    assert "Долго писал." not in text(doctor.get(form))


def test_the_second_window_is_told_and_keeps_what_it_typed(cast, doctor):
    form = begun(doctor)
    page = text(doctor.get(form))
    hidden = dict(re.findall(r'name="(once_key|version)" value="([^"]+)"', page))
    assert fill(doctor, form, **typed(cast, anamnesis="Первое окно.")).status_code == 302
    answer = doctor.post(form, {**hidden, "once_key": "second", **typed(cast, anamnesis="Второе окно.")})
    assert answer.status_code == 422
    assert "Второе окно." in text(answer)
    assert "Первое окно." in text(doctor.get(form))


def test_a_corrected_form_is_still_told_that_another_window_saved(cast, doctor):
    form = begun(doctor)
    hidden = dict(re.findall(r'name="(once_key|version)" value="([^"]+)"', text(doctor.get(form))))
    fill(doctor, form, **typed(cast, anamnesis="Первое окно."))
    refused = doctor.post(form, {**hidden, "once_key": "a", **typed(cast, patient_snils="1")})
    seen = re.search(r'name="version" value="([^"]+)"', text(refused))[1]
    answer = doctor.post(form, {"version": seen, "once_key": "b", **typed(cast, anamnesis="Второе.")})
    assert answer.status_code == 422
    assert "Первое окно." in text(doctor.get(form))


def test_a_centre_that_does_not_take_the_profile_is_refused(cast, doctor):
    given = typed(cast, profile_id=str(cast.profile("neuro")))
    assert fill(doctor, begun(doctor), **given).status_code == 422


def test_a_draft_is_deleted_from_its_page(doctor):
    form = begun(doctor)
    assert doctor.post(form.replace("/form/", "/delete/")).status_code == 302
    assert doctor.get(form).status_code == 404


def test_somebody_elses_draft_is_not_there(cast, client_as, doctor):
    form = begun(doctor)
    for who in (cast.omsk_doctor2, cast.chita_doctor, cast.chita_admin):
        stranger = client_as(who)
        assert stranger.get(form).status_code == 404
        for end in ("form", "send", "delete", "copy", "documents"):
            assert stranger.post(form.replace("/form/", f"/{end}/")).status_code == 404, end


def test_the_dictionary_finds_by_code_and_by_word(doctor):
    assert "K07" in text(doctor.get("/dictionary/icd10/?diagnosis_code=K07"))
    for nothing in ("", "?q=%25"):
        assert doctor.get(f"/dictionary/icd10/{nothing}").status_code == 200
