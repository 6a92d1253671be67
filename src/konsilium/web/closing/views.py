"""Withdraw a request, confirm its conclusion, close it with the outcome."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from konsilium.actions import closing
from konsilium.web.closing.forms import OutcomeForm, WithdrawForm
from konsilium.web.consultation.moving import Move, case, move_page, press


def withdraw(request: Any, pk: UUID) -> HttpResponse:
    """Withdraw a request with a reason."""
    row = case(request, pk)
    form = WithdrawForm(request.POST or None)
    return move_page(
        request,
        row,
        form,
        lambda version: closing.withdraw(
            row, **form.cleaned_data, actor=request.actor, at=request.at, version=version
        ),
        move=Move(
            "withdraw",
            gettext(
                "The centre stops working on it, and an open session is cancelled. This can't be undone."
            ),
            gettext("The request is withdrawn."),
            danger=True,
        ),
    )


@require_POST
def acknowledge(request: Any, pk: UUID) -> HttpResponse:
    """Confirm that the conclusion was read."""
    row = case(request, pk)
    return press(
        request,
        row,
        lambda version: closing.acknowledge(row, actor=request.actor, at=request.at, version=version),
        done=gettext("Thank you: the centre sees that the conclusion was read."),
    )


def close(request: Any, pk: UUID) -> HttpResponse:
    """Report what became of the patient and close the request."""
    row = case(request, pk)
    form = OutcomeForm(request.POST or None)
    return move_page(
        request,
        row,
        form,
        lambda version: closing.close(
            row, **form.cleaned_data, actor=request.actor, at=request.at, version=version
        ),
        move=Move(
            "close",
            gettext("The centre learns what its answer did. After that the request can only be read."),
            gettext("The request is closed. Thank you for the outcome."),
        ),
    )
