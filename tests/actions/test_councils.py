"""A council: sealed opinions stay sealed, everybody signs, the chair last; members see the request while they sit."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from konsilium.actions import closing, concluding, convening, councils
from konsilium.actions._step import NotThere
from konsilium.models import (
    Consultation,
    Council,
    CouncilLine,
    Document,
    Event,
    Membership,
    Notice,
    Opinion,
    PrintForm,
    Question,
    Seat,
)
from konsilium.models.access import acting, as_worker, door, signing_in
from konsilium.notifications import deliver
from konsilium.workflow.council import COUNCIL_MACHINE, CouncilState, SeatKind
from konsilium.workflow.machine import Missing, NotNow, NotYours, Refused
from konsilium.workflow.roles import Role
from tests.factories import KINDS, NOW, Way, upload

pytestmark = pytest.mark.django_db
SECRET = "Считаю, что резекция не нужна: сокровенное мнение."
DAY = timedelta(days=1)
LATER = NOW + 2 * DAY


class Sitting:
    """A council of three from two centres over a request, with everybody as they act in it."""

    def __init__(self, cast, *, quorum=3, state="concluding", at=NOW):
        self.cast, self.at = cast, at
        self.way = getattr(Way(cast), state)()
        self.row = self.way.row
        chosen = {
            cast.cniis_consultant2.membership_id: SeatKind.CHAIR,
            cast.cniis_consultant.membership_id: SeatKind.SECRETARY,
            cast.nmic_consultant.membership_id: SeatKind.MEMBER,
        }
        self.given = convening.Call("1", "Тактика при рецидиве.", chosen, quorum=quorum)
        with acting(cast.cniis_consultant):
            self.council = convening.call(self.row, self.given, actor=cast.cniis_consultant, at=at)
        self.chair = self.member_of("cniis_consultant2")
        self.secretary = self.member_of("cniis_consultant")
        self.member = self.member_of("nmic_consultant")
        self.all = (self.chair, self.secretary, self.member)

    def member_of(self, name):
        person = self.cast.actor_of(name)
        with signing_in():
            seat = Membership.objects.get(person_id=person.person_id, role=Role.COUNCIL_MEMBER)
        return replace(person, role=Role.COUNCIL_MEMBER, membership_id=seat.pk)

    def do(self, actor, verb, *words, **named):
        with acting(actor):
            council = Council.objects.select_related("consultation").get(pk=self.council.pk)
            return verb(council, *words, actor=actor, at=self.at, **named)

    def sealed(self):
        for actor in self.all:
            self.do(actor, councils.write_opinion, f"{SECRET} {actor.name}", seal=True)
        return self

    def opened(self):
        self.sealed().do(self.chair, councils.open_opinions)
        return self

    def decided(self):
        self.opened().do(self.chair, councils.decide, "Резекция с одномоментной пластикой.")
        return self

    def written(self):
        """The protocol is drafted, and its print form made."""
        self.decided()
        with acting(self.secretary):
            draft = concluding.draft_of(self.row, actor=self.secretary, at=NOW)
            answers = {question.pk: "Да." for question in Question.objects.filter(consultation=self.row)}
            text = {"text": "Решение консилиума.", "kind": "council"}
            self.draft = concluding.save_draft(draft, text, answers, actor=self.secretary, at=NOW)
            form = PrintForm(
                consultation=self.row, kind="protocol", subject_id=draft.pk, side="consulting",
                edition=draft.edition, content_sha256="0" * 64, asked_at=NOW,
            )  # fmt: skip
            form.save(force_insert=True)
        with door(self.row.pk):
            PrintForm.objects.filter(pk=form.pk).update(state="ready")
        return self

    def signing(self):
        self.written().do(self.secretary, councils.submit)
        return self

    def signed(self):
        self.signing()
        for actor in (self.member, self.secretary, self.chair):
            self.do(actor, councils.sign)
        return self

    def state(self):
        with acting(self.cast.cniis_consultant):
            return Council.objects.get(pk=self.council.pk).state


@pytest.fixture
def sitting(cast):
    return Sitting(cast)


def test_a_council_goes_from_the_call_to_the_signed_protocol(sitting):
    sitting.signed()
    assert sitting.state() == CouncilState.SIGNED
    with acting(sitting.secretary):
        assert [seat.signed_at for seat in Seat.objects.all()] == [NOW] * 3


def test_the_secretary_places_the_signed_protocol_and_the_consultant_may_not(sitting):
    sitting.signed()
    consultant = sitting.cast.cniis_consultant
    with acting(consultant), pytest.raises(Missing):
        concluding.place(sitting.row, actor=consultant, at=NOW)
    with acting(sitting.secretary):
        concluding.attach_scan(sitting.draft, upload("scan"), actor=sitting.secretary, at=NOW)
        placed = concluding.place(sitting.row, actor=sitting.secretary, at=NOW)
    with acting(sitting.cast.omsk_doctor):
        assert Consultation.objects.get(pk=sitting.row.pk).state == "completed"
    assert placed.council_id == sitting.council.pk


def test_before_everybody_has_signed_nothing_is_placed(sitting):
    sitting.signing()
    with acting(sitting.secretary):
        concluding.attach_scan(sitting.draft, upload("scan"), actor=sitting.secretary, at=NOW)
        with pytest.raises(Missing) as missing:
            concluding.place(sitting.row, actor=sitting.secretary, at=NOW)
    assert missing.value.need.fact == "council_signed"


def test_what_lies_before_its_signers_is_not_changed_any_more(sitting):
    sitting.signing()
    for change in ({"text": "Иначе."}, {"next_date": NOW.date()}):
        with acting(sitting.secretary), pytest.raises(NotNow):
            concluding.save_draft(sitting.draft, change, {}, actor=sitting.secretary, at=NOW)
    with acting(sitting.secretary):
        answers = {question.pk: "Нет." for question in Question.objects.filter(consultation=sitting.row)}
        with pytest.raises(NotNow):
            concluding.save_draft(sitting.draft, {}, answers, actor=sitting.secretary, at=NOW)
        # A form sends an empty line along.
        parts, text = concluding.Parts((("", "planned"),)), {"text": "Решение консилиума."}
        concluding.save_draft(sitting.draft, text, {}, parts, actor=sitting.secretary, at=NOW)
        other = concluding.Parts((("Явка.", "planned"),))
        with pytest.raises(NotNow):
            concluding.save_draft(sitting.draft, text, {}, other, actor=sitting.secretary, at=NOW)
    with acting(sitting.secretary), pytest.raises(NotNow):
        concluding.discard(sitting.draft, actor=sitting.secretary, at=NOW)
    sitting.do(sitting.member, councils.refuse, "Нет моего мнения.")
    with acting(sitting.secretary):
        concluding.save_draft(sitting.draft, {"text": "Иначе."}, {}, actor=sitting.secretary, at=NOW)


@pytest.mark.parametrize("state", ["waiting", "failed"])
def test_a_protocol_whose_print_form_is_not_made_is_not_given_to_be_signed(sitting, state):
    sitting.written()
    with door(sitting.row.pk):
        PrintForm.objects.update(state=state)
    with pytest.raises(Missing) as missing:
        sitting.do(sitting.secretary, councils.submit)
    assert missing.value.need.fact == "protocol_ready"


def test_a_protocol_without_an_answer_is_not_given_to_be_signed(sitting):
    sitting.written()
    with acting(sitting.secretary):
        question = Question.objects.filter(consultation=sitting.row).first()
        concluding.save_draft(sitting.draft, {}, {question.pk: " "}, actor=sitting.secretary, at=NOW)
    with pytest.raises(Missing) as missing:
        sitting.do(sitting.secretary, councils.submit)
    assert missing.value.need.fact == "protocol_ready"


# --- Sealed


def test_an_opinion_is_read_by_nobody_else_before_all_are_opened(sitting):
    sitting.do(sitting.member, councils.write_opinion, SECRET, seal=True)
    for actor in (
        sitting.chair,
        sitting.secretary,
        sitting.cast.cniis_consultant,
        sitting.cast.cniis_dispatcher,
        sitting.cast.omsk_doctor,
        sitting.cast.nmic_consultant,
    ):
        with acting(actor):
            assert sum(one.text == SECRET for one in readable(actor)) == 0
    with acting(sitting.member):
        assert Opinion.objects.get().text == SECRET


def readable(actor):
    """The opinions the database gives to somebody; to some it gives not even the table."""
    from django.db import ProgrammingError, transaction

    try:
        with transaction.atomic():
            return list(Opinion.objects.all())
    except ProgrammingError:
        return []


def test_no_event_says_a_word_of_an_opinion(sitting):
    sitting.sealed()
    with acting(sitting.cast.cniis_consultant):
        assert not Event.objects.filter(text__contains="сокровенное").exists()
    with as_worker():
        assert set(Event.objects.filter(kind__startswith="council").values_list("kind", flat=True)) == {
            "council_call",
            "council_seal",
        }


def test_all_opinions_are_opened_together_and_then_everybody_reads_them(sitting):
    sitting.opened()
    for actor in (*sitting.all, sitting.cast.cniis_consultant):
        with acting(actor):
            assert len(readable(actor)) == 3
    with acting(sitting.cast.omsk_doctor):
        assert readable(sitting.cast.omsk_doctor) == []


def test_nothing_is_opened_while_one_who_takes_part_has_not_sealed(sitting):
    sitting.do(sitting.chair, councils.write_opinion, SECRET, seal=True)
    sitting.do(sitting.secretary, councils.write_opinion, SECRET, seal=True)
    sitting.do(sitting.member, councils.write_opinion, SECRET, seal=False)
    sitting.do(sitting.member, councils.answer, accepts=True)
    with pytest.raises(Missing) as missing:
        sitting.do(sitting.chair, councils.open_opinions)
    assert missing.value.need.fact == "opinions_sealed"


def test_a_sealed_opinion_is_never_changed_also_not_below_the_actions(sitting):
    sitting.do(sitting.member, councils.write_opinion, SECRET, seal=True)
    with pytest.raises(NotNow):
        sitting.do(sitting.member, councils.write_opinion, "Иначе.", seal=True)
    with acting(sitting.member):
        assert Opinion.objects.update(text="Иначе.") == 0


def test_after_the_opening_nobody_writes_an_opinion(sitting):
    sitting.opened()
    with acting(sitting.member):
        assert Opinion.objects.update(text="Иначе.") == 0
    with pytest.raises(NotNow):
        sitting.do(sitting.member, councils.write_opinion, "Иначе.", seal=False)


def test_an_empty_opinion_is_not_sealed(sitting):
    with pytest.raises(councils.Unfit):
        sitting.do(sitting.member, councils.write_opinion, "  ", seal=True)


# --- Who sees what


def test_a_member_sees_the_request_and_its_documents_while_they_sit(sitting):
    with acting(sitting.member):
        assert Consultation.objects.visible_to(sitting.member).get().pk == sitting.row.pk
        assert {one.kind for one in Document.objects.all()} == set(KINDS)
        assert Question.objects.exists()
    sitting.do(sitting.member, councils.answer, accepts=False, text="В отпуске.")
    with acting(sitting.member):
        assert not Consultation.objects.exists()
        assert not Consultation.objects.visible_to(sitting.member).exists()
        assert not Document.objects.exists()
        assert not Council.objects.exists()


def test_an_invitation_opens_one_request_and_no_other(sitting):
    other = Way(sitting.cast).concluding()
    with acting(sitting.member):
        assert [row.pk for row in Consultation.objects.all()] == [sitting.row.pk]
        assert other.row.pk != sitting.row.pk


def test_a_member_without_a_seat_sees_nothing(sitting):
    with acting(sitting.cast.nmic_member):
        assert not Consultation.objects.exists()
        assert not Seat.objects.exists()


def test_the_role_of_a_consultant_sees_no_more_for_a_seat(sitting):
    with acting(sitting.cast.nmic_consultant):
        assert not Consultation.objects.exists()


def test_the_asking_side_sees_that_a_council_sits_and_who_and_no_more(sitting):
    sitting.decided()
    with acting(sitting.cast.omsk_doctor):
        assert [seat.name for seat in Seat.objects.only("name")]
        council = Council.objects.only("state").get()
        assert council.state == CouncilState.DECIDED
        assert not CouncilLine.objects.none().exists()


def test_after_the_signing_members_read_for_a_month_and_then_no_more(sitting):
    sitting.signed()
    with acting(sitting.member):
        assert Consultation.objects.exists()
    with door(sitting.row.pk):
        Seat.objects.update(access_until=NOW - timedelta(days=400))
    with acting(sitting.member):
        assert not Consultation.objects.exists()


def test_a_cancelled_council_shows_its_members_nothing_any_more(sitting):
    sitting.do(sitting.cast.cniis_dispatcher, councils.cancel, "not_needed")
    with acting(sitting.member):
        assert not Consultation.objects.exists()
    with acting(sitting.cast.cniis_consultant):
        concluding.draft_of(sitting.row, actor=sitting.cast.cniis_consultant, at=NOW)


# --- The decision, dissent, refusal, substitutes


def test_a_dissent_is_recorded_with_its_text_between_decision_and_signing(sitting):
    sitting.opened()
    with pytest.raises(NotNow):
        sitting.do(sitting.member, councils.dissent, "Не согласен.")
    sitting.do(sitting.chair, councils.decide, "Резекция.")
    sitting.do(sitting.member, councils.dissent, "Не согласен: достаточно наблюдения.")
    with acting(sitting.secretary):
        assert Seat.objects.exclude(dissent="").get().name == sitting.member.name


def test_who_refuses_to_sign_sends_the_protocol_back_and_signatures_are_void(sitting):
    sitting.signing().do(sitting.secretary, councils.sign)
    with pytest.raises(Missing):
        sitting.do(sitting.member, councils.refuse, "  ")
    sitting.do(sitting.member, councils.refuse, "Нет моего особого мнения.")
    assert sitting.state() == CouncilState.DECIDED
    with acting(sitting.secretary):
        assert [seat.signed_at for seat in Seat.objects.all()] == [None] * 3
        assert Seat.objects.exclude(refusal="").get().refusal == "Нет моего особого мнения."


def test_the_chair_signs_last_and_nobody_twice(sitting):
    sitting.signing()
    with pytest.raises(Missing) as missing:
        sitting.do(sitting.chair, councils.sign)
    assert missing.value.need.fact == "others_signed"
    sitting.do(sitting.member, councils.sign)
    with pytest.raises(Missing) as missing:
        sitting.do(sitting.member, councils.sign)
    assert missing.value.need.fact == "not_yet_signed"


def test_a_substitute_takes_the_seat_and_who_held_it_is_out(sitting):
    with acting(sitting.cast.cniis_dispatcher):
        seat = Seat.objects.get(kind="member")
        other = sitting.cast.cniis_consultant.membership_id
    with pytest.raises(councils.Unfit):
        sitting.do(sitting.cast.cniis_dispatcher, convening.substitute, seat.pk, other)
    for actor in (sitting.member, sitting.chair):
        with pytest.raises(NotYours):
            sitting.do(actor, convening.substitute, seat.pk, other)
    with pytest.raises(NotThere):
        sitting.do(sitting.cast.cniis_dispatcher, convening.substitute, seat.pk, uuid4())


def test_without_a_quorum_nothing_is_opened(sitting):
    sitting.do(sitting.member, councils.answer, accepts=False)
    for actor in (sitting.chair, sitting.secretary):
        sitting.do(actor, councils.write_opinion, SECRET, seal=True)
    with pytest.raises(Missing) as missing:
        sitting.do(sitting.chair, councils.open_opinions)
    assert missing.value.need.fact == "quorum_present"


@pytest.mark.parametrize(
    "change",
    [
        {"reason": " "},
        {"quorum": 1},
        {"quorum": 9},
        {"form": "by post"},
        {"seats": {}},
        {"purpose": ""},
    ],
)
def test_a_council_that_is_called_wrongly_is_refused_in_words(cast, change):
    way = Way(cast).concluding()
    seats = {
        cast.cniis_consultant2.membership_id: SeatKind.CHAIR,
        cast.cniis_consultant.membership_id: SeatKind.SECRETARY,
    }
    given = replace(convening.Call("1", "Тактика.", seats, quorum=2), **change)
    with acting(way.consultant), pytest.raises(councils.Unfit):
        convening.call(way.row, given, actor=way.consultant, at=NOW)


def test_one_council_sits_at_a_time_and_only_the_centre_calls(sitting):
    consultant, doctor = sitting.cast.cniis_consultant, sitting.cast.omsk_doctor
    with acting(consultant), pytest.raises(NotNow):
        convening.call(sitting.row, sitting.given, actor=consultant, at=NOW)
    with acting(doctor), pytest.raises(NotYours):
        convening.call(sitting.row, sitting.given, actor=doctor, at=NOW)


def test_a_withdrawn_request_ends_its_council(sitting):
    with acting(sitting.cast.omsk_doctor):
        closing.withdraw(sitting.row, "not_needed", actor=sitting.cast.omsk_doctor, at=NOW)
    assert sitting.state() == CouncilState.CANCELLED
    with acting(sitting.member):
        assert not Consultation.objects.exists()


VERBS = {
    "open": (councils.open_opinions, ()),
    "decide": (councils.decide, ("Решение.",)),
    "rediscuss": (councils.rediscuss, ()),
    "submit": (councils.submit, ()),
    "sign": (councils.sign, ()),
    "refuse": (councils.refuse, ("Не согласен.",)),
    "cancel": (councils.cancel, ("not_needed",)),
    "dissent": (councils.dissent, ("Особое мнение.",)),
    "say": (councils.say, ("Слово.",)),
}


@pytest.mark.parametrize("stage", ["sealed", "opened", "decided", "signing", "signed"])
def test_in_every_state_a_move_is_the_tables_or_refused_and_changes_nothing(cast, stage):
    """Each state by each person by each verb: what the table doesn't allow is refused."""
    sitting = getattr(Sitting(cast), stage)()
    before = sitting.state()
    everybody = {
        "chair": (sitting.chair, Role.CHAIR),
        "secretary": (sitting.secretary, Role.SECRETARY),
        "member": (sitting.member, Role.COUNCIL_MEMBER),
        "consultant": (cast.cniis_consultant, Role.CONSULTANT),
        "stranger": (cast.nmic_dispatcher, None),
    }
    for name in ("open", "decide", "rediscuss", "submit", "sign", "refuse", "cancel"):
        verb, words = VERBS[name]
        for who, (actor, role) in everybody.items():
            move = "sign_last" if (name, who) == ("sign", "chair") else name
            allowed = {
                row.role for row in COUNCIL_MACHINE.rows if (row.move, row.from_state) == (move, before)
            }
            if role in allowed:
                continue
            with pytest.raises((Refused, NotThere, Council.DoesNotExist)):
                sitting.do(actor, verb, *words)
            assert sitting.state() == before, (name, who)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_random_walks_open_nothing_early(cast, data):
    """Whatever anybody tries in whatever order, an opinion is read by others only after the opening."""
    sitting = Sitting(cast)
    people = (*sitting.all, cast.cniis_consultant, cast.cniis_dispatcher)
    for _ in range(12):
        name = data.draw(st.sampled_from([*VERBS, "seal", "accept"]))
        actor = data.draw(st.sampled_from(people))
        try:
            if name == "seal":
                sitting.do(actor, councils.write_opinion, f"{SECRET} {actor.name}", seal=True)
            elif name == "accept":
                sitting.do(actor, councils.answer, accepts=data.draw(st.booleans()))
            else:
                verb, words = VERBS[name]
                sitting.do(actor, verb, *words)
        except (Refused, NotThere, Council.DoesNotExist):
            pass
        with acting(cast.cniis_consultant):
            opened = Council.objects.get(pk=sitting.council.pk).opened_at
        for reader in people:
            with acting(reader):
                others = [one for one in readable(reader) if one.person_id != reader.person_id]
                assert opened or not others


