"""Requests for tests, sent through the door of state changes with just enough in them."""

from datetime import date, timedelta

from konsilium.actions._step import step
from konsilium.models import Consultation, Organization, Question
from konsilium.models.access import acting
from konsilium.workflow.clock import start
from konsilium.workflow.consultation import Facts
from tests.cast import HOUSES, NOW

# Far from those that the product gives out, which stand beside them in some tests.
_numbers = iter(range(500_001, 1_000_000))
GIVEN = Facts(sendable=True, route_open=True)


def draft(
    cast, who="omsk_doctor", *, at=NOW, profile="mfs", questions=("Показана ли операция сейчас?",), **values
):
    """A draft of the doctor's, with one question."""
    actor = getattr(cast, who)
    zone = next(facts[3] for facts in HOUSES.values() if facts[0] == actor.organization_name)
    given = {
        "number": f"2026-{next(_numbers):06}",
        "created_at": at,
        "updated_at": at,
        "stirred_at": at,
        "requesting_organization_id": actor.organization_id,
        "requester_id": actor.person_id,
        "requesting_name": actor.organization_name,
        "requesting_time_zone": zone,
        "requester_name": actor.name,
        "profile_id": cast.profile(profile),
        "patient_family": "Зайцева",
        "patient_given": "Ольга",
        "patient_patronymic": "Петровна",
        "patient_sex": "female",
        "patient_birth_date": date(1981, 5, 4),
        "anamnesis": "Болеет с весны.",
        "diagnosis_code": "K07.1",
        "diagnosis_text": "Аномалия соотношения челюстей",
    }
    with acting(actor):
        row = Consultation(**{**given, **values})
        row.save(force_insert=True)
        for number, text in enumerate(questions, 1):
            Question.objects.create(consultation=row, number=number, text=text)
    return row


def sent(cast, who="omsk_doctor", *, centre="cniis", at=NOW, term=timedelta(hours=24), **values):
    """A request that reached the centre, its clock running."""
    actor, row = getattr(cast, who), draft(cast, who, at=at, **values)
    with acting(actor):
        house = Organization.objects.get(pk=cast.house(centre))
        with step(row, "submit", actor=actor, at=at, facts=lambda _row: GIVEN) as moved:
            moved.centre, moved.centre_name = house, house.short_name
            moved.centre_time_zone = house.time_zone
            moved.submitted_at = at
            moved.set_clock(start(at, term))
    return row


def seen(row, actor):
    """The request as this actor sees it now; None when it isn't there for them."""
    with acting(actor):
        return Consultation.objects.visible_to(actor).filter(pk=row.pk).first()
