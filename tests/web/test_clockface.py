"""Times and ages as people read them."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import translation

from konsilium.web.clockface import age, left, local, local_clock, span, zone_label
from tests.cast import NOW


@pytest.fixture(autouse=True)
def _russian():
    with translation.override("ru"):
        yield


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(), "0 мин"),
        (timedelta(minutes=59, seconds=59), "59 мин"),
        (timedelta(hours=1), "1 ч 0 мин"),
        (timedelta(hours=23, minutes=59), "23 ч 59 мин"),
        (timedelta(days=1), "1 д"),
        (timedelta(days=1, hours=3), "1 д 3 ч"),
        (timedelta(days=12, hours=3), "12 д"),
    ],
)
def test_a_length_of_time_is_said_in_its_largest_parts(length, words):
    assert span(length) == words


def test_what_is_left_runs_stands_still_is_late_or_is_answered():
    due = NOW + timedelta(hours=3)
    assert left(due, at=NOW) == ("3 ч 0 мин", "calm", due.isoformat())
    assert left(due, at=due - timedelta(minutes=59))[1] == "soon"
    assert left(due, at=due + timedelta(minutes=5)) == ("просрочено на 5 мин", "late", due.isoformat())
    assert left(due, at=due + timedelta(days=1), paused_at=NOW) == ("пауза: 3 ч 0 мин", "still", "")
    assert left(due, at=due + timedelta(days=1), answered_at=NOW) == ("отвечен в срок", "done", "")
    late = left(due, at=due, answered_at=due + timedelta(minutes=7))
    assert late == ("отвечен с опозданием на 7 мин", "done", "")
    assert left(None, at=NOW) == ("", "done", "")


@pytest.mark.parametrize(
    ("zone", "label", "clock"),
    [
        ("Europe/Moscow", "МСК", "09:00 МСК"),
        ("Asia/Omsk", "МСК+3", "12:00 МСК+3"),
        ("Europe/Kaliningrad", "МСК-1", "08:00 МСК-1"),
        ("Asia/Kamchatka", "МСК+9", "18:00 МСК+9"),
    ],
)
def test_a_places_time_is_told_with_its_distance_from_moscow(zone, label, clock):
    assert zone_label(zone, NOW) == label
    assert local_clock(NOW, zone) == clock


def test_a_moment_is_written_in_the_readers_zone():
    assert local(datetime(2026, 12, 31, 23, 30, tzinfo=UTC), "Asia/Omsk") == "01.01.2027 05:30"
    assert local(None, "Asia/Omsk") == ""


@pytest.mark.parametrize(
    ("born", "words"),
    [
        (date(2000, 11, 23), "26 лет"),
        (date(2000, 11, 24), "25 лет"),
        (date(2025, 11, 23), "1 год"),
        (date(1985, 1, 1), "41 год"),
        (date(2024, 1, 1), "2 года"),
        (date(2026, 6, 24), "4 месяца"),
        (date(2026, 11, 22), "0 месяцев"),
        (None, ""),
    ],
)
def test_an_age_is_said_in_years_and_the_youngests_in_months(born, words):
    assert age(born, date(2026, 11, 23)) == words
