"""A conclusion's recommendations, documents studied and pictures; phrases that are used again."""

import uuid

import pytest

from konsilium.actions import concluding, phrases
from konsilium.actions._parts import Parts, Unfit, parts_of
from konsilium.actions._step import NotThere
from konsilium.models import Conclusion, Document, Profile
from konsilium.models.access import acting
from konsilium.workflow.machine import Missing
from tests.cast import NOW
from tests.factories import Way

pytestmark = pytest.mark.django_db


@pytest.fixture
def way(cast):
    return Way(cast)


def keep(way, parts, **values):
    draft = way.do(way.consultant, concluding.draft_of)
    with acting(way.consultant):
        concluding.save_draft(draft, values, {}, parts, actor=way.consultant, at=way.at)
        return parts_of(draft)


def test_recommendations_keep_their_order_and_urgency_and_empty_ones_go(way):
    way.concluding()
    given = (("Госпитализация", "urgent"), ("  ", "planned"), ("Анализ крови", "planned"))
    assert keep(way, Parts(given)).items == (("Госпитализация", "urgent"), ("Анализ крови", "planned"))
    given = (("Анализ крови", "planned"), ("Госпитализация", "emergency"))
    assert keep(way, Parts(given)).items == given


def test_an_unknown_urgency_or_too_many_are_refused_and_nothing_is_lost(way):
    way.concluding()
    keep(way, Parts((("Госпитализация", "urgent"),)))
    for given in ((("Анализ", "sometime"),), tuple((f"{n}", "planned") for n in range(41))):
        with pytest.raises(Unfit):
            keep(way, Parts(given))
        assert keep(way, None).items == (("Госпитализация", "urgent"),)


def test_only_documents_of_the_case_are_studied(cast, way):
    way.concluding()
    stranger = Way(cast).submitted()
    with acting(cast.omsk_doctor):
        own = set(Document.objects.filter(consultation=way.row).values_list("pk", flat=True))
        foreign = set(Document.objects.filter(consultation=stranger.row).values_list("pk", flat=True))
    assert own
    assert foreign
    assert keep(way, Parts(studied=frozenset(own | foreign | {uuid.uuid4()}))).studied == own
    assert keep(way, Parts(pictures=((min(own), "не ключевой снимок"),))).pictures == ()


def test_a_correction_begins_with_the_parts_of_what_was_placed(way):
    way.completed()
    paper = way.do(way.consultant, concluding.paper_of)
    assert paper.draft.edition == 2
    assert paper.parts.items == (("Госпитализация в плановом порядке.", "planned"),)
    draft = way.do(way.consultant, concluding.draft_of)
    with acting(way.consultant):
        assert parts_of(draft) == paper.parts


def test_parts_of_a_placed_conclusion_never_change(way):
    way.corrected()
    with acting(way.consultant):
        for conclusion in Conclusion.objects.filter(consultation=way.row):
            assert conclusion.items.all().delete()[0] == 0
            assert conclusion.items.update(text="Иное") == 0
            assert len(parts_of(conclusion).items) == 1


def test_a_section_that_the_profile_needs_has_to_be_written(way):
    way.drafted()
    with acting(way.cast.sysadmin):
        Profile.objects.filter(pk=way.row.profile_id).update(
            sections=[{"code": "surgery", "label": "План операции", "label_en": "Plan", "is_needed": True}]
        )
    with pytest.raises(Missing):
        way.do(way.consultant, concluding.place)
    keep(way, None, text="Операция показана.", sections={"surgery": " Остеотомия "})
    way.do(way.consultant, concluding.place)
    with acting(way.doctor):
        assert Conclusion.objects.get(consultation=way.row).sections == {"surgery": "Остеотомия"}


def test_phrases_are_found_by_their_words_and_those_used_most_come_first(cast):
    mine, colleague, far = cast.cniis_consultant, cast.cniis_consultant2, cast.nmic_consultant
    with acting(mine):
        phrases.keep("Срок", "Госпитализация в течение двух недель.", actor=mine, at=NOW)
        shared = phrases.keep(
            "Анализы", "Общий анализ крови, коагулограмма.", for_all=True, actor=mine, at=NOW
        )
        phrases.count_use(shared.pk, actor=mine)
        assert [one.title for one in phrases.find("", actor=mine)] == ["Анализы", "Срок"]
        assert [one.title for one in phrases.find("двух НЕДЕЛЬ", actor=mine)] == ["Срок"]
    with acting(colleague):
        assert [one.title for one in phrases.find("", actor=colleague)] == ["Анализы"]
    with acting(far):
        assert phrases.find("", actor=far) == []
        for refused in (phrases.forget, phrases.count_use):
            with pytest.raises(NotThere):
                refused(shared.pk, actor=far)
    with acting(mine):
        assert len(phrases.find("", actor=mine)) == 2
        with pytest.raises(phrases.Unfit):
            phrases.keep("", "Текст", actor=mine, at=NOW)


def test_own_past_conclusions_are_found_and_nobody_elses(cast, way):
    way.completed()
    with acting(way.consultant):
        found = phrases.past("операция", actor=way.consultant)
        assert [(one.number, one.text) for one in found] == [(way.row.number, "Операция показана.")]
        assert [one.text for one in phrases.past("плановом", actor=way.consultant)] == [
            "Госпитализация в плановом порядке."
        ]
        assert phrases.past("оп", actor=way.consultant) == []
    other = cast.cniis_consultant2
    with acting(other):
        assert phrases.past("операция", actor=other) == []
