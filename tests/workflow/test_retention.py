"""How long documents are kept: only by the operator's terms, only after the end, the conclusion a quarter of a century."""

from datetime import UTC, datetime

import pytest

from konsilium.workflow.consultation import FINAL, State
from konsilium.workflow.document import DocumentState
from konsilium.workflow.retention import KEPT_BY, BadTerms, Held, Term, due_at, read_terms

END = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
ALL = {name: Term(years=25) for name in KEPT_BY}


def held(kind="cbct", state=DocumentState.AVAILABLE, request_state=State.CLOSED, closed_at=END):
    return Held(kind, state, request_state, closed_at)


@pytest.mark.parametrize("state", sorted(set(State) - FINAL))
def test_nothing_of_an_open_request_is_ever_due(state):
    assert due_at(held(request_state=state), ALL) is None


def test_without_a_term_nothing_is_ever_due():
    assert due_at(held(), {}) is None
    assert due_at(held(), read_terms("face_photo=5y")) is None


def test_a_request_without_an_end_keeps_all():
    assert due_at(held(closed_at=None), ALL) is None


def test_years_run_from_the_requests_end():
    assert due_at(held(), read_terms("cbct=10y")) == END.replace(year=2036)


def test_days_run_too():
    assert due_at(held(), read_terms("cbct=30d")) == datetime(2026, 12, 23, 6, 0, tzinfo=UTC)


def test_a_year_from_a_leap_day_is_never_a_day_too_early():
    leap = datetime(2028, 2, 29, tzinfo=UTC)
    assert Term(years=1).after(leap) == datetime(2029, 3, 1, tzinfo=UTC)
    assert Term(years=4).after(leap) == datetime(2032, 2, 29, tzinfo=UTC)


@pytest.mark.parametrize("state", ["refused", "removed", "superseded"])
def test_a_file_out_of_use_has_a_term_of_its_own_before_its_kinds(state):
    assert due_at(held(state=state), read_terms("unused=1d cbct=10y")) == datetime(
        2026, 11, 24, 6, 0, tzinfo=UTC
    )
    assert due_at(held(state=state), read_terms("cbct=10y")) == END.replace(year=2036)


@pytest.mark.parametrize("request_state", [State.REJECTED, State.WITHDRAWN])
def test_an_unanswered_request_has_a_term_of_its_own(request_state):
    terms = read_terms("unanswered=3y cbct=10y")
    assert due_at(held(request_state=request_state), terms) == END.replace(year=2029)
    assert due_at(held(), terms) == END.replace(year=2036)


def test_a_conclusion_goes_by_its_own_term_alone():
    terms = read_terms("conclusion_scan=30y unused=1d unanswered=1d")
    scan = held("conclusion_scan", DocumentState.SUPERSEDED, State.WITHDRAWN)
    assert due_at(scan, terms) == END.replace(year=2056)
    assert due_at(scan, read_terms("unused=1d unanswered=1d")) is None


@pytest.mark.parametrize(
    "text",
    ["cbct", "cbct=0y", "cbct=10", "cbct=-1y", "holiday=1y", "conclusion_scan=24y", "conclusion_scan=999d"],
)
def test_a_term_that_is_none_or_too_short_is_said(text):
    with pytest.raises(BadTerms, match=text.split("=")[0]):
        read_terms(f"other=5y {text}")
