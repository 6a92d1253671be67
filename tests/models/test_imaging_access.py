"""The floor below studies, marks and key images: a forgotten filter shows nobody what isn't theirs."""

import pytest
from django.db.utils import DatabaseError

from konsilium.actions import documents, marking
from konsilium.actions.marking import Drawing, Slice
from konsilium.models import Instance, KeyImage, Mark, Series, Study
from konsilium.models.access import acting, as_inspector, as_worker
from tests import requests
from tests.cast import NOW
from tests.imaging_rows import change_series, put_series

pytestmark = pytest.mark.django_db
TABLES = (Study, Series, Instance, Mark, KeyImage)
PNG = b"\x89PNG\r\n\x1a\n" + b"picture" * 20


@pytest.fixture
def row(cast):
    return requests.sent(cast)


@pytest.fixture
def made(cast, row):
    """A series with a mark on it and a key image of it."""
    made = put_series(row, cast.omsk_doctor)
    drawing = Drawing("arrow", {"points": []}, series_id=made.series.pk)
    picture = documents.Upload(documents.store().receive([PNG], len(PNG)), "key")
    who = {"actor": cast.omsk_doctor, "at": NOW}
    with acting(cast.omsk_doctor):
        marking.add(row, drawing, **who)
        marking.keep_image(row, Slice(made.series.pk), picture, **who)
    return made


def counts(actor):
    with acting(actor):
        return [model.objects.count() for model in TABLES]


@pytest.mark.parametrize("who", ["omsk_doctor", "omsk_admin", "cniis_dispatcher"])
def test_both_sides_see_all_of_it(cast, made, who):
    assert counts(cast.actor_of(who)) == [1, 1, 3, 1, 1]


@pytest.mark.parametrize(
    "who", ["omsk_doctor2", "chita_doctor", "chita_admin", "nmic_dispatcher", "cniis_consultant"]
)
def test_a_stranger_sees_none_of_it_whatever_was_forgotten(cast, made, who):
    assert counts(cast.actor_of(who)) == [0, 0, 0, 0, 0]


@pytest.mark.parametrize("who", ["coordinator", "omsk_technician", "sysadmin"])
@pytest.mark.parametrize("model", TABLES)
def test_roles_without_patients_may_not_even_ask(cast, made, who, model):
    with pytest.raises(DatabaseError), acting(cast.actor_of(who)):
        model.objects.count()


@pytest.mark.parametrize("values", [{"is_included": False}, {"burned_in": "yes"}])
def test_what_is_withheld_is_not_there_for_the_centre_with_all_that_hangs_on_it(cast, made, values):
    change_series(made, **values)
    assert counts(cast.cniis_dispatcher) == [0, 0, 0, 0, 0]
    assert counts(cast.omsk_doctor) == [1, 1, 3, 1, 1]


def test_the_inspector_of_one_request_sees_nothing_of_another(cast, made):
    other = requests.sent(cast)
    with as_inspector(other.pk):
        assert (Series.objects.count(), Instance.objects.count()) == (0, 0)
        assert Study.objects.order_by("id").values_list("id").count() == 0


def test_the_inspector_may_not_read_whose_study_it_is(made):
    with pytest.raises(DatabaseError), as_inspector(made.study.consultation_id):
        list(Study.objects.order_by("id").values_list("patient_name"))


def test_time_reads_no_word_of_a_series(made):
    with as_worker():
        assert Series.objects.order_by().values_list("pack_sha256").count() == 1
    with pytest.raises(DatabaseError), as_worker():
        list(Series.objects.order_by().values_list("description"))


def test_a_mark_can_not_be_written_in_somebody_elses_name(cast, row, made):
    forged = Mark(
        consultation=row,
        series=made.series,
        kind="text",
        text="подделка",
        data={},
        author_id=cast.cniis_dispatcher.person_id,
        author_name=cast.cniis_dispatcher.name,
        author_role="dispatcher",
        created_at=NOW,
    )
    with pytest.raises(DatabaseError), acting(cast.omsk_doctor):
        forged.save(force_insert=True)
