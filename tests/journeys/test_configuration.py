"""Profiles, centres, routes and terms are data that the system administrator changes on pages."""

import pytest

from konsilium.models import Organization, Profile, Route, Term
from konsilium.models.access import acting
from tests.factories import Way

pytestmark = pytest.mark.django_db


def test_a_profile_is_made_and_changed(cast, client_as):
    desk = client_as(cast.sysadmin)
    form = {
        "code": "onco",
        "name": "Онкология",
        "group1": ["histology"],
        "group2": ["ct", "xray"],
        "is_active": "on",
    }
    assert desk.post("/configuration/profiles/add/", form).status_code == 302
    with acting(cast.sysadmin):
        row = Profile.objects.get(code="onco")
    assert row.documents == [["histology"], ["ct", "xray"]]
    changed = form | {"name": "Онкология и гематология", "fields_needed": ["complaints"], "group2": []}
    assert desk.post(f"/configuration/profiles/{row.pk}/", changed).status_code == 302
    with acting(cast.sysadmin):
        row.refresh_from_db()
    assert (row.name, row.documents, row.fields) == (
        "Онкология и гематология",
        [["histology"]],
        ["complaints"],
    )
    taken = desk.post("/configuration/profiles/add/", form)
    assert taken.status_code == 422
    assert "data-refusal" in taken.content.decode()


def test_a_profile_has_sections_of_its_own_that_the_conclusions_form_shows(cast, client_as):
    desk = client_as(cast.sysadmin)
    way = Way(cast).concluding()
    place = f"/configuration/profiles/{way.row.profile_id}/"
    with acting(cast.sysadmin):
        profile = Profile.objects.get(pk=way.row.profile_id)
    form = {"code": profile.code, "name": profile.name, "is_active": "on", "section-needed": "2"}
    columns = {"code": ["", "", ""], "label_en": ["", "Plan", ""], "hint": ["", "Доступ", ""]}
    columns["label"] = ["", "План операции", "Прогноз"]
    given = form | {f"section-{name}": values for name, values in columns.items()}
    assert desk.post(place, given).status_code == 302
    with acting(cast.sysadmin):
        profile.refresh_from_db()
    plan, outlook = profile.sections
    assert plan == {
        "code": "s1",
        "label": "План операции",
        "label_en": "Plan",
        "hint": "Доступ",
        "is_needed": True,
    }
    assert (outlook["code"], outlook["is_needed"]) == ("s2", False)
    page = client_as(way.consultant).get(f"/requests/{way.row.pk}/conclusion/").content.decode()
    assert 'name="section-s1"' in page
    assert page.index("План операции") < page.index("Прогноз")
    # One that is taken away leaves the other with its code.
    given |= {"section-code": ["s1", "s2"], "section-label": ["", "Прогноз"]}
    desk.post(place, given)
    with acting(cast.sysadmin):
        profile.refresh_from_db()
    assert [section["code"] for section in profile.sections] == ["s2"]


def test_an_organisation_becomes_a_centre_with_its_routes(cast, client_as):
    desk = client_as(cast.sysadmin)
    place = f"/configuration/centres/{cast.house('chita')}/"
    neuro = cast.profile("neuro")
    assert desk.post(place, {"is_consulting": "on", f"levels-{neuro}": ["2", "3"]}).status_code == 302
    with acting(cast.omsk_doctor):
        omsk = Organization.objects.get(pk=cast.house("omsk"))
        names = [row.short_name for row in Organization.objects.centres_open_to(omsk, neuro)]
    assert "Читинская ККБ" in names
    assert "Читинская ККБ" in desk.get("/configuration/").content.decode()
    assert desk.post(place, {"is_consulting": "on", f"levels-{neuro}": ["2"]}).status_code == 302
    with acting(cast.sysadmin):
        routes = dict(
            Route.objects.filter(centre_id=cast.house("chita")).values_list("requester_level", "is_open")
        )
    assert routes == {2: True, 3: False}


def test_a_centre_gets_its_own_term_and_gives_it_back(cast, client_as):
    desk = client_as(cast.sysadmin)
    place = f"/configuration/centres/{cast.house('cniis')}/terms/"
    term = {"profile": str(cast.profile("mfs")), "urgency": "urgent", "hours": "4.5"}
    assert desk.post(place, term).status_code == 302
    with acting(cast.sysadmin):
        assert Term.objects.get().minutes == 270
    assert "4.5" in desk.get(f"/configuration/centres/{cast.house('cniis')}/").content.decode()
    assert desk.post(place, term | {"hours": ""}).status_code == 302
    assert desk.post(place, term | {"hours": "0"}).status_code == 422
    with acting(cast.sysadmin):
        assert not Term.objects.exists()


def test_only_the_system_administrator_comes_here(cast, client_as):
    for actor in (cast.coordinator, cast.cniis_admin, cast.cniis_dispatcher, cast.omsk_doctor):
        desk = client_as(actor)
        assert desk.get("/configuration/").status_code == 403
        assert (
            desk.post(f"/configuration/centres/{cast.house('omsk')}/", {"is_consulting": "on"}).status_code
            == 403
        )
