"""What the house forgets: keys, tries, ended web sessions, and what was told long ago."""

from datetime import datetime, timedelta

from konsilium.models import Delivery, Notice, OnceKey, SignInAttempt, WebSession
from konsilium.models.access import as_worker, signing_in

KEYS_KEPT = timedelta(days=2)
TRIES_KEPT = timedelta(days=30)
DELIVERIES_KEPT = timedelta(days=30)
NOTICES_KEPT = timedelta(days=365)


def forget(*, at: datetime) -> int:
    """Delete old form keys, tries to sign in, ended web sessions, done deliveries and last year's notices.

    Returns how many rows went. The events themselves stay.
    """
    with as_worker():
        gone = OnceKey.objects.filter(at__lt=at - KEYS_KEPT).delete()[0]
        gone += Delivery.objects.filter(done_at__lt=at - DELIVERIES_KEPT).delete()[0]
        gone += Notice.objects.filter(at__lt=at - NOTICES_KEPT).delete()[0]
    with signing_in():
        gone += SignInAttempt.objects.filter(at__lt=at - TRIES_KEPT).delete()[0]
        gone += WebSession.objects.filter(expire_date__lt=at).delete()[0]
    return gone
