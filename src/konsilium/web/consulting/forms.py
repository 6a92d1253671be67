"""What a consultant writes."""

from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from konsilium.actions.concluding import FIELDS
from konsilium.models import Conclusion, Document
from konsilium.web.account.forms import cleaned
from konsilium.web.drafting.forms import choice_field, date_field, line_field, text_field
from konsilium.workflow import words
from konsilium.workflow.document import DocumentState
from konsilium.workflow.identifiers import normalize_icd10
from konsilium.workflow.reasons import REASONS
from konsilium.workflow.words import CONCLUSION_SCAN


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


class ConclusionForm(forms.Form):
    """The conclusion along the requester's questions. Nothing is required to save."""

    text = text_field(_("Conclusion"), 8)
    recommendations = text_field(_("Recommendations"), 6)
    diagnosis_code = line_field(_("ICD-10 code"), 10)
    diagnosis_text = line_field(_("Diagnosis in words"), 2000)
    diagnosis_certainty = choice_field(_("Certainty of the diagnosis"), words.CERTAINTIES)
    kind = choice_field(_("Consultation or council"), words.KINDS)
    mode = choice_field(_("Deferred or real time"), words.MODES)
    goal = choice_field(_("Goal"), words.GOALS, radio=False)
    visit_needed = forms.BooleanField(label=_("An in-person visit is needed"), required=False)
    admission_needed = forms.BooleanField(label=_("Admission is needed"), required=False)
    repeat_needed = forms.BooleanField(label=_("A repeated consultation is needed"), required=False)
    next_date = date_field(_("When"))
    correction = text_field(_("What this correction changes, and why"), 3)

    def __init__(self, data: Any, draft: Conclusion) -> None:
        """Fill the form from the draft; its answers and the case's documents come beside it."""
        super().__init__(data, initial={name: getattr(draft, name) for name in FIELDS})
        self.draft = draft
        if draft.edition == 1:
            del self.fields["correction"]
        self.answers: list[dict[str, Any]] = [
            {
                "id": answer.question_id,
                "name": f"answer-{answer.question_id}",
                "number": answer.question.number,
                "question": answer.question.text,
                "text": data.get(f"answer-{answer.question_id}", "") if data else answer.text,
            }
            for answer in draft.answers.select_related("question").order_by("question__number")
        ]
        studied = set(data.getlist("studied") if data else draft.documents_studied.split("\n"))
        there = Document.objects.filter(consultation_id=draft.consultation_id, state=DocumentState.AVAILABLE)
        names = there.exclude(kind=CONCLUSION_SCAN).values_list("file_name", flat=True)
        self.studied = [(name, name in studied) for name in names]

    def clean_diagnosis_code(self) -> str:
        """A code of the right shape."""
        return cleaned(self.cleaned_data["diagnosis_code"], normalize_icd10)

    def values(self) -> dict[str, Any]:
        """Return what was written, with the documents that were ticked."""
        ticked = [name for name, _there in self.studied if name in self.data.getlist("studied")]  # type: ignore[attr-defined]
        return {**self.cleaned_data, "documents_studied": "\n".join(ticked)}

    def written(self) -> dict[UUID, str]:
        """Return the answers by their question."""
        return {answer["id"]: answer["text"] for answer in self.answers}
