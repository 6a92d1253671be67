"""The list of notices: newest first, unread ones marked, fifty a page, nobody else's."""

from datetime import timedelta

import pytest

from konsilium.models import Notice
from konsilium.models._base import uuid7
from konsilium.models.access import as_worker
from konsilium.notifications import deliver
from tests.cast import NOW
from tests.factories import in_state

pytestmark = pytest.mark.django_db


def give(actor, number, *, at=NOW, kind="ask", path="/me/", **more):
    values = {"membership_id": actor.membership_id, "needs_action": True} | more
    with as_worker():
        return Notice.objects.create(
            event_id=uuid7(), person_id=actor.person_id, kind=kind, number=number, path=path, at=at, **values
        )


def text(answer):
    return answer.content.decode()


def numbers(page):
    return [row.words.split("№ ")[1].split(":")[0] for row in page.context["rows"]]


def test_what_happened_is_told_in_a_line_and_opens_the_request(cast, client_as):
    row = in_state(cast, "submitted")
    deliver.tell_pending(at=NOW + timedelta(hours=1))
    dispatcher = client_as(cast.cniis_dispatcher)
    page = dispatcher.get("/notices/")
    assert [(one.words, one.unread) for one in page.context["rows"]] == [
        (f"Поступил запрос № {row.number}", True)
    ]
    assert "Нужно ваше действие" in text(page)
    opened = dispatcher.get(page.context["rows"][0].url)
    assert opened.headers["Location"] == f"/requests/{row.pk}/"
    assert [one.unread for one in dispatcher.get("/notices/").context["rows"]] == [False]


def test_the_head_counts_what_is_unread_in_one_query(cast, client_as, django_assert_num_queries):
    for number in range(3):
        give(cast.omsk_doctor, f"2026-{number}")
    doctor = client_as(cast.omsk_doctor)
    assert 'class="count hot">3<' in text(doctor.get("/notices/"))
    doctor.post("/notices/read/")
    page = doctor.get("/notices/")
    assert "count hot" not in text(page)
    assert "Отметить все прочитанными" not in text(page)


def test_nobody_sees_opens_or_marks_somebody_elses(cast, client_as):
    theirs, mine = give(cast.omsk_doctor, "2026-1"), give(cast.omsk_doctor2, "2026-2")
    doctor = client_as(cast.omsk_doctor2)
    assert numbers(doctor.get("/notices/")) == ["2026-2"]
    assert doctor.get(f"/notices/{theirs.pk}/").status_code == 404
    doctor.post("/notices/read/")
    with as_worker():
        assert Notice.objects.get(pk=theirs.pk).read_at is None
        assert Notice.objects.get(pk=mine.pk).read_at is not None


def test_pages_of_fifty_lose_and_repeat_nothing_even_at_one_moment(cast, client_as):
    for number in range(120):
        give(cast.omsk_doctor, f"2026-{number}", at=NOW + timedelta(minutes=number // 60))
    doctor, seen, address = client_as(cast.omsk_doctor), [], "/notices/"
    while address:
        page = doctor.get(address)
        seen.append(numbers(page))
        address = page.context["next_url"] and f"/notices/{page.context['next_url']}"
    assert [len(part) for part in seen] == [50, 50, 20]
    assert sorted(number for part in seen for number in part) == sorted(f"2026-{n}" for n in range(120))


@pytest.mark.parametrize("query", ["at=nonsense&id=1", "at=2026-01-01T00:00:00&id=x", "at=", "before=1"])
def test_an_address_that_makes_no_sense_begins_at_the_top(cast, client_as, query):
    give(cast.omsk_doctor, "2026-1")
    assert numbers(client_as(cast.omsk_doctor).get(f"/notices/?{query}")) == ["2026-1"]


def test_a_notice_of_another_role_offers_to_act_in_it(cast, client_as, owner):
    insert = "INSERT INTO konsilium_membership (id, person_id, organization_id, role, department, position, specialty,"
    insert += " is_active, created_at) VALUES (%s, %s, %s, 'technician', '', '', '', true, now())"
    other = uuid7()
    owner.execute(insert, [other, cast.omsk_doctor.person_id, cast.house("omsk")])
    try:
        notice = give(cast.omsk_doctor, "2026-7", membership_id=other, path="/organization/")
        doctor = client_as(cast.omsk_doctor)
        page = doctor.get(f"/notices/{notice.pk}/")
        assert "другой вашей роли: Технический специалист" in text(page)
        answer = doctor.post("/me/act-as/", {"membership": str(other), "next": "/organization/"})
        assert answer.headers["Location"] == "/organization/"
        assert doctor.get("/organization/").status_code == 200
    finally:
        owner.execute("DELETE FROM konsilium_membership WHERE id = %s", [other])


def test_a_notice_of_an_ended_role_says_so(cast, client_as):
    notice = give(cast.omsk_doctor, "2026-7", membership_id=uuid7())
    assert "роли, которой у вас больше нет" in text(client_as(cast.omsk_doctor).get(f"/notices/{notice.pk}/"))


def test_a_missing_mail_server_is_said_to_those_who_can_help(cast, client_as, settings):
    words = "Почтовый сервер не настроен"
    assert words in text(client_as(cast.sysadmin).get("/notices/"))
    assert words not in text(client_as(cast.omsk_doctor).get("/notices/"))
    settings.SMTP_URL = "smtp://localhost"
    assert words not in text(client_as(cast.sysadmin).get("/notices/"))