def told(kind):
    """Tell everything pending; return who was told of this, and where it leads them."""
    deliver.tell_pending(at=LATER)
    with as_worker():
        return set(Notice.objects.filter(kind=kind).values_list("person_id", "path"))


def waiting():
    """Who reads that something is theirs to act."""
    with as_worker():
        return set(Notice.objects.filter(needs_action=True).values_list("person_id", "kind"))


def test_a_council_is_called_to_its_own_page_and_the_requester_is_told_at_the_request(cast):
    sitting = Sitting(cast, at=NOW + DAY)
    council, request = f"/councils/{sitting.council.pk}/", f"/requests/{sitting.row.pk}/"
    assert told("council_call") == {
        (sitting.chair.person_id, council),
        (sitting.member.person_id, council),
        (sitting.cast.omsk_doctor.person_id, request),
    }


def test_what_waited_for_a_council_waits_until_the_council_moves_on(cast):
    sitting = Sitting(cast, at=NOW + DAY)
    told("council_call")
    sitting.sealed()
    told("council_call")
    asked = {(sitting.chair.person_id, "council_call"), (sitting.member.person_id, "council_call")}
    assert asked <= waiting()
    before = waiting() - asked
    sitting.at += timedelta(hours=1)
    sitting.do(sitting.chair, councils.open_opinions)
    told("council_open")
    # The request itself hasn't moved: what waits there waits on.
    assert waiting() - before == {
        (sitting.secretary.person_id, "council_open"),
        (sitting.member.person_id, "council_open"),
    }
    sitting.at += timedelta(hours=1)
    sitting.do(sitting.chair, councils.decide, "Резекция с одномоментной пластикой.")
    told("council_decide")
    assert waiting() == before


def test_who_acts_in_a_council_has_read_what_they_were_told_of_it(cast):
    sitting = Sitting(cast, at=NOW + DAY)
    told("council_call")
    sitting.at += timedelta(hours=1)
    sitting.do(sitting.member, councils.answer, accepts=True)
    deliver.tell_pending(at=LATER)
    with as_worker():
        unread = Notice.objects.filter(kind="council_call", read_at=None).values_list("person_id", flat=True)
        assert set(unread) == {sitting.chair.person_id, sitting.cast.omsk_doctor.person_id}
