"""What a consultant writes."""

from typing import Any, NamedTuple
from uuid import UUID

from django import forms
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from konsilium.actions.concluding import FIELDS, Paper
from konsilium.models import Document
from konsilium.web.account.forms import cleaned
from konsilium.web.drafting.forms import choice_field, date_field, line_field, text_field
from konsilium.workflow import words
from konsilium.workflow.document import DocumentState
from konsilium.workflow.identifiers import normalize_icd10
from konsilium.workflow.reasons import REASONS
from konsilium.workflow.words import CONCLUSION_SCAN, DOCUMENT_KINDS


class AskForm(forms.Form):
    """What is missing."""

    text = forms.CharField(
        label=_("What is missing, or what you ask"),
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 5}),
    )


class HandBackForm(forms.Form):
    """Why the request goes back to the dispatcher; the requesting side doesn't see it."""

    reason = forms.ChoiceField(
        label=_("Reason"),
        choices=[(code, _(label)) for code, label in REASONS.items()],
        widget=forms.RadioSelect,
    )
    text = text_field(_("In words"), 3)


class AnswerField(NamedTuple):
    """The field of an answer to one question."""

    question_id: UUID
    name: str
    number: int
    question: str
    text: str


class Studied(NamedTuple):
    """A document of the case, to be ticked as studied."""

    name: str
    kind: str
    address: str
    ticked: bool


class ConclusionForm(forms.Form):
    """The conclusion along the requester's questions. Nothing is required to save."""

    text = text_field(_("Conclusion"), 8)
    recommendations = text_field(_("Recommendations"), 6)
    diagnosis_code = line_field(
        _("ICD-10 code"),
        10,
        widget=forms.TextInput(
            attrs={
                "list": "icd10",
                "autocomplete": "off",
                "hx-get": "/dictionary/icd10/",
                "hx-trigger": "input changed delay:250ms",
                "hx-target": "#icd10",
                "hx-swap": "innerHTML",
            }
        ),
    )
    diagnosis_text = line_field(_("Diagnosis in words"), 2000)
    diagnosis_certainty = choice_field(_("Certainty of the diagnosis"), words.CERTAINTIES)
    kind = choice_field(_("Kind of consultation"), words.KINDS)
    mode = choice_field(_("How it was held"), words.MODES)
    goal = choice_field(_("Goal"), words.GOALS, radio=False)
    visit_needed = forms.BooleanField(label=_("An in-person visit is needed"), required=False)
    admission_needed = forms.BooleanField(label=_("Admission is needed"), required=False)
    repeat_needed = forms.BooleanField(label=_("A repeated consultation is needed"), required=False)
    next_date = date_field(_("When"))
    correction = text_field(_("What this correction changes, and why"), 3)

    def __init__(self, data: Any, paper: Paper) -> None:
        """Fill the form from the paper; the answers and the case's documents come beside it (one query)."""
        draft = paper.draft
        super().__init__(data, initial={name: getattr(draft, name) for name in FIELDS})
        if draft.edition == 1:
            del self.fields["correction"]
        self.answers = [
            AnswerField(
                question.pk,
                f"answer-{question.pk}",
                question.number,
                question.text,
                data.get(f"answer-{question.pk}", "") if data else text,
            )
            for question, text in paper.answers
        ]
        ticked = set(data.getlist("studied") if data else draft.documents_studied.split("\n"))
        there = Document.objects.filter(consultation_id=draft.consultation_id, state=DocumentState.AVAILABLE)
        self.studied = [
            Studied(
                row.file_name,
                gettext(DOCUMENT_KINDS.get(row.kind, row.kind)),
                reverse("documents:open", args=[row.pk]),
                row.file_name in ticked,
            )
            for row in there.exclude(kind=CONCLUSION_SCAN)
        ]

    def clean_diagnosis_code(self) -> str:
        """A code of the right shape."""
        return cleaned(self.cleaned_data["diagnosis_code"], normalize_icd10)

    def clean(self) -> dict[str, Any]:
        """Leave out what was not chosen and can't be empty."""
        data = super().clean() or {}
        return {name: value for name, value in data.items() if value or name not in ("kind", "mode")}

    def values(self) -> dict[str, Any]:
        """Return what was written and is right, with the documents that were ticked."""
        ticked = [document.name for document in self.studied if document.ticked]
        return {**self.cleaned_data, "documents_studied": "\n".join(ticked)}

    def written(self) -> dict[UUID, str]:
        """Return the answers by their question."""
        return {answer.question_id: answer.text for answer in self.answers}
