"""What a consultant writes."""

from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Any, NamedTuple
from uuid import UUID

from django import forms
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from konsilium.actions._parts import Parts
from konsilium.actions.concluding import FIELDS, Paper
from konsilium.models import Conclusion, Document
from konsilium.web.account.forms import cleaned
from konsilium.web.consulting.placed import label_of
from konsilium.web.drafting.forms import choice_field, date_field, line_field, text_field
from konsilium.web.viewer.links import key_links
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

    pk: UUID
    name: str
    kind: str
    address: str
    ticked: bool


class SectionField(NamedTuple):
    """The field of a section of the profile's template."""

    name: str
    code: str
    label: str
    hint: str
    needed: bool
    text: str


class Item(NamedTuple):
    """A recommendation's fields."""

    number: int
    text: str
    urgency: str


class Picture(NamedTuple):
    """A key image of the case, to be shown in the conclusion."""

    pk: UUID
    name: str
    address: str
    back: str
    ticked: bool
    caption: str


class ConclusionForm(forms.Form):
    """The conclusion along the requester's questions and the profile's template. Nothing is required to save."""

    text = text_field(_("Conclusion"), 8)
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
        """Fill the form from the paper; the case's documents and key images come beside it (three queries)."""
        draft, self.parts = paper.draft, paper.parts
        self.sent: Any = data
        super().__init__(data, initial={name: getattr(draft, name) for name in FIELDS if name != "sections"})
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
        self.urgencies = [(str(code), gettext(label)) for code, label in words.URGENCIES.items()]
        self.sections = list(self._sections(draft))
        self.items = self._items()
        self.studied = self._studied(draft)
        self.pictures = self._pictures(draft)

    def _sections(self, draft: Conclusion) -> Iterator[SectionField]:
        profile = draft.consultation.profile
        for section in profile.sections if profile else ():
            code, name = section["code"], f"section-{section['code']}"
            label = label_of(section, code)
            text = self.sent.get(name, "") if self.is_bound else draft.sections.get(code, "")
            yield SectionField(
                name, code, label, section.get("hint", ""), bool(section.get("is_needed")), text
            )

    def _items(self) -> list[Item]:
        """Return the recommendations as they are, with an empty one to go on with."""
        given: Iterable[tuple[str, str]] = self.parts.items
        if self.is_bound:
            texts, urgencies = self.sent.getlist("item"), self.sent.getlist("item-urgency")
            planned = str(words.Urgency.PLANNED)
            given = zip_longest(texts, urgencies[: len(texts)], fillvalue=planned)
        written = [(text, urgency) for text, urgency in given if text.strip()]
        rows = [*written, ("", str(words.Urgency.PLANNED))]
        return [Item(number, text, urgency) for number, (text, urgency) in enumerate(rows, start=1)]

    def _studied(self, draft: Conclusion) -> list[Studied]:
        chosen = set(self.sent.getlist("studied")) if self.is_bound else set(map(str, self.parts.studied))
        there = Document.objects.filter(consultation_id=draft.consultation_id, state=DocumentState.AVAILABLE)
        return [
            Studied(
                row.pk,
                row.file_name,
                gettext(DOCUMENT_KINDS.get(row.kind, row.kind)),
                reverse("documents:open", args=[row.pk]),
                str(row.pk) in chosen,
            )
            for row in there.exclude(kind=CONCLUSION_SCAN)
        ]

    def _pictures(self, draft: Conclusion) -> list[Picture]:
        """Return the case's key images: those that are shown in their order, then the others."""
        captions = {str(pk): caption for pk, caption in self.parts.pictures}
        if self.is_bound:
            captions = {pk: self.sent.get(f"caption-{pk}", "") for pk in self.sent.getlist("picture")}
        rows = [
            Picture(pk, key.name, key.address, key.back, str(pk) in captions, captions.get(str(pk), ""))
            for pk, key in key_links(draft.consultation).items()
        ]
        order = {pk: number for number, pk in enumerate(captions)}
        return sorted(rows, key=lambda one: order.get(str(one.pk), len(order)))

    def clean_diagnosis_code(self) -> str:
        """A code of the right shape."""
        return cleaned(self.cleaned_data["diagnosis_code"], normalize_icd10)

    def clean(self) -> dict[str, Any]:
        """Leave out what was not chosen and can't be empty."""
        data = super().clean() or {}
        return {name: value for name, value in data.items() if value or name not in ("kind", "mode")}

    def values(self) -> dict[str, Any]:
        """Return what was written and is right, with the template's sections."""
        return {**self.cleaned_data, "sections": {one.code: one.text for one in self.sections}}

    def written(self) -> dict[UUID, str]:
        """Return the answers by their question."""
        return {answer.question_id: answer.text for answer in self.answers}

    def given_parts(self) -> Parts:
        """Return the recommendations, the documents ticked, and the key images chosen with their captions."""
        return Parts(
            tuple((item.text, item.urgency) for item in self.items),
            frozenset(one.pk for one in self.studied if one.ticked),
            tuple((one.pk, one.caption) for one in self.pictures if one.ticked),
        )
