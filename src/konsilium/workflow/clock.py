"""The answer's due time: how it runs, stands still, and follows a confirmed session. No clock is read here."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from konsilium.workflow.words import Urgency

# Two, eight (ours) and twenty-four hours; a centre and profile may have their own terms as data.
ANSWER_TERMS = {
    Urgency.EMERGENCY: timedelta(hours=2),
    Urgency.URGENT: timedelta(hours=8),
    Urgency.PLANNED: timedelta(hours=24),
}

# Ours: how long a held session leaves for the conclusion, a question for its answer, a conclusion for the outcome.
AFTER_SESSION = timedelta(hours=4)
ANSWER_TO_QUESTION = timedelta(days=3)
OUTCOME_TERM = timedelta(days=30)


@dataclass(frozen=True)
class Clock:
    """A request's clock: `due_at` as it stands now, and since when it stands still, if it does.

    `base_due_at` is the due time without any session; both move on by the time spent standing still.
    """

    due_at: datetime
    base_due_at: datetime
    paused_at: datetime | None = None

    def pause(self, at: datetime, urgency: str) -> "Clock":
        """Stand still from now on, unless the request is an emergency's or stands already."""
        if urgency == Urgency.EMERGENCY or self.paused_at:
            return self
        return replace(self, paused_at=at)

    def resume(self, at: datetime) -> "Clock":
        """Run again, later by the time stood still."""
        if self.paused_at is None:
            return self
        stood = at - self.paused_at
        return Clock(due_at=self.due_at + stood, base_due_at=self.base_due_at + stood)

    def take_term(self, term: timedelta, *, instead_of: timedelta) -> "Clock":
        """Run with another centre's term from the same start; what stood still stays counted."""
        longer = term - instead_of
        return replace(self, due_at=self.due_at + longer, base_due_at=self.base_due_at + longer)

    def follow_session(self, starts_at: datetime) -> "Clock":
        """Run to the confirmed start of a session."""
        return replace(self, due_at=starts_at)

    def leave_session(self) -> "Clock":
        """Run to the request's own due time again: the session was cancelled, missed or moved."""
        return replace(self, due_at=self.base_due_at)

    def after_session(self, ended_at: datetime) -> "Clock":
        """Leave time for the conclusion after a held session, never less than the request's own term."""
        return replace(self, due_at=max(self.base_due_at, ended_at + AFTER_SESSION))


def start(at: datetime, term: timedelta) -> Clock:
    """Start the clock when the request reaches the centre."""
    return Clock(due_at=at + term, base_due_at=at + term)
