"""Time itself: empties what is pending, sends letters, runs the due clocks, sweeps what is over."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone

from konsilium.actions import (
    closing,
    documents,
    engines,
    inspecting,
    keeping,
    readying,
    receiving,
    recorded,
    rooming,
    sweeping,
    telling,
)
from konsilium.adapters import sandbox
from konsilium.adapters.mail import mailer
from konsilium.notifications import deliver
from konsilium.notifications.channels import email

log = logging.getLogger(__name__)
LOOK_EVERY = 1.0


@dataclass
class Chore:
    """Something done again and again; a failed round is logged and tried again at the next."""

    name: str
    every: timedelta
    do: Callable[[datetime], int]
    due_at: datetime | None = None

    def run_if_due(self, at: datetime) -> int:
        """Do it when its time has come. Returns how much was done."""
        if self.due_at is not None and at < self.due_at:
            return 0
        self.due_at = at + self.every
        try:
            return self.do(at)
        except Exception:
            log.exception("the worker's chore %s failed", self.name)
            return 0


def chores() -> list[Chore]:
    """Return everything the worker does, the most pressing first."""
    reading = keeping.Scrub()

    def scrub(at: datetime) -> int:
        return reading.run(at=at)

    seconds, minutes, hours = timedelta(seconds=LOOK_EVERY), timedelta(minutes=1), timedelta(hours=1)
    work = [
        Chore("tell", seconds, lambda at: deliver.tell_pending(at=at)),
        Chore("close what waits for an outcome", minutes, lambda at: closing.expire_due(at=at)),
        Chore("put strangers out of rooms", minutes, lambda at: engines.put_out_strangers(at=at)),
        Chore("note who left rooms", timedelta(seconds=10), lambda at: rooming.sweep(at=at)),
        Chore("forget what rooms said", minutes, lambda at: telling.forget(at=at)),
        Chore("close rooms that are over", minutes, lambda at: engines.close_done(at=at)),
        Chore("let recordings go", hours, lambda at: recorded.expire(at=at)),
        Chore("remind of sessions", minutes, lambda at: readying.remind_due(at=at)),
        Chore("look at lines before sessions", minutes, lambda at: readying.look_at_lines(at=at)),
        Chore("forget", hours, lambda at: sweeping.forget(at=at)),
        Chore("sweep files", hours, lambda at: documents.sweep_orphans(at=at) + receiving.sweep(at=at)),
        Chore("delete what is due", hours, lambda at: keeping.delete_due(at=at)),
        Chore("read files again", seconds, scrub),
    ]
    if settings.SMTP_URL:
        sender = mailer(settings.SMTP_URL)
        work.insert(1, Chore("send letters", seconds, lambda at: email.send_pending(sender, at=at)))
    return work


def run(stop: threading.Event) -> None:
    """Do the chores until told to stop; go on at once while a round found something to do."""
    work = chores()
    while not stop.is_set():
        now = timezone.now()
        if not sum(chore.run_if_due(now) for chore in work):
            stop.wait(LOOK_EVERY)
        # A broken connection is dropped here; the next round opens another.
        close_old_connections()


def inspect(stop: threading.Event) -> None:
    """Look at what arrives until told to stop, in a process of its own: a long reading must keep no letter waiting."""
    inspecting.sweep_scratch()
    missing = sorted(name for name, stands in sandbox.isolation().items() if not stands)
    if missing:
        log.warning("the sandbox has to do without: %s", ", ".join(missing))
    work = [
        Chore("inspect", timedelta(0), lambda at: inspecting.run_pending(at=at, most=1)),
        Chore("take recordings", timedelta(seconds=5), lambda at: recorded.gather(at=at, most=1)),
    ]
    while not stop.is_set():
        now = timezone.now()
        if not sum(chore.run_if_due(now) for chore in work):
            stop.wait(LOOK_EVERY)
        close_old_connections()


def run_once(at: datetime) -> int:
    """Do every chore once, for tests and the demonstration. Returns how much was done."""
    return sum(chore.run_if_due(at) for chore in chores())
