"""What could be guessed is tried through here: counted by account and by network, one try of an account at a time."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import connection

from konsilium.models import SignInAttempt
from konsilium.models.access import signing_in
from konsilium.workflow.machine import Refused
from konsilium.workflow.words import N_

WINDOW = timedelta(minutes=15)
FAILURES_OF_AN_ACCOUNT = 10
# A hospital comes from one address: its whole staff mistypes together.
FAILURES_OF_A_NETWORK = 60


class TooManyTries(Refused):
    """The throttle is closed for this account or network."""

    def __init__(self) -> None:
        """Say when to come again."""
        super().__init__(N_("Too many tries. Wait a quarter of an hour and try again."))


def hash_of(text: str) -> str:
    """Return the hash under which a token, a code or a typed login is kept."""
    return hashlib.sha256(text.encode()).hexdigest()


def guess(
    who: str, fits: Callable[[], bool], wrong: Refused, *, network: str, at: datetime
) -> Refused | None:
    """Try it, and remember the try under who and network; return why not: `wrong` or TooManyTries.

    The refusal is a value, and the caller raises it outside of any transaction of its own: what rolls back would take
    the remembered try along. `fits` is not asked at all once the throttle is closed.
    """
    account = hash_of(who)
    with signing_in():
        _take_turns(account)
        if _is_closed(account, network, at):
            return TooManyTries()
        good = fits()
        SignInAttempt(account_hash=account, network=network, at=at, succeeded=good).save(force_insert=True)
    return None if good else wrong


def _take_turns(account: str) -> None:
    """Let one try of an account pass at a time: a hundred at once would all see the same count."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", [account])


def _is_closed(account: str, network: str, at: datetime) -> bool:
    since, tries = at - WINDOW, SignInAttempt.objects
    of_account = tries.failures(since=since, account_hash=account) if account else 0
    return (
        of_account >= FAILURES_OF_AN_ACCOUNT
        or tries.failures(since=since, network=network) >= FAILURES_OF_A_NETWORK
    )


def ask(*, network: str, at: datetime) -> Refused | None:
    """Count an asking that needs no knowledge (for a letter) against its network; return TooManyTries past the limit."""
    with signing_in():
        if _is_closed("", network, at):
            return TooManyTries()
        SignInAttempt(account_hash="", network=network, at=at, succeeded=False).save(force_insert=True)
    return None
