"""A council's protocol is corrected by a council that is called again; until it has signed, what is placed stays in force."""

from datetime import timedelta

import pytest

from konsilium.actions import closing, concluding, convening, councils, documents, signing
from konsilium.models import (
    Conclusion,
    Consultation,
    Council,
    Event,
    Notice,
    PrintForm,
    Seat,
    Signature,
)
from konsilium.models.access import acting, as_worker
from konsilium.notifications import deliver
from konsilium.workflow.council import CouncilState, SeatKind
from konsilium.workflow.machine import Missing, NotNow, NotYours
from konsilium.workflow.signing import SignatureRole
from konsilium.workflow.words import CONCLUSION_SCAN
from tests.actions.test_councils import SECRET, Sitting, readable
from tests.factories import NOW, Way, upload
from tests.signing_desk import SigningDesk

pytestmark = pytest.mark.django_db
AGAIN, LATER = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
SAME = ("cniis_consultant2", "cniis_consultant", "nmic_consultant")


def called(cast, row, names=SAME, at=AGAIN):
    """Call a council with its chair, its secretary, and who else is named as members."""
    kinds = [SeatKind.CHAIR, SeatKind.SECRETARY, SeatKind.MEMBER]
    seats = {cast.actor_of(name).membership_id: kind for name, kind in zip(names, kinds, strict=False)}
    given = convening.Call("1", "Пересмотр по новым снимкам.", seats, quorum=len(names))
    with acting(cast.cniis_consultant):
        return convening.call(row, given, actor=cast.cniis_consultant, at=at)


class Again(Sitting):
    """A council that is called over what is placed."""

    def __init__(self, before, names=SAME, at=AGAIN):
        self.cast, self.way, self.row, self.at = before.cast, before.way, before.row, at
        self.council = called(self.cast, self.row, names, at)
        self.all = tuple(self.member_of(name) for name in names)
        self.chair, self.secretary = self.all[:2]

    def corrected(self):
        """The protocol of the correction is drafted and explained."""
        self.written()
        with acting(self.secretary):
            change = {"text": "Решено иначе.", "correction": "Учтены новые снимки."}
            concluding.save_draft(self.draft, change, {}, actor=self.secretary, at=NOW)
            concluding.attach_scan(self.draft, upload(f"at {self.at}"), actor=self.secretary, at=NOW)
        return self

    def signing(self):
        self.corrected().do(self.secretary, councils.submit)
        return self

    def signed(self):
        self.signing()
        for actor in (*self.all[1:], self.chair):
            self.do(actor, councils.sign)
        return self

    def place(self):
        with acting(self.secretary):
            return concluding.correct(self.row, actor=self.secretary, at=LATER)


class Placed:
    """What `Again` is called over, where no council sat before."""

    def __init__(self, cast, way):
        self.cast, self.way, self.row = cast, way, way.row


def placed(sitting):
    """The protocol of the first council, which the requester has read."""
    sitting.signed()
    with acting(sitting.secretary):
        concluding.attach_scan(sitting.draft, upload("scan"), actor=sitting.secretary, at=NOW)
        concluding.place(sitting.row, actor=sitting.secretary, at=NOW)
    with acting(sitting.cast.omsk_doctor):
        closing.acknowledge(sitting.row, actor=sitting.cast.omsk_doctor, at=NOW)
    return sitting


@pytest.fixture
def first(cast):
    return placed(Sitting(cast))


@pytest.fixture
def alone(cast):
    """A conclusion that the consultant placed alone."""
    return Way(cast).completed()


def editions(actor, row):
    """What is placed, as somebody reads it: edition, words, and whether a newer one stands."""
    with acting(actor):
        rows = Conclusion.objects.filter(consultation=row).exclude(placed_at=None)
        return [(one.edition, one.text, one.superseded_at is not None) for one in rows]


# --- The way


