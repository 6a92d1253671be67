"""Time itself: empties what is pending, sends letters, runs the due clocks, sweeps what is over."""

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import close_old_connections, connection
from django.utils import timezone

from konsilium.actions import (
    closing,
    documents,
    echoing,
    engines,
    inspecting,
    keeping,
    printing,
    probing,
    readying,
    receiving,
    recorded,
    retesting,
    rooming,
    sweeping,
    telling,
    verifying,
)
from konsilium.adapters import sandbox
from konsilium.adapters.mail import mailer
from konsilium.adapters.sip.echo import Desk, EchoLine
from konsilium.models import access
from konsilium.notifications import deliver
from konsilium.notifications.channels import email
from konsilium.workflow.probing import Found

log = logging.getLogger(__name__)
LOOK_EVERY = 1.0
# A call takes half a minute; a simple look must not wait behind it.
PROBES_AT_ONCE = 6


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
        Chore("print", seconds, lambda at: printing.make_waiting(at=at)),
        Chore("close what waits for an outcome", minutes, lambda at: closing.expire_due(at=at)),
        Chore("put strangers out of rooms", minutes, lambda at: engines.put_out_strangers(at=at)),
        Chore("note who left rooms", timedelta(seconds=10), lambda at: rooming.sweep(at=at)),
        Chore("forget what rooms said", minutes, lambda at: telling.forget(at=at)),
        Chore("close rooms that are over", minutes, lambda at: engines.close_done(at=at)),
        Chore("let recordings go", hours, lambda at: recorded.expire(at=at)),
        Chore("remind of sessions", minutes, lambda at: readying.remind_due(at=at)),
        Chore("remind of tests that run out", hours, lambda at: retesting.remind_due(at=at)),
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
        Chore("check signatures", timedelta(seconds=2), lambda at: verifying.check_waiting(at=at, most=5)),
    ]
    while not stop.is_set():
        now = timezone.now()
        if not sum(chore.run_if_due(now) for chore in work):
            stop.wait(LOOK_EVERY)
        close_old_connections()


def probe(stop: threading.Event) -> None:
    """Look at addresses until told to stop, several at once, in a process that enters no context but the prober's."""
    access.confine("k_prober", "k_door")
    prober = probing.prober_at_hand()
    running: set[Future[None]] = set()
    with ThreadPoolExecutor(PROBES_AT_ONCE) as pool, _echo_line():
        while not stop.is_set():
            running = {one for one in running if not one.done()}
            task = _next_probe() if len(running) < PROBES_AT_ONCE else None
            if task is None:
                stop.wait(LOOK_EVERY)
            else:
                running.add(pool.submit(_do_probe, prober, task))


@contextmanager
def _echo_line() -> Iterator[None]:
    """Run the echo line where the deployment has one. Looks go on without it when its port can't be had."""
    if settings.ECHO is None:
        yield
        return
    line = EchoLine(settings.ECHO.host, settings.ECHO.port, Desk(_called, _landed), settings.MEDIA)
    try:
        line.start()
    except OSError:
        log.error("the echo line can't listen at its port")  # noqa: TRY400  the reason names nothing more
    try:
        yield
    finally:
        line.stop()


def _called(number: str) -> echoing.Called | None:
    try:
        return echoing.called(number)
    finally:
        connection.close()


def _landed(call: echoing.Called, found: Found) -> None:
    try:
        echoing.land(call, found, at=timezone.now())
    except Exception:
        log.exception("a call to the echo line could not be written")
    finally:
        connection.close()


def _next_probe() -> probing.Task | None:
    try:
        return probing.take(at=timezone.now())
    except Exception:
        log.exception("no probe could be taken")
        return None
    finally:
        close_old_connections()


def _do_probe(prober: probing.Prober, task: probing.Task) -> None:
    try:
        probing.do(prober, task, at=timezone.now())
    except Exception:
        log.exception("a probe's result could not be written")
    finally:
        connection.close()


def run_once(at: datetime) -> int:
    """Do every chore once, for tests and the demonstration. Returns how much was done."""
    return sum(chore.run_if_due(at) for chore in chores())
