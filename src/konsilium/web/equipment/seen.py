"""The picture that a test call received, as our own program drew it."""

from typing import Any
from uuid import UUID

from django.http import Http404
from django.http.response import HttpResponseBase

from konsilium.actions.documents import store
from konsilium.adapters.storage.protocol import NotStored
from konsilium.models import Endpoint, EquipmentTest
from konsilium.web.documents.handing_out import inline
from konsilium.web.http import found

KEPT_SECONDS = 300


def show(request: Any, pk: UUID) -> HttpResponseBase:
    """Hand out a test's picture; the page asks with another question once there is a newer one."""
    tests = EquipmentTest.objects.filter(endpoint__in=Endpoint.objects.visible_to(request.actor))
    row = found(tests.only("id", "picture_sha256").filter(pk=pk).exclude(picture_sha256="").first())
    try:
        size = store().size(row.picture_sha256)
    except NotStored as error:
        raise Http404 from error
    return inline(request, row.picture_sha256, size, "image/png", seconds=KEPT_SECONDS)
