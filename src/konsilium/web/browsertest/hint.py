"""What the newest check of a person's computer says to somebody who chooses how to connect."""

from datetime import datetime
from typing import NamedTuple

from django.urls import reverse

from konsilium.actions.browsertest import newest
from konsilium.web.browsertest.sheet import proposed
from konsilium.web.clockface import local
from konsilium.workflow.roles import Actor, may


class Hint(NamedTuple):
    """The mode that the newest check proposes, when it was, and where it stands; without a check, where to make one."""

    url: str
    mode: str = ""
    tone: str = ""
    when: str = ""


def hint(actor: Actor, at: datetime) -> Hint | None:
    """Return the hint for this person; None for a role that checks no computers (one query)."""
    if not may(actor.role, "computer.check"):
        return None
    row = newest(actor, at=at)
    if row is None:
        return Hint(reverse("computer:show"))
    mode, tone = proposed(row)
    return Hint(reverse("computer:result", args=[row.pk]), mode, tone, local(row.at, actor.time_zone))
