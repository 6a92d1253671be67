"""What the house forgets: keys, tries and web sessions that are over."""

from datetime import datetime, timedelta

from konsilium.models import OnceKey, SignInAttempt, WebSession
from konsilium.models.access import as_worker, signing_in

KEYS_KEPT = timedelta(days=2)
TRIES_KEPT = timedelta(days=30)


def forget(*, at: datetime) -> int:
    """Delete old form keys, tries to sign in and ended web sessions. Returns how many rows went."""
    with as_worker():
        keys = OnceKey.objects.filter(at__lt=at - KEYS_KEPT).delete()[0]
    with signing_in():
        tries = SignInAttempt.objects.filter(at__lt=at - TRIES_KEPT).delete()[0]
        sessions = WebSession.objects.filter(expire_date__lt=at).delete()[0]
    return keys + tries + sessions