def test_a_correction_begins_as_a_copy_of_the_protocol_that_is_placed(first):
    again = Again(first).decided()
    with acting(again.secretary):
        paper = concluding.paper_of(again.row, actor=again.secretary, at=AGAIN)
    assert (paper.draft.edition, paper.draft.text, paper.draft.kind) == (2, "Решение консилиума.", "council")
    assert [text for _, text in paper.answers] == ["Да."] * len(paper.answers)
    assert paper.draft.council_id == again.council.pk


def test_a_council_called_again_places_the_correction_and_the_requester_is_asked_to_read_again(first):
    again, doctor = Again(first).signed(), first.cast.omsk_doctor
    assert editions(doctor, first.row) == [(1, "Решение консилиума.", False)]
    new = again.place()
    assert editions(doctor, first.row) == [(1, "Решение консилиума.", True), (2, "Решено иначе.", False)]
    assert (new.council_id, new.author_id) == (again.council.pk, again.secretary.person_id)
    with acting(doctor):
        row = Consultation.objects.get(pk=first.row.pk)
        event = Event.objects.visible_to(doctor).get(consultation=row, kind="correct")
    assert (row.state, row.acknowledged_at, event.text) == ("completed", None, "Учтены новые снимки.")


def test_a_correction_that_is_not_explained_is_not_placed(first):
    again = Again(first).written()
    again.do(again.secretary, councils.submit)
    for actor in (*again.all[1:], again.chair):
        again.do(actor, councils.sign)
    with acting(again.secretary):
        concluding.attach_scan(again.draft, upload("again"), actor=again.secretary, at=AGAIN)
        Conclusion.objects.filter(pk=again.draft.pk).update(correction=" ")
    with pytest.raises(Missing):
        again.place()
    assert len(editions(again.secretary, first.row)) == 1


def test_a_third_council_corrects_the_second(first):
    Again(first).signed().place()
    third = Again(first, at=LATER).signed()
    third.place()
    assert [(edition, old) for edition, _, old in editions(first.cast.omsk_doctor, first.row)] == [
        (1, True),
        (2, True),
        (3, False),
    ]


def test_a_councils_correction_of_what_the_consultant_placed_alone_is_called_a_councils(alone, cast):
    again = Again(Placed(cast, alone)).decided()
    with acting(again.secretary):
        paper = concluding.paper_of(alone.row, actor=again.secretary, at=AGAIN)
    assert (paper.draft.kind, paper.draft.council_id) == ("council", again.council.pk)


def test_a_council_corrects_what_the_consultant_placed_alone(alone, cast):
    again = Again(Placed(cast, alone)).signed()
    again.place()
    assert [old for _, _, old in editions(alone.doctor, alone.row)] == [True, False]
    with acting(alone.consultant), pytest.raises(Missing) as missing:
        concluding.draft_of(alone.row, actor=alone.consultant, at=LATER)
    assert missing.value.need.fact == "no_council_signed"


def test_a_correction_that_the_consultant_began_becomes_the_councils(alone, cast):
    draft = alone.do(alone.consultant, concluding.draft_of)
    again = Again(Placed(cast, alone)).decided()
    with acting(again.secretary):
        taken = concluding.draft_of(alone.row, actor=again.secretary, at=AGAIN)
    assert (taken.pk, taken.council_id, taken.kind) == (draft.pk, again.council.pk, "council")


# --- Who may not


def test_the_consultant_alone_corrects_no_protocol_and_is_told_to_call_the_council(first):
    consultant = first.cast.cniis_consultant
    with acting(consultant), pytest.raises(Missing) as missing:
        concluding.draft_of(first.row, actor=consultant, at=AGAIN)
    assert missing.value.message.endswith("only a council changes it. Call the council again.")
    with acting(consultant), pytest.raises(Missing) as missing:
        concluding.correct(first.row, actor=consultant, at=AGAIN)
    assert missing.value.need.fact == "no_council_signed"
    with acting(consultant):
        assert not Conclusion.objects.filter(placed_at=None).exists()


