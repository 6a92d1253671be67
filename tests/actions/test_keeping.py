"""Files read again by night, in small portions; documents that go when their term is over."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from konsilium.actions import closing, documents, drafting, keeping, marking
from konsilium.actions.keeping import Scrub
from konsilium.actions.marking import Slice
from konsilium.models import (
    DeskEvent,
    Document,
    Event,
    Instance,
    KeyImage,
    Notice,
    Series,
    StoreCheck,
    Study,
)
from konsilium.models.access import acting, as_worker
from konsilium.notifications import deliver
from konsilium.workflow.consultation import FINAL, State
from konsilium.workflow.retention import read_terms
from tests.cast import NOW
from tests.factories import Way, in_state
from tests.imaging_rows import document_of, put_series

pytestmark = pytest.mark.django_db

NIGHT = NOW.replace(hour=22)
LATER = NOW + timedelta(days=365 * 30)
TERMS = "cbct=10y ct=10y consent=5y extract=5y panoramic=5y face_photo=5y key_image=5y conclusion_scan=25y"
SECOND = timedelta(seconds=1)


@pytest.fixture
def row(cast):
    """A closed request; its documents are the only files that some row names."""
    return in_state(cast, "closed")


def addresses(row):
    with as_worker():
        return sorted(
            set(Document.objects.filter(consultation_id=row.pk).order_by().values_list("sha256", flat=True))
        )


def night(scrub=None, *, at=NIGHT):
    """Read all that is to be read in a night; return the round."""
    scrub = scrub or Scrub()
    for second in range(100):
        scrub.run(at=at + SECOND * second)
        with as_worker():
            check = StoreCheck.objects.order_by("-begun_at").first()
        if check.done_at:
            return check
    pytest.fail("the round doesn't end")


def flip_a_bit(address):
    with documents.store().open_path(address) as path:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.chmod(0o640)
        path.write_bytes(content)


def told():
    deliver.tell_pending(at=NIGHT + timedelta(days=10))
    with as_worker():
        return Notice.objects.filter(kind="files_damaged").count()


def test_whole_files_are_read_and_nobody_is_told(row):
    check = night()
    assert (check.files, check.damaged, check.missing) == (len(addresses(row)), 0, 0)
    assert check.bytes == sum(documents.store().size(address) for address in addresses(row))
    assert told() == 0


def test_a_flipped_bit_is_found_written_down_and_told_to_the_system_administrator(cast, row):
    broken = addresses(row)[1]
    flip_a_bit(broken)
    check = night()
    assert (check.damaged, check.missing, check.findings) == (1, 0, [[broken, "damaged"]])
    assert told() == 1
    with as_worker():
        assert Notice.objects.get(kind="files_damaged").person_id == cast.sysadmin.person_id
        event = DeskEvent.objects.get(kind="files_damaged")
    assert (event.text, event.subject_id, event.actor_role) == ("damaged", check.pk, "system")


def test_a_missing_file_is_found(row):
    gone = addresses(row)[0]
    documents.store().delete(gone)
    check = night()
    assert (check.damaged, check.missing, check.findings) == (0, 1, [[gone, "missing"]])
    assert told() == 1


def test_a_file_that_was_cut_short_is_damaged(row):
    cut = addresses(row)[0]
    with documents.store().open_path(cut) as path:
        path.chmod(0o640)
        path.write_bytes(path.read_bytes()[:-1])
    assert night().findings == [[cut, "damaged"]]


def test_the_same_finding_is_told_once_and_a_new_one_again(row):
    first, second = addresses(row)[:2]
    flip_a_bit(first)
    night()
    night(at=NIGHT + timedelta(days=1))
    assert told() == 1
    documents.store().delete(second)
    assert night(at=NIGHT + timedelta(days=2)).damaged == 1
    assert told() == 2


def test_by_day_nothing_is_read(row):
    assert Scrub().run(at=NOW) == 0
    with as_worker():
        assert not StoreCheck.objects.exists()


def test_a_night_has_one_round(row):
    scrub = Scrub()
    night(scrub)
    assert scrub.run(at=NIGHT + timedelta(hours=3)) == 0
    with as_worker():
        assert StoreCheck.objects.count() == 1


def test_the_next_round_reads_again_even_where_there_is_one_file_only(cast):
    with acting(cast.omsk_doctor):
        row = drafting.begin(actor=cast.omsk_doctor, at=NOW)
    only = document_of(row, cast.omsk_doctor, b"the only file")
    scrub = Scrub()
    assert night(scrub).bytes == 13
    flip_a_bit(only.sha256)
    assert night(scrub, at=NIGHT + timedelta(days=1)).findings == [[only.sha256, "damaged"]]


def test_a_portion_is_bounded_and_a_large_file_is_read_over_several(cast, row, monkeypatch):
    large = document_of(row, cast.omsk_doctor, bytes(350_000))
    monkeypatch.setattr(keeping, "PORTION", 100_000)
    scrub, read = Scrub(), []
    for second in range(100):
        scrub.run(at=NIGHT + SECOND * second)
        with as_worker():
            check = StoreCheck.objects.get()
        read.append(check.bytes)
        if check.done_at:
            break
    portions = [after - before for before, after in zip([0, *read], read, strict=False)]
    assert max(portions) <= 100_000
    assert len(portions) > 3
    assert (check.damaged, check.missing, check.files) == (0, 0, len(addresses(row)))
    assert large.sha256 in addresses(row)


def test_a_restarted_worker_goes_on_where_the_old_one_was(row, monkeypatch):
    monkeypatch.setattr(keeping, "PORTION", 1)
    first = Scrub()
    first.run(at=NIGHT)
    first.run(at=NIGHT + SECOND)
    monkeypatch.setattr(keeping, "PORTION", 10**7)
    with as_worker():
        position = StoreCheck.objects.get().position
    check = night(Scrub(), at=NIGHT + SECOND * 2)
    assert check.files == len(addresses(row))
    with as_worker():
        assert StoreCheck.objects.count() == 1
    assert check.position >= position


def test_a_file_whose_row_went_meanwhile_is_not_missing(cast, monkeypatch):
    row = in_state(cast, "draft")
    scrub = Scrub()
    monkeypatch.setattr(keeping, "PORTION", 1)
    scrub.run(at=NIGHT)
    with acting(cast.omsk_doctor):
        gone = addresses(row)
        drafting.delete_draft(row, actor=cast.omsk_doctor, at=NOW)
    for address in gone:
        documents.store().delete(address)
    monkeypatch.undo()
    check = night(scrub, at=NIGHT + SECOND)
    assert (check.missing, check.findings) == (0, [])


def test_all_that_rows_name_is_read(cast, row):
    put_series(row, cast.omsk_doctor)
    with as_worker():
        known = documents._named()
    assert set(keeping.named_after("", 10_000)) == {address for address in known if address}


def test_nobody_but_time_writes_a_round_and_only_the_system_administrator_reads_one(cast, row):
    night()
    with acting(cast.sysadmin):
        assert StoreCheck.objects.count() == 1
    for actor in (cast.omsk_doctor, cast.cniis_dispatcher, cast.omsk_admin):
        with pytest.raises(DatabaseError), transaction.atomic(), acting(actor):
            StoreCheck.objects.count()
    with pytest.raises(DatabaseError), transaction.atomic(), acting(cast.sysadmin):
        StoreCheck.objects.update(damaged=0)


@pytest.fixture
def terms(monkeypatch):
    monkeypatch.setattr(settings, "RETENTION", read_terms(TERMS))


def test_without_terms_nothing_is_deleted(row):
    assert keeping.list_due(at=LATER) == []
    assert keeping.delete_due(at=LATER) == 0
    assert addresses(row)


@pytest.mark.usefixtures("terms")
@pytest.mark.parametrize("state", sorted(set(State) - FINAL - {State.DRAFT}))
def test_nothing_of_an_open_request_is_deleted_even_when_the_database_is_asked(cast, state):
    row = in_state(cast, state)
    assert keeping.delete_due(at=LATER) == 0
    with as_worker(), connection.cursor() as cursor:
        document = (
            Document.objects.filter(consultation_id=row.pk).order_by("id").values_list("pk", flat=True)[0]
        )
        cursor.execute("SELECT konsilium_forget_document(%s)", [document])
        assert cursor.fetchone() == (False,)
    assert addresses(row)


@pytest.mark.usefixtures("terms")
def test_what_is_due_goes_row_first_and_file_later_and_the_story_says_so(cast, row):
    before = addresses(row)
    fourth_year = NOW + timedelta(days=4 * 365)
    assert keeping.delete_due(at=fourth_year) == 0
    due = keeping.list_due(at=LATER)
    assert {one.number for one in due} == {row.number}
    assert keeping.delete_due(at=LATER) == len(due)
    assert addresses(row) == []
    assert all(documents.store().exists(address) for address in before)
    documents.sweep_orphans(at=timezone.now() + timedelta(days=2))
    assert not any(documents.store().exists(address) for address in before)
    with acting(cast.omsk_doctor):
        assert Event.objects.filter(consultation=row, kind="document_expired").count() == len(due)


@pytest.mark.usefixtures("terms")
def test_what_was_read_of_a_study_goes_with_it(cast, row):
    made = put_series(row, cast.omsk_doctor)
    assert keeping.delete_due(at=LATER) > 0
    with acting(cast.omsk_doctor):
        assert not Study.objects.filter(consultation=row).exists()
        assert not Series.objects.filter(consultation=row).exists()
        assert not Instance.objects.filter(consultation=row).exists()
    documents.sweep_orphans(at=timezone.now() + timedelta(days=2))
    assert not documents.store().exists(made.series.pack_sha256)


def test_a_key_image_outlives_its_study_and_keeps_who_may_see_it(cast, monkeypatch):
    way = Way(cast).concluding()
    made = put_series(way.row, cast.omsk_doctor)
    taken = Slice(made.series.pk, made.instances[0].sop_uid, 1, {})
    picture = documents.Upload(documents.store().receive([b"\x89PNG\r\n\x1a\npicture"], 1000), "k.png")
    with acting(cast.omsk_doctor):
        marking.keep_image(way.row, taken, picture, actor=cast.omsk_doctor, at=NOW)
    way.do(way.doctor, closing.withdraw, "not_needed")
    monkeypatch.setattr(settings, "RETENTION", read_terms("ct=1y"))
    assert keeping.delete_due(at=LATER) == 1
    with acting(cast.omsk_doctor):
        assert KeyImage.objects.get(series=made.series).document.kind == "key_image"
        series = Series.objects.get(pk=made.series.pk)
    assert (series.count, series.pack_sha256, series.previews) == (0, "", {})


def test_equal_bytes_of_another_request_stay(cast, row, monkeypatch):
    other = in_state(cast, "submitted")
    assert set(addresses(other)) & set(addresses(row))
    monkeypatch.setattr(settings, "RETENTION", read_terms(TERMS))
    keeping.delete_due(at=LATER)
    documents.sweep_orphans(at=timezone.now() + timedelta(days=2))
    assert all(documents.store().exists(address) for address in addresses(other))


def test_a_person_may_not_ask_the_database_to_forget(cast, row):
    for actor in (cast.omsk_doctor, cast.sysadmin):
        with pytest.raises(DatabaseError), transaction.atomic(), acting(actor), connection.cursor() as cursor:
            cursor.execute("SELECT konsilium_forget_document(%s)", [row.pk])
