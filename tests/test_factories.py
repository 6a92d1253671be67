"""The factories keep their word: a request in each state, made without stepping around a rule."""

import pytest

from konsilium.models.access import acting
from konsilium.workflow.consultation import State
from tests.factories import WAYS, Way, confirmed_session, in_state

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("state", sorted(State))
def test_a_request_can_be_made_in_every_state(cast, state):
    assert set(WAYS) == set(State)
    assert in_state(cast, state).state == state


def test_a_session_can_be_agreed_on(cast):
    way = Way(cast, who="chita_doctor", centre="nmic").on_video()
    session = confirmed_session(way)
    with acting(way.doctor):
        session.refresh_from_db()
    assert session.state == "confirmed"
