"""What the lists and the request page read of a full database: no more than of an empty one."""

from contextlib import contextmanager

import pytest
from bench import ground
from django.db import connection
from django.test import Client

from konsilium.models.access import acting
from konsilium.web.consulting import worklist as consulting
from konsilium.web.requests import worklist as requests
from konsilium.web.triage import worklist as triage
from konsilium.workflow.roles import Actor, Role
from tests.cast import NOW, sign_in
from tests.conftest import _empty

REQUESTS, HOUSES = 20_000, 200
# Pages of 8 kB that a query may look at, in memory or not. A walk through the requests here looks at 1,700 and more.
MOST = 700


def actor(role, person, membership, house):
    return Actor(
        person_id=ground.md5(person),
        membership_id=ground.md5(membership),
        organization_id=ground.md5(house),
        role=role,
        name="Имя",
        organization_name="Больница",
        time_zone="Europe/Moscow",
    )


DISPATCHER = actor(Role.DISPATCHER, "p1", "m1", "o1")
CONSULTANT = actor(Role.CONSULTANT, f"p{HOUSES + 1}", "consultant", "o1")
DOCTOR = actor(Role.REQUESTER, "p21", "m21", "o21")
ADMIN = actor(Role.ORG_ADMIN, "p21", "m21", "o21")


@contextmanager
def looked_at(found):
    """Put into `found` how many pages each query inside looks at."""

    def explain(execute, sql, params, many, context):
        if sql.lstrip().startswith(("SELECT", "WITH")) and "set_config" not in sql:
            with connection.connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", params)
                plan = cursor.fetchone()[0][0]["Plan"]
            found.append((plan["Shared Hit Blocks"] + plan["Shared Read Blocks"], sql))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        yield


@pytest.mark.django_db(transaction=True)
def test_no_query_of_a_list_or_of_the_request_page_looks_at_more_than_its_own_rows(owner):
    _empty(owner)
    ground.fill_tables(owner, REQUESTS, HOUSES)
    found = []
    with looked_at(found):
        for who in (DOCTOR, ADMIN):
            for tab in requests.TABS:
                listed(requests.page, tab, actor=who)
            listed(requests.around, actor=who)
        for tab in consulting.TABS:
            listed(consulting.page, tab, actor=CONSULTANT)
        listed(consulting.around, actor=CONSULTANT)
        for tab in triage.TABS:
            listed(triage.page, tab, triage.Wanted(), actor=DISPATCHER, at=NOW)
        listed(triage.around, actor=DISPATCHER, at=NOW)
        listed(triage.choices, actor=DISPATCHER)
        for who, number in ((DISPATCHER, 2), (CONSULTANT, 4), (DOCTOR, 10)):
            assert sign_in(Client(), who).get(f"/requests/{ground.md5(f'c{number}')}/").status_code == 200
    assert len(found) > 50
    assert [(pages, sql) for pages, sql in found if pages > MOST] == []


def listed(query, *given, actor, **named):
    with acting(actor):
        return query(*given, actor=actor, **named)