def test_what_a_cancelled_council_left_is_not_the_consultants_to_place(first):
    again, consultant = Again(first).corrected(), first.cast.cniis_consultant
    again.do(consultant, councils.cancel, "not_needed")
    with acting(consultant), pytest.raises(Missing) as missing:
        concluding.correct(first.row, actor=consultant, at=LATER)
    assert missing.value.need.fact == "no_council_signed"


def test_what_a_council_signed_is_not_placed_by_the_consultant_after_another_was_cancelled(cast):
    sitting, consultant = Sitting(cast).signed(), cast.cniis_consultant
    again = Again(sitting)
    again.do(consultant, councils.cancel, "not_needed")
    with acting(consultant), pytest.raises(Missing) as missing:
        concluding.place(sitting.row, actor=consultant, at=LATER)
    assert missing.value.need.fact == "no_council_signed"


def test_while_a_council_sits_the_consultant_corrects_not_even_their_own(alone, cast):
    draft = alone.do(alone.consultant, concluding.draft_of)
    Again(Placed(cast, alone))
    with acting(alone.consultant):
        with pytest.raises(NotYours):
            concluding.save_draft(draft, {"text": "Иначе."}, {}, actor=alone.consultant, at=LATER)
        with pytest.raises(Missing) as missing:
            concluding.correct(alone.row, actor=alone.consultant, at=LATER)
    assert missing.value.need.fact == "no_open_council"


@pytest.mark.parametrize("stage", ["corrected", "signing"])
def test_before_everybody_has_signed_the_secretary_places_no_correction(first, stage):
    again = getattr(Again(first), stage)()
    with pytest.raises(Missing) as missing:
        again.place()
    assert missing.value.need.fact == "council_signed"


def test_the_secretary_of_the_earlier_council_corrects_nothing(first):
    with acting(first.secretary), pytest.raises(NotYours):
        concluding.draft_of(first.row, actor=first.secretary, at=AGAIN)
    other = Again(first, ("nmic_consultant", "cniis_consultant2", "cniis_consultant")).signed()
    with acting(first.secretary):
        with pytest.raises(NotYours):
            concluding.draft_of(first.row, actor=first.secretary, at=LATER)
        with pytest.raises(Missing) as missing:
            concluding.correct(first.row, actor=first.secretary, at=LATER)
    assert missing.value.need.fact == "council_signed"
    assert other.place().author_id == other.secretary.person_id


def test_over_a_closed_request_no_council_is_called(first):
    doctor = first.cast.omsk_doctor
    with acting(doctor):
        closing.close(first.row, "improved", actor=doctor, at=AGAIN)
    with pytest.raises(NotNow):
        called(first.cast, first.row)


# --- A council that is cancelled


def test_a_cancelled_council_leaves_the_protocol_in_force_and_another_goes_on_with_its_draft(first):
    again, consultant = Again(first).corrected(), first.cast.cniis_consultant
    again.do(consultant, councils.cancel, "no_quorum")
    assert editions(first.cast.omsk_doctor, first.row) == [(1, "Решение консилиума.", False)]
    third = Again(first, at=LATER)
    with acting(third.secretary):
        draft = concluding.draft_of(first.row, actor=third.secretary, at=LATER)
    assert (draft.pk, draft.text, draft.council_id) == (again.draft.pk, "Решено иначе.", third.council.pk)


def test_what_was_printed_for_a_cancelled_council_is_not_signed_for_the_next(first):
    again = Again(first).corrected()
    again.do(first.cast.cniis_consultant, councils.cancel, "no_quorum")
    third = Again(first, at=LATER)
    with acting(third.secretary):
        draft = Conclusion.objects.get(pk=again.draft.pk)
        form = PrintForm.objects.get(subject_id=draft.pk)
        assert not signing.is_current(form, draft)


