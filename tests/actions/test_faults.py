"""A fault before any statement of a session's or a conclusion's move leaves all as it was."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import connection

from konsilium.actions import concluding, consulting, sessions
from konsilium.models import (
    Answer,
    Conclusion,
    Consultation,
    Delivery,
    Document,
    Event,
    Session,
    SessionOption,
)
from konsilium.models.access import acting, as_worker
from tests.actions.test_dispatchers_race import FaultError, fault_before
from tests.actions.test_sessions import TOMORROW, confirmed, now, proposed, table
from tests.factories import Way

pytestmark = pytest.mark.django_db


def confirming(cast):
    way, session = proposed(cast)
    option = table(way, session)[0].pk
    given = sessions.Connection("sip", "9100@omsk.example")
    return way, way.doctor, partial(sessions.confirm, session, option, connection_given=given, at=way.at)


def countering(cast):
    way, session = confirmed(cast)
    return way, way.doctor, partial(sessions.counter, session, [TOMORROW + timedelta(days=1)], at=way.at)


def proposing(cast):
    way = Way(cast).on_video()
    return way, way.consultant, partial(sessions.propose, way.row, [TOMORROW], at=way.at)


def holding(cast):
    way, session = confirmed(cast)
    way.at = now(way, session).starts_at + timedelta(hours=1)
    return way, way.consultant, partial(sessions.hold, session, ended_at=way.at, at=way.at)


def handing_back(cast):
    way = Way(cast).assigned()
    return way, way.consultant, partial(consulting.hand_back, way.row, "no_specialist", at=way.at)


def saving(cast):
    way = Way(cast).drafted()
    draft = way.do(way.consultant, concluding.draft_of)
    with acting(way.consultant):
        questions = list(Answer.objects.filter(conclusion=draft).values_list("question_id", flat=True))
    answers = dict.fromkeys(questions, "Иначе.")
    return way, way.consultant, partial(concluding.save_draft, draft, {"text": "Иначе."}, answers, at=way.at)


def placing(cast):
    way = Way(cast).drafted()
    return way, way.consultant, partial(concluding.place, way.row, at=way.at)


MOVES = (confirming, countering, proposing, holding, handing_back, saving, placing)


def trace(way):
    """Everything these moves leave, as the database keeps it."""
    models, found = (Consultation, Session, SessionOption, Conclusion, Answer, Document, Event), []
    for who in (way.doctor, way.consultant, way.dispatcher):
        with acting(who):
            found += [sorted(map(repr, model.objects.values_list())) for model in models]
    with as_worker():
        found.append(Delivery.objects.count())
    return found


def failed(who, act, faults):
    """Act with a fault before the statement of this number; the page around it goes on."""
    with acting(who):
        try:
            with connection.execute_wrapper(fault_before(faults)):
                act(actor=who)
        except FaultError:
            return True
    return False


@pytest.mark.parametrize("prepare", MOVES, ids=lambda prepare: prepare.__name__)
def test_a_fault_before_any_statement_leaves_all_as_it_was(cast, prepare):
    way, who, act = prepare(cast)
    before, faults = trace(way), 0
    while failed(who, act, faults):
        assert trace(way) == before, faults
        faults += 1
    assert faults > 8
    assert trace(way) != before
