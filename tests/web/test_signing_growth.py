"""The signatory's desk reads what waits and not what was ever signed."""

import pytest
from bench import ground

from konsilium.models.access import acting
from konsilium.web.signing import desk
from konsilium.workflow.roles import Role
from tests.conftest import _empty
from tests.web.test_growth import HOUSES, MOST, REQUESTS, actor, looked_at

SIGNATORY = actor(Role.SIGNATORY, "p1", "m1", "o1")
# A document of every request, long signed; a hundred of them wait now.
FORMS = """
INSERT INTO konsilium_printform (id, consultation_id, kind, subject_id, edition, side, placed_at, content_sha256, state,
    asked_at, tries, sha256, size, pages, waits_since)
SELECT gen_random_uuid(), c.id, 'conclusion', gen_random_uuid(), 1, 'consulting', c.created_at, md5(c.id::text), 'ready',
    c.created_at, 0, md5(c.id::text), 1, 1,
    CASE WHEN row_number() OVER (ORDER BY c.centre_id = %s DESC, c.state IN ('completed', 'closed') DESC) <= 100
        THEN c.created_at END
FROM konsilium_consultation c
"""
SIGNATURES = """
INSERT INTO konsilium_signature (id, consultation_id, form_id, role, person_id, person_name, person_snils,
    organization_name, position, at, format, sha256, size, verdict, certificate)
SELECT gen_random_uuid(), f.consultation_id, f.id, 'AUTHOR', gen_random_uuid(), 'Имя', '', 'Центр', '', f.asked_at, 'cms',
    f.sha256, 1, 'valid', '{}'
FROM konsilium_printform f
"""


@pytest.mark.django_db(transaction=True)
def test_the_desk_looks_at_no_more_than_its_own_rows(owner):
    _empty(owner)
    ground.fill_tables(owner, REQUESTS, HOUSES)
    owner.execute(FORMS, [ground.md5("o1")])
    owner.execute(SIGNATURES)
    owner.execute("ANALYZE konsilium_printform, konsilium_signature")
    found = []
    with acting(SIGNATORY), looked_at(found):
        forms = desk.waiting(actor=SIGNATORY)
        rows = desk._rows(forms[: desk.PAGE], SIGNATORY)
        last = forms[desk.PAGE - 1]
        second = desk.waiting(actor=SIGNATORY, after=(last.waits_since, last.pk))
    assert (len(forms), len(rows)) == (desk.PAGE + 1, desk.PAGE)
    assert all(row["author"] == "Имя" for row in rows)
    assert second
    assert not {form.pk for form in second} & {form.pk for form in forms[: desk.PAGE]}
    assert [(pages, sql) for pages, sql in found if pages > MOST] == []
