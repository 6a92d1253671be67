"""What people write in the thread."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from konsilium.actions.conversation import Letter
from konsilium.models import Message


class LetterForm(forms.Form):
    """A message, a question, or the answer to one."""

    text = forms.CharField(
        label=_("Message"),
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": _("Write the message first.")},
    )
    kind = forms.ChoiceField(
        label=_("What it is"),
        choices=[
            (Message.MESSAGE, _("A message")),
            (Message.QUESTION, _("A question: it waits for an answer")),
            (Message.ANSWER, _("An answer")),
        ],
        initial=Message.MESSAGE,
        required=False,
    )
    answers = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def letter(self, documents: tuple[Any, ...] = ()) -> Letter:
        """Return what was written."""
        given = self.cleaned_data
        kind = Message.ANSWER if given["answers"] else given["kind"] or Message.MESSAGE
        return Letter(given["text"], kind, given["answers"], documents)


class AnswerForm(forms.Form):
    """The answer that gives the request back."""

    text = forms.CharField(
        label=_("Answer"),
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={"required": _("Write what is needed, in words.")},
    )
