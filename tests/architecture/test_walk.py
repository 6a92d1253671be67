"""Every address as nobody, as the wrong role, and as a stranger with the right role in the wrong hospital."""

from urllib.parse import unquote

import psycopg
import pytest
from django.test import Client
from django.urls import URLPattern, reverse

from konsilium.models._base import uuid7
from konsilium.web.access import PUBLIC, SIGNED_IN
from konsilium.web.http import new_key
from konsilium.web.urls import urlpatterns
from konsilium.workflow.roles import EVERYBODY, may
from tests.architecture.foreign import CANARY, TOKEN, Foreign, fingerprint
from tests.cast import STRANGERS, Cast
from tests.conftest import KNOWN, _empty

MISSING, FORBIDDEN, FAULT, REFUSED, DONE, NO_METHOD = 404, 403, 500, 422, 200, 405


def of(name):
    """The key of a foreign object."""
    return lambda foreign: {"pk": foreign.pk[name]}


def person(name):
    """The key of somebody of the cast."""
    return lambda foreign: {"pk": foreign.cast.actor_of(name).person_id}


def member(name):
    """The key of somebody's membership."""
    return lambda foreign: {"pk": foreign.cast.actor_of(name).membership_id}


def house(which="omsk", **more):
    """The key of an organisation, and of a member of it."""
    return lambda foreign: {
        "pk": foreign.pk[which] if which in foreign.pk else foreign.cast.house(which),
        **{key: find(foreign) for key, find in more.items()},
    }


def dicom(*names):
    """The place of something in DICOMweb."""
    return lambda foreign: {name: foreign.dicom[name] for name in ("pk", *names)}


def omsk_admin(foreign):
    return foreign.cast.omsk_admin.membership_id


def profile(foreign):
    return {"pk": foreign.cast.profile()}