def test_after_a_cancelled_council_the_consultant_corrects_their_own_alone(alone, cast):
    again = Again(Placed(cast, alone))
    again.do(alone.consultant, councils.cancel, "not_needed")
    draft = alone.do(alone.consultant, concluding.draft_of)
    with acting(alone.consultant):
        change = {"text": "Срочно.", "correction": "Уточнён срок."}
        concluding.save_draft(draft, change, {}, actor=alone.consultant, at=LATER)
    alone.do(alone.consultant, documents.add, upload("second"), kind=CONCLUSION_SCAN, conclusion=draft)
    new = alone.do(alone.consultant, concluding.correct)
    assert (new.edition, new.council_id) == (2, None)


# --- A request that ends meanwhile


def ended(first):
    doctor = first.cast.omsk_doctor
    with acting(doctor):
        closing.close(first.row, "improved", actor=doctor, at=LATER)


def expired(first):
    assert closing.expire_due(at=NOW + timedelta(days=31)) == 1


@pytest.mark.parametrize("end", [ended, expired])
@pytest.mark.parametrize("stage", ["sealed", "signing"])
def test_a_request_that_ends_ends_the_council_over_it(first, stage, end):
    again = getattr(Again(first, ("nmic_consultant", "cniis_consultant2")), stage)()
    end(first)
    with acting(first.cast.cniis_consultant):
        council = Council.objects.get(pk=again.council.pk)
        assert (council.state, council.cancel_reason) == (CouncilState.CANCELLED, "request_closed")
        assert not Seat.objects.filter(council=council, access_until=None).exists()
    assert editions(first.cast.omsk_doctor, first.row) == [(1, "Решение консилиума.", False)]


def test_what_was_signed_of_a_correction_is_void_with_its_council(first, tmp_path):
    again = Again(first).signing()
    desk = SigningDesk(tmp_path)
    with acting(again.secretary):
        form = PrintForm.objects.get(subject_id=again.draft.pk)
    desk.bring(form, b"0\x82 signature", again.all[2], SignatureRole.COMMISSIONER, at=AGAIN)
    with acting(again.secretary):
        assert Signature.objects.filter(void_at=None).count() == 1
    ended(first)
    with acting(first.cast.cniis_consultant):
        assert Signature.objects.get().void_at == LATER


# --- Who sees and is told


def test_an_opinion_of_the_new_council_is_sealed_from_everybody_else_too(first):
    again = Again(first)
    again.do(again.all[2], councils.write_opinion, SECRET, seal=True)
    for actor in (
        *again.all[:2],
        first.cast.cniis_consultant,
        first.cast.cniis_dispatcher,
        first.cast.omsk_doctor,
    ):
        with acting(actor):
            assert SECRET not in [one.text for one in readable(actor)]
    with acting(again.all[2]):
        assert SECRET in [one.text for one in readable(again.all[2])]


def test_who_sat_in_the_first_council_alone_sees_nothing_of_the_second(first):
    again = Again(first, ("cniis_consultant2", "cniis_consultant")).corrected()

    def seen(actor):
        with acting(actor):
            return (
                Council.objects.filter(pk=again.council.pk).count(),
                Conclusion.objects.filter(pk=again.draft.pk).count(),
                PrintForm.objects.filter(subject_id=again.draft.pk).count(),
                sum(one.council_id == again.council.pk for one in readable(actor)),
            )

    assert seen(again.secretary) == (1, 1, 1, 2)
    assert seen(first.member) == (0, 0, 0, 0)
    assert len(editions(first.member, first.row)) == 1


def told(kind):
    with as_worker():
        return {(one.person_id, one.needs_action) for one in Notice.objects.filter(kind=kind)}


def test_everybody_called_again_is_told_and_so_is_the_requester_of_the_correction(first):
    deliver.tell_pending(at=AGAIN)
    with as_worker():
        Notice.objects.filter(kind="council_call").update(kind="council_call_before")
    again, doctor = Again(first), first.cast.omsk_doctor
    deliver.tell_pending(at=LATER)
    others = {(one.person_id, True) for one in (again.chair, again.all[2])}
    assert told("council_call") == {*others, (doctor.person_id, False)}
    again.signed().place()
    deliver.tell_pending(at=LATER)
    assert told("correct") == {(doctor.person_id, True)}
