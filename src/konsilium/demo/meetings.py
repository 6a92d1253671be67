"""The demonstration's sessions that are not only agreed: one about to begin, one that was held, one that failed."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from konsilium.actions import attending, readying, sessions
from konsilium.models import Consultation, Session
from konsilium.models.access import acting
from konsilium.workflow.roles import Actor
from konsilium.workflow.words import Side

if TYPE_CHECKING:
    from konsilium.demo.requests import Teller

HOUR, SOON, LASTED = timedelta(hours=1), timedelta(minutes=20), timedelta(minutes=35)
NOTE = "Показаны КЛКТ и прикус; договорились о плане и сроках."
TROUBLE = "Кодек больницы терял связь каждые две минуты, звук пропадал; перешли на телефон."


def tell(story: "Teller") -> None:
    """Tell a session whose room is open now, one that was held, and one that failed."""
    _soon(story)
    _held(story)
    _failed(story)


def _soon(story: "Teller") -> None:
    row, starts = _agreed(story, 28 * HOUR, SOON)
    _do(
        row,
        story.doctor,
        starts - HOUR,
        lambda session, actor, at: readying.ready(session, actor=actor, at=at),
    )


def _held(story: "Teller") -> None:
    row, starts = _agreed(story, 30 * HOUR, -5 * HOUR)
    ended = starts + LASTED
    people = ((story.doctor, Side.REQUESTING), (story.consultant, Side.CONSULTING))

    def hold(session: Session, actor: Actor, at: datetime) -> None:
        for who, side in people:
            there = attending.Presence(who.name, who.organization_name, side, starts, ended)
            attending.mark(session, there, actor=actor, at=at)
        sessions.hold(
            session, began_at=starts, ended_at=ended, patient_present=True, note=NOTE, actor=actor, at=at
        )

    _do(row, story.consultant, ended + timedelta(minutes=4), hold)


def _failed(story: "Teller") -> None:
    row, starts = _agreed(story, 32 * HOUR, -3 * HOUR)
    _do(
        row,
        story.consultant,
        starts + timedelta(minutes=25),
        lambda session, actor, at: sessions.fail(session, TROUBLE, actor=actor, at=at),
    )


def _agreed(story: "Teller", ago: timedelta, starts_in: timedelta) -> tuple[Consultation, datetime]:
    starts = (story.world.now + starts_in).replace(second=0, microsecond=0)
    return story.confirmed(ago, starts=starts), starts


def _do(
    row: Consultation, who: Actor, at: datetime, do: Callable[[Session, Actor, datetime], object]
) -> None:
    """Let somebody do something with the request's session at a time."""
    with acting(who):
        do(Session.objects.get(consultation=row.pk), who, at)