NOTHING, NOBODY = None, None
# Each address: who sees something of the foreign house there, and which object of it the address names.
SAMPLES = {
    "healthz": (NOBODY, NOTHING),
    "readyz": (NOBODY, NOTHING),
    "design:show": (NOBODY, NOTHING),
    "account:home": ("omsk_doctor", NOTHING),
    "account:sign_in": (NOBODY, NOTHING),
    "account:code": (NOBODY, NOTHING),
    "account:sign_out": ("omsk_doctor", NOTHING),
    "account:link": (NOBODY, lambda foreign: {"token": "unknown-token"}),
    "account:ask_reset": (NOBODY, NOTHING),
    "account:language": (NOBODY, NOTHING),
    "account:memberships": ("omsk_doctor", NOTHING),
    "account:profile": ("omsk_doctor", NOTHING),
    "account:security": ("omsk_doctor", NOTHING),
    "account:change_password": ("omsk_doctor", NOTHING),
    "account:end_sessions": ("omsk_doctor", NOTHING),
    "account:begin_factor": ("omsk_doctor", NOTHING),
    "account:end_factor": ("omsk_doctor", NOTHING),
    "account:renew_codes": ("omsk_doctor", NOTHING),
    "people:list": ("omsk_admin", NOTHING),
    "people:invite": ("omsk_admin", NOTHING),
    "people:show": ("omsk_admin", person("omsk_doctor")),
    "people:add_role": ("omsk_admin", member("omsk_doctor")),
    "people:take_factor": ("omsk_admin", member("omsk_doctor")),
    "people:again": ("omsk_admin", member("omsk_doctor")),
    "people:end": ("omsk_admin", member("omsk_doctor")),
    "people:restore": ("omsk_admin", member("omsk_doctor")),
    "notices:list": ("omsk_doctor", NOTHING),
    "notices:open": ("omsk_doctor", of("notice")),
    "notices:read_all": ("omsk_doctor", NOTHING),
    "requests:list": ("omsk_doctor", NOTHING),
    "drafting:begin": ("omsk_doctor", NOTHING),
    "drafting:edit": ("omsk_doctor", of("written")),
    "drafting:send": ("omsk_doctor", of("written")),
    "drafting:receipt": ("omsk_doctor", of("submitted")),
    "drafting:delete": ("omsk_doctor", of("written")),
    "drafting:copy": ("omsk_doctor", of("rejected")),
    "documents:add": ("omsk_doctor", of("written")),
    "documents:open": ("omsk_doctor", of("document")),
    "documents:remove": ("omsk_doctor", of("unsent")),
    "documents:file": ("omsk_doctor", lambda foreign: {"ticket": foreign.ticket()}),
    "studies:show": ("omsk_doctor", of("completed")),
    "studies:include": ("omsk_doctor", of("series")),
    "studies:names": ("omsk_doctor", of("series")),
    "studies:export": ("omsk_doctor", of("study")),
    "studies:copy": ("omsk_doctor", of("study")),
    "studies:file": ("omsk_doctor", lambda foreign: {"ticket": foreign.ticket("study", "study copy")}),
    "dicomweb:program": ("cniis_dispatcher", of("submitted")),
    "dicomweb:studies": ("cniis_dispatcher", dicom()),
    "dicomweb:all_series": ("cniis_dispatcher", dicom()),
    "dicomweb:all_instances": ("cniis_dispatcher", dicom()),
    "dicomweb:study": ("cniis_dispatcher", dicom("study")),
    "dicomweb:study_metadata": ("cniis_dispatcher", dicom("study")),
    "dicomweb:study_series": ("cniis_dispatcher", dicom("study")),
    "dicomweb:study_instances": ("cniis_dispatcher", dicom("study")),
    "dicomweb:series": ("cniis_dispatcher", dicom("study", "series")),
    "dicomweb:series_metadata": ("cniis_dispatcher", dicom("study", "series")),
    "dicomweb:series_instances": ("cniis_dispatcher", dicom("study", "series")),
    "dicomweb:instance": ("cniis_dispatcher", dicom("study", "series", "instance")),
    "dicomweb:instance_metadata": ("cniis_dispatcher", dicom("study", "series", "instance")),
    "dicomweb:frames": ("cniis_dispatcher", dicom("study", "series", "instance", "numbers")),
    "dicomweb:rendered": ("cniis_dispatcher", dicom("study", "series", "instance")),
    "dicomweb:rendered_frame": ("cniis_dispatcher", dicom("study", "series", "instance", "numbers")),
    "viewer:show": ("cniis_dispatcher", lambda foreign: foreign.viewer),
    "viewer:marks": ("cniis_dispatcher", of("submitted")),
    "viewer:keep_image": ("cniis_dispatcher", of("submitted")),
    "viewer:change_mark": ("omsk_doctor", of("mark")),
    "viewer:remove_mark": ("omsk_doctor", of("mark")),
    "viewer:ahead": ("cniis_consultant", NOTHING),
    "viewer:preview": (
        "cniis_dispatcher",
        lambda foreign: {"pk": foreign.pk["viewed"], "name": "thumbnail"},
    ),
    "gallery:show": ("omsk_doctor", of("completed")),
    "gallery:looking": ("omsk_doctor", lambda foreign: {"ticket": foreign.looking_ticket()}),
    "gallery:name_view": ("omsk_doctor", of("photograph")),
    "dictionary:search": ("omsk_doctor", lambda foreign: {"name": "icd10"}),
    "consultation:show": ("omsk_doctor", of("completed")),
    "consultation:timeline": ("omsk_doctor", of("completed")),
    "triage:list": ("cniis_dispatcher", NOTHING),
    "triage:assign": ("cniis_dispatcher", of("submitted")),
    "triage:reassign": ("cniis_dispatcher", of("assigned")),
    "triage:ask": ("cniis_dispatcher", of("submitted")),
    "triage:reject": ("cniis_dispatcher", of("submitted")),
    "triage:pass_on": ("cniis_dispatcher", of("submitted")),
    "conversation:thread": ("omsk_doctor", of("submitted")),
    "conversation:answer": ("omsk_doctor", of("asked")),
    "closing:withdraw": ("omsk_doctor", of("submitted")),
    "closing:acknowledge": ("omsk_doctor", of("completed")),
    "closing:close": ("omsk_doctor", of("completed")),
    "printing:ask": ("omsk_doctor", lambda foreign: {"kind": "conclusion", "pk": foreign.pk["conclusion"]}),
    "printing:show": ("omsk_doctor", of("signed_form")),
    "printing:pdf": ("omsk_doctor", of("signed_form")),
    "consulting:list": ("cniis_consultant", NOTHING),
    "consulting:need_video": ("cniis_consultant", of("assigned")),
    "consulting:no_video": ("cniis_consultant", of("assigned")),
    "consulting:reconsider": ("cniis_consultant", of("on_video")),
    "consulting:give_up_video": ("cniis_consultant", of("on_video")),
    "consulting:ask": ("cniis_consultant", of("assigned")),
    "consulting:hand_back": ("cniis_consultant", of("assigned")),
    "consulting:write": ("cniis_consultant", of("drafted")),
    "consulting:correct": ("cniis_consultant", of("completed")),
    "consulting:print": ("cniis_consultant", of("drafted")),
    "consulting:scan": ("cniis_consultant", of("drafted")),
    "consulting:autosave": ("cniis_consultant", of("drafted")),
    "consulting:discard": ("cniis_consultant", of("drafted")),
    "consulting:conclusion": ("omsk_doctor", of("conclusion")),
    "consulting:changes": ("omsk_doctor", of("correction")),
    "consulting:phrases": ("cniis_consultant", NOTHING),
    "consulting:find_phrases": ("cniis_consultant", NOTHING),
    "consulting:phrase": ("cniis_consultant", of("phrase")),
    "consulting:forget_phrase": ("cniis_consultant", of("phrase")),
    "consulting:use_phrase": ("cniis_consultant", of("phrase")),
    "councils:list": ("seated_chair", NOTHING),
    "councils:call": ("cniis_consultant", of("drafted")),
    "councils:show": ("seated_chair", of("council")),
    "councils:news": ("seated_chair", of("council")),
    "councils:printed": ("seated_chair", of("council")),
    "councils:substitute": (
        "cniis_dispatcher",
        lambda foreign: {"pk": foreign.pk["council"], "seat": foreign.pk["seat"]},
    ),
    "councils:answer": ("seated_chair", of("council")),
    "councils:opinion": ("seated_chair", of("council")),
    "councils:autosave": ("seated_chair", of("council")),
    "councils:say": ("seated_chair", of("council")),
    "councils:open": ("seated_chair", of("council")),
    "councils:decide": ("seated_chair", of("council")),
    "councils:rediscuss": ("seated_chair", of("council")),
    "councils:dissent": ("seated_chair", of("council")),
    "councils:submit": ("seated_chair", of("council")),
    "councils:sign": ("seated_chair", of("council")),
    "councils:refuse": ("seated_chair", of("council")),
    "councils:cancel": ("cniis_consultant", of("council")),
    "sessions:propose": ("cniis_consultant", of("on_video")),
    "sessions:propose_again": ("cniis_consultant", of("proposed_session")),
    "sessions:counter": ("omsk_doctor", of("proposed_session")),
    "sessions:confirm": ("omsk_doctor", of("proposed_session")),
    "sessions:accept": ("cniis_consultant", of("proposed_session")),
    "sessions:start": ("cniis_consultant", of("confirmed_session")),
    "sessions:hold": ("cniis_consultant", of("confirmed_session")),
    "sessions:miss": ("cniis_consultant", of("confirmed_session")),
    "sessions:fail": ("cniis_consultant", of("confirmed_session")),
    "sessions:cancel": ("cniis_consultant", of("confirmed_session")),
    "sessions:ready": ("omsk_doctor", of("confirmed_session")),
    "sessions:record": ("omsk_doctor", of("confirmed_session")),
    "sessions:join": ("omsk_doctor", of("confirmed_session")),
    "sessions:meet_outside": ("cniis_consultant", of("confirmed_session")),
    "sessions:meet_inside": ("cniis_consultant", of("confirmed_session")),
    "sessions:mark": ("cniis_consultant", of("confirmed_session")),
    "sessions:unmark": (
        "cniis_consultant",
        lambda foreign: {"pk": foreign.pk["confirmed_session"], "attendance": foreign.pk["marked"]},
    ),
    "sessions:calendar": ("cniis_consultant", of("confirmed_session")),
    "recordings:show": ("cniis_consultant", of("confirmed_session")),
    "recordings:give": ("cniis_consultant", of("confirmed_session")),
    "recordings:take_back": ("cniis_consultant", of("confirmed_session")),
    "recordings:sound": ("cniis_consultant", of("recording")),
    "signing:list": ("cniis_signatory", NOTHING),
    "signing:show": ("omsk_doctor", of("signed_form")),
    "signing:document": ("omsk_doctor", of("signed_form")),
    "signing:sign": ("cniis_consultant", of("unsigned_form")),
    "signing:export": ("omsk_doctor", of("signed_form")),
    "signing:recheck": ("cniis_consultant", of("signature")),
    "onboarding:apply": (NOBODY, NOTHING),
    "onboarding:status": (NOBODY, lambda foreign: {"token": "unknown-token"}),
    "onboarding:list": ("coordinator", NOTHING),
    "onboarding:show": ("coordinator", house("applied")),
    "onboarding:move": ("coordinator", house("applied", name=lambda foreign: "decline")),
    "onboarding:correct": ("coordinator", house()),
    "onboarding:log": ("coordinator", house()),
    "onboarding:add_contact": ("coordinator", house()),
    "onboarding:change_contact": (
        "coordinator",
        house("applied", contact=lambda foreign: foreign.pk["applied_contact"]),
    ),
    "onboarding:issue": ("coordinator", house()),
    "onboarding:renew": ("coordinator", house(member=omsk_admin)),
    "onboarding:end": ("coordinator", house(member=omsk_admin)),
    "onboarding:restore": ("coordinator", house(member=omsk_admin)),
    "computer:show": ("omsk_doctor", NOTHING),
    "computer:relays": ("omsk_doctor", NOTHING),
    "computer:keep": ("omsk_doctor", NOTHING),
    "computer:result": ("coordinator", of("computer")),
    "equipment:board": ("coordinator", NOTHING),
    "equipment:own": ("omsk_technician", NOTHING),
    "equipment:add_contact": ("omsk_admin", NOTHING),
    "equipment:change_contact": ("omsk_admin", of("contact")),
    "equipment:add": (
        "omsk_technician",
        lambda foreign: {"organization": foreign.cast.house("omsk")},
    ),
    "equipment:show": ("omsk_technician", of("endpoint")),
    "equipment:change": ("omsk_technician", of("endpoint")),
    "equipment:tick": ("omsk_technician", of("endpoint")),
    "equipment:guide": ("omsk_technician", of("endpoint")),
    "equipment:record_test": ("coordinator", of("endpoint")),
    "equipment:begin": ("coordinator", of("endpoint")),
    "equipment:password": ("omsk_technician", of("endpoint")),
    "equipment:approve": ("coordinator", of("endpoint")),
    "equipment:protocol": ("omsk_technician", of("test")),
    "equipment:seen": (NOBODY, of("test")),
    "equipment:mark": ("omsk_technician", of("test")),
    "equipment:probe": ("omsk_technician", of("test")),
    "equipment:conclude": ("coordinator", of("test")),
    "equipment:show_test": ("omsk_technician", of("test")),
    "room:show": ("omsk_doctor", of("confirmed_session")),
    "room:guests": ("omsk_doctor", of("confirmed_session")),
    "room:revoke": ("omsk_doctor", of("confirmed_session")),
    "room:door": (NOBODY, lambda foreign: {"link": "unknown-link"}),
    "room:guest_room": (NOBODY, of("confirmed_session")),
    "room:guest_ticket": (NOBODY, of("confirmed_session")),
    "room:ticket": ("omsk_doctor", of("confirmed_session")),
    "room:watch": ("omsk_technician", of("test")),
    "timetable:list": ("omsk_technician", NOTHING),
    "timetable:running": ("omsk_technician", NOTHING),
    "configuration:list": ("sysadmin", NOTHING),
    "configuration:add_profile": ("sysadmin", NOTHING),
    "configuration:profile": ("sysadmin", profile),
    "configuration:centre": ("sysadmin", house("cniis")),
    "configuration:term": ("sysadmin", house("cniis")),
}
# No word of the foreign house stands there, whoever looks: dictionaries, configuration, empty forms, bare addresses.
EMPTY = set(
    "dictionary:search configuration:list configuration:add_profile configuration:profile configuration:centre "
    "configuration:term healthz readyz design:show account:sign_in account:code account:link account:ask_reset "
    "account:language onboarding:apply viewer:ahead "
    # The foreign house's equipment is well: the board leaves it out.
    "equipment:board".split()
)
# What everybody may name without learning anything by it.
PUBLIC_OBJECTS = {"dictionary:search"}


