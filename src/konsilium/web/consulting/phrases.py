"""The consultant's phrases: found while a conclusion is written, kept and changed on a page of their own."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from konsilium.actions import phrases
from konsilium.models import Phrase
from konsilium.web.clockface import local
from konsilium.web.http import again, found, send_once, words

PAGE = "consulting/phrases.html"


class PhraseForm(forms.Form):
    """A phrase."""

    title = forms.CharField(label=_("Title"), max_length=phrases.LONGEST_TITLE)
    text = forms.CharField(
        label=_("Text"), max_length=phrases.LONGEST, widget=forms.Textarea(attrs={"rows": 5})
    )
    for_all = forms.BooleanField(label=_("For everybody in our centre"), required=False)


@require_POST
def find(request: Any) -> HttpResponse:
    """Show phrases and past conclusions that hold the words. Asked by POST: what is looked for stands in no address."""
    wanted = request.POST.get("phrase_q", "")[:100]
    zone = request.actor.time_zone
    context = {
        "phrases": phrases.find(wanted, actor=request.actor),
        "past": [
            {"row": one, "at": local(one.placed_at, zone)}
            for one in phrases.past(wanted, actor=request.actor)
        ],
        "wanted": wanted.strip(),
    }
    return render(request, "consulting/_phrases.html", context)


@require_POST
def used(request: Any, pk: UUID) -> HttpResponse:
    """Remember that a phrase was used."""
    _known(request, pk)
    phrases.count_use(pk, actor=request.actor)
    return HttpResponse("")


def show(request: Any, pk: UUID | None = None) -> HttpResponse:
    """Show the phrases with the form of a new one, or of the one to change; sent, keep it."""
    row = _known(request, pk) if pk else None
    form = PhraseForm(request.POST or None, initial=_initial(row))
    if request.method != "POST":
        return render(request, PAGE, _context(request, form, row))
    if not form.is_valid():
        return again(request, PAGE, _context(request, form, row))

    def run() -> str:
        phrases.keep(**form.cleaned_data, pk=pk, actor=request.actor, at=request.at)
        return "/consulting/phrases/"

    try:
        response = send_once(request, run)
    except phrases.Unfit as refusal:
        return again(request, PAGE, _context(request, form, row) | {"refusal": words(refusal)})
    messages.success(request, gettext("The phrase is kept."))
    return response


@require_POST
def forget(request: Any, pk: UUID) -> HttpResponse:
    """Remove a phrase."""
    _known(request, pk)
    phrases.forget(pk, actor=request.actor)
    messages.success(request, gettext("The phrase is removed."))
    return redirect("consulting:phrases")


def _known(request: Any, pk: UUID) -> Phrase:
    return found(phrases.phrases_of(request.actor).filter(pk=pk).first())


def _initial(row: Phrase | None) -> dict[str, Any]:
    return {"title": row.title, "text": row.text, "for_all": row.person_id is None} if row else {}


def _context(request: Any, form: PhraseForm, row: Phrase | None) -> dict[str, Any]:
    return {"form": form, "changed": row, "phrases": phrases.phrases_of(request.actor)[:500]}