def routes():
    """Return every address by its full name, with the right it declares."""
    found = {}
    for entry in urlpatterns:
        inner = [entry] if isinstance(entry, URLPattern) else entry.url_patterns
        prefix = "" if isinstance(entry, URLPattern) else f"{entry.namespace}:"
        found |= {f"{prefix}{pattern.name}": pattern.callback.action for pattern in inner}
    return found


ROUTES = routes()


@pytest.fixture(scope="module")
def foreign(django_db_setup, django_db_blocker, owner_url):
    """The foreign house, committed once for all walks; each walk's own changes are rolled back."""
    with django_db_blocker.unblock(), psycopg.connect(owner_url, autocommit=True) as connection:
        _empty(connection)
        KNOWN["cast"] = cast = Cast(connection)
        yield Foreign(cast, connection)
    with psycopg.connect(owner_url, autocommit=True) as connection:
        _empty(connection)


def said(response):
    """Everything a response says: its head and its body, and addresses as they are read."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    head = "\n".join(f"{name}: {value}" for name, value in response.headers.items())
    return unquote(head + response.cookies.output()) + body.decode(errors="replace").replace("\r\n ", "")


def holds_canary(text):
    escaped = CANARY.encode("unicode_escape").decode()
    return CANARY in text.upper() or escaped.lower() in text.lower()


def form():
    """What a form might bring: enough that a page which looks late would get far."""
    words = "Слова постороннего человека, достаточно длинные."
    names = (
        "text note correction recommendations outcome_text with_whom name phone family given position".split()
    )
    codes = {"reason": "other", "kind": "message", "channel": "phone", "outcome": "improved", "done": "1"}
    return {
        "once_key": new_key(),
        "option": str(uuid7()),
        "version": "1",
        **dict.fromkeys(names, words),
        **codes,
    }


def address(name, foreign):
    find = SAMPLES[name][1]
    return reverse(name, kwargs=find(foreign) if find else {})


def visits(client, url):
    """Look at a page and send its form."""
    return {"GET": client.get(url), "POST": client.post(url, form())}


def test_the_walk_knows_every_address():
    assert set(SAMPLES) == set(ROUTES)


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_nobody_is_sent_to_the_sign_in_or_sees_a_public_page(name, foreign, client):
    url = address(name, foreign)
    before = fingerprint(foreign.cast)
    for response in visits(client, url).values():
        assert not holds_canary(said(response))
        if ROUTES[name] == PUBLIC:
            assert response.status_code < FAULT
        else:
            assert (response.status_code, response.headers["Location"]) == (
                302,
                f"{reverse('account:sign_in')}?next={url}",
            )
    assert fingerprint(foreign.cast) == before


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(name for name in SAMPLES if ROUTES[name] not in (PUBLIC, SIGNED_IN)))
def test_a_role_without_the_right_is_turned_away(name, foreign, client_as):
    url = address(name, foreign)
    for role in EVERYBODY:
        if may(role, ROUTES[name]):
            continue
        who = STRANGERS.get(role, role.value)
        for method, response in visits(client_as(foreign.cast.actor_of(who)), url).items():
            assert response.status_code == FORBIDDEN, (role, method)
            assert not holds_canary(said(response)), (role, method)


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_stranger_with_the_right_role_finds_nothing(name, foreign, client_as):
    right = ROUTES[name]
    url = address(name, foreign)
    names_object = SAMPLES[name][1] is not None and right not in (PUBLIC, SIGNED_IN)
    before = fingerprint(foreign.cast)
    for role, who in STRANGERS.items():
        if right not in (PUBLIC, SIGNED_IN) and not may(role, right):
            continue
        for method, response in visits(client_as(foreign.cast.actor_of(who)), url).items():
            assert not holds_canary(said(response)), (role, method)
            if names_object and name not in PUBLIC_OBJECTS:
                assert response.status_code in (MISSING, NO_METHOD), (role, method)
                assert response.status_code == MISSING or method == "GET", (role, method)
            else:
                assert response.status_code < FAULT, (role, method)
    assert fingerprint(foreign.cast) == before


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(name for name in SAMPLES if SAMPLES[name][0] and name not in EMPTY))
def test_whoever_has_a_part_in_it_sees_it_there(name, foreign, client_as):
    client = client_as(foreign.cast.actor_of(SAMPLES[name][0]))
    url = address(name, foreign)
    seen = client.get(url)
    if seen.status_code == NO_METHOD:
        assert client.post(url, form()).status_code in (DONE, 302, REFUSED)
    elif seen.status_code == 302:
        assert seen.headers["Location"].split("?")[0] not in (url, reverse("account:sign_in"))
    else:
        assert seen.status_code == DONE
        assert holds_canary(said(seen))


@pytest.mark.django_db
def test_the_applicant_alone_sees_the_application_by_its_link(foreign):
    seen = Client().get(reverse("onboarding:status", args=[TOKEN]))
    assert seen.status_code == DONE
    assert holds_canary(said(seen))
    assert Client().get(reverse("onboarding:status", args=[TOKEN + "x"])).status_code == MISSING


@pytest.mark.django_db
def test_what_the_rightful_doctor_does_changes_the_foreign_house(foreign, client_as):
    before = fingerprint(foreign.cast)
    url = reverse("closing:withdraw", kwargs={"pk": foreign.pk["submitted"]})
    client_as(foreign.cast.omsk_doctor).post(url, {"reason": "not_needed", "once_key": new_key()})
    assert fingerprint(foreign.cast) != before
