"""The demonstration's requests, one or more in every state, each told as its people would."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import cache
from itertools import count, cycle
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from konsilium.actions import (
    closing,
    concluding,
    consulting,
    conversation,
    documents,
    drafting,
    inspecting,
    sessions,
    triage,
)
from konsilium.demo import councils, files, meetings
from konsilium.demo.cases import (
    ANSWER,
    CASES,
    CONCLUSION,
    MESSAGES,
    NEURO_CASES,
    ONCO_CASES,
    QUESTION_BACK,
    RECOMMENDATIONS,
    REPLY,
    Case,
    another,
)
from konsilium.demo.subject import Clinical, Opinion, Patient
from konsilium.models import Consultation, Document
from konsilium.models.access import acting
from konsilium.workflow.document import MAX_BYTES
from konsilium.workflow.roles import CENTRE_ROLES, Actor, Role
from konsilium.workflow.words import CONCLUSION_SCAN

if TYPE_CHECKING:
    from konsilium.demo.world import World

HOUR = timedelta(hours=1)
# So many faces are drawn; drawing one takes longer than all the rest of a request.
FACES = 6


class Teller:
    """Tells requests one after the other: who asks goes round, cases repeat, `at` moves on with each step."""

    def __init__(self, world: "World", centre: str, profile: str, cases: tuple[Case, ...]) -> None:
        """Take the world's people; `centre` answers what is asked of `profile`."""
        self.world, self.centre, self.profile = world, centre, profile
        self.cases = _endless(cases)
        self.seeds = count(1)
        names = ("omsk_1", "chita_1", "kgd_1", "vlad_1", "omsk_2")
        self.doctors = cycle(world.actors[name.replace("_", "_requester_")] for name in names)
        people = {
            role: [who for key, who in world.actors.items() if key.startswith(f"{centre}_{role}_")]
            for role in CENTRE_ROLES
        }
        self.dispatcher = people[Role.DISPATCHER][0]
        self.consultants = cycle(people[Role.CONSULTANT])

    def draft(self, at: datetime, *, urgency: str = "planned", complete: bool = True) -> Consultation:
        """Write a draft with its documents."""
        case, self.doctor = next(self.cases), next(self.doctors)
        with acting(self.doctor):
            row = drafting.begin(actor=self.doctor, at=at)
            row = drafting.save(
                row, self._values(case, urgency, at), [case.question], actor=self.doctor, at=at
            )
            if complete:
                self._add_documents(row, case, at)
        self.at = at
        return row

    def sent(self, ago: timedelta, *, urgency: str = "planned", complete: bool = True) -> Consultation:
        """Send a request that long ago."""
        row = self.draft(self.world.now - ago, urgency=urgency, complete=complete)
        with acting(self.doctor):
            return drafting.submit(row, actor=self.doctor, at=self.at)

    def assigned(self, ago: timedelta, **given: str) -> Consultation:
        """Let the dispatcher assign it."""
        row = self.sent(ago, **given)  # type: ignore[arg-type]
        self.consultant = next(self.consultants)
        membership = self.consultant.membership_id
        self._do(self.dispatcher, lambda actor, at: triage.assign(row, membership, actor=actor, at=at))
        return row

    def with_video(
        self, ago: timedelta, days_ahead: int = 1, *, starts: datetime | None = None
    ) -> Consultation:
        """Let the consultant propose two times for a session."""
        row = self.assigned(ago)
        self._do(self.consultant, lambda actor, at: consulting.need_video(row, actor=actor, at=at))
        start = starts or self._working_hour(days_ahead)
        times = [start, start + 2 * HOUR]
        room = sessions.Connection(
            "sip", "9001@vks.example.org", "4321", "+7 495 123-00-01", "Дежурный инженер"
        )
        self._do(
            self.consultant,
            lambda actor, at: sessions.propose(row, times, connection_given=room, actor=actor, at=at),
        )
        return row

    def confirmed(
        self, ago: timedelta, days_ahead: int = 1, *, starts: datetime | None = None
    ) -> Consultation:
        """Let the requester confirm the first time."""
        row = self.with_video(ago, days_ahead, starts=starts)
        with acting(self.doctor):
            session = row.sessions.get()
            option = sessions.options_on_the_table(session)[0]
        room = sessions.Connection("room", technician="Инженер Смирнов А. А.", phone="+7 495 123-45-68")
        self._do(
            self.doctor,
            lambda actor, at: sessions.confirm(session, option.pk, connection_given=room, actor=actor, at=at),
        )
        return row

    def writing(self, ago: timedelta) -> Consultation:
        """Let the consultant begin the conclusion, with its scan."""
        row = self.assigned(ago)
        self._do(self.consultant, lambda actor, at: consulting.no_video(row, actor=actor, at=at))
        with acting(self.consultant):
            draft = concluding.draft_of(row, actor=self.consultant, at=self.at)
            values = {"text": CONCLUSION, "visit_needed": True}
            answers = dict.fromkeys(row.questions.values_list("pk", flat=True), REPLY)
            documents = row.documents.filter(state="available").values_list("pk", flat=True)
            items = ((line, "planned") for line in RECOMMENDATIONS.splitlines())
            parts = concluding.Parts(tuple(items), frozenset(documents))
            concluding.save_draft(draft, values, answers, parts, actor=self.consultant, at=self.at)
        return row

    def placed(self, ago: timedelta) -> Consultation:
        """Let the consultant place the conclusion."""
        row = self.writing(ago)
        with acting(self.consultant):
            draft = concluding.draft_of(row, actor=self.consultant, at=self.at)
            opinion = Opinion(
                row.number, row.centre_name, self.consultant.name, self.consultant.position, self.at.date(), CONCLUSION,
                RECOMMENDATIONS,
            )  # fmt: skip
            scan = files.conclusion_scan_pdf(self.patient, self.clinical, opinion, next(self.seeds))
            paper = self._add(row, "Заключение.pdf", scan, CONCLUSION_SCAN, self.consultant, conclusion=draft)
        # Everything else is looked at once the inspector runs; nothing is placed before this was.
        inspecting.run_pending(at=self.at, document_id=paper.pk)
        self._do(self.consultant, lambda actor, at: concluding.place(row, actor=actor, at=at))
        return row

    def scans(self, row: Consultation) -> None:
        """Let the requester add a cone-beam study and an intra-oral scan, to be looked at over each other."""
        seed = next(self.seeds)
        with acting(self.doctor):
            cbct = files.cbct_zip(self.patient, self.clinical, seed)
            self._add(row, "КЛКТ.zip", cbct, "cbct", self.doctor)
            self._add(row, "Нижняя челюсть.stl", files.jaw_stl(seed), "intraoral_scan", self.doctor)

    def talk(self, row: Consultation) -> None:
        """Let both sides write in the thread."""
        for side, text in MESSAGES:
            who = self.doctor if side == "requester" else self.consultant
            letter = conversation.Letter(text)
            self._do(who, lambda actor, at, letter=letter: conversation.post(row, letter, actor=actor, at=at))  # type: ignore[misc]

    def by_doctor(self, do: Callable[[Actor, datetime], object]) -> None:
        """Let the requester do something next."""
        self._do(self.doctor, do)

    def by_dispatcher(self, do: Callable[[Actor, datetime], object]) -> None:
        """Let the dispatcher do something next."""
        self._do(self.dispatcher, do)

    def by_consultant(self, do: Callable[[Actor, datetime], object]) -> None:
        """Let the consultant do something next."""
        self._do(self.consultant, do)

    def _do(self, actor: Actor, do: Callable[[Actor, datetime], object]) -> None:
        self.at = min(self.at + timedelta(minutes=7), self.world.now)
        with acting(actor):
            do(actor, self.at)

    def _working_hour(self, days: int) -> datetime:
        day = (self.world.now + timedelta(days=days)).astimezone(ZoneInfo("Europe/Moscow"))
        return day.replace(hour=9 + next(self.seeds) % 7, minute=0, second=0)

    def _values(self, case: Case, urgency: str, at: datetime) -> dict[str, object]:
        patient = case.patient
        quick = {"place_of_care": "k-inpatient", "severity": "2"} if urgency != "planned" else {}
        child = {"representative": "Мать, тел. +7 913 000-00-00"} if patient.birth_date.year > 2011 else {}
        return {
            "urgency": urgency, "goal": case.goal, "profile_id": self.world.profiles[self.profile].pk,
            "named_centre_id": self.world.houses[self.centre].pk, "patient_family": patient.family,
            "patient_given": patient.given, "patient_patronymic": patient.patronymic, "patient_sex": patient.sex,
            "patient_birth_date": patient.birth_date, "patient_snils": patient.snils, "diagnosis_code": case.code,
            "diagnosis_text": case.diagnosis, "diagnosis_certainty": "clinical", "complaints": case.complaints,
            "anamnesis": case.anamnesis, "objective_state": case.objective, "consent_kind": "written",
            "consent_date": at.date(), "consent_by": self.doctor.name, **quick, **child,
        }  # fmt: skip

    def _add_documents(self, row: Consultation, case: Case, at: datetime) -> None:
        doctor = self.doctor
        patient, seed = case.patient, next(self.seeds)
        clinical = Clinical(
            organization=doctor.organization_name, department="Челюстно-лицевая хирургия", doctor=doctor.name,
            on=at.date(), diagnosis_code=case.code, diagnosis=case.diagnosis, anamnesis=case.anamnesis,
            complaints=case.complaints, objective=case.objective,
        )  # fmt: skip
        self.patient, self.clinical, self.at = patient, clinical, at
        self._add(row, "Выписка.pdf", files.extract_pdf(patient, clinical), "extract", doctor)
        self._add(row, "Согласие.pdf", files.consent_scan_pdf(patient, clinical, seed), "consent", doctor)
        for name, kind, data in _pictures(self.profile, patient, clinical, seed):
            self._add(row, name, data, kind, doctor)

    def _add(
        self, row: Consultation, name: str, data: bytes, kind: str, actor: Actor, **more: object
    ) -> Document:
        stored = documents.store().receive([data], MAX_BYTES)
        upload = documents.Upload(stored, name)
        return documents.add(row, upload, kind=kind, actor=actor, at=self.at, **more)  # type: ignore[arg-type]


def _endless(cases: tuple[Case, ...]) -> Iterator[Case]:
    yield from cases
    for number, case in enumerate(cycle(cases)):
        yield another(case, number)


def _pictures(
    profile: str, patient: Patient, clinical: Clinical, seed: int
) -> Iterator[tuple[str, str, bytes]]:
    """Yield what a profile wants to see, as (file name, kind, bytes)."""
    if profile == "neuro":
        yield "КТ.zip", "ct", files.cbct_zip(patient, clinical, seed)
    elif profile == "onco":
        yield "Гистология.txt", "histology", files.histology_text(patient, clinical, seed)
        yield "Полость рта.jpg", "intraoral_photo", files.intraoral_photo_jpeg(seed)
    else:
        yield "ОПТГ.dcm", "panoramic", files.panoramic_dicom(patient, clinical, seed)
        yield "Лицо, фас.jpg", "face_photo", _face(seed % FACES)


@cache
def _face(seed: int) -> bytes:
    return files.face_photo_jpeg(seed)


def tell(world: "World") -> None:
    """Tell all the requests, and leave some in every state."""
    story = Teller(world, "cniis", "mfs", CASES)
    _new_ones(story)
    _with_consultants(story)
    _with_sessions(story)
    meetings.tell(story)
    _answered(story)
    councils.tell(story)
    _ended(story)
    for centre, profile, cases in (("nsk", "neuro", NEURO_CASES), ("spb", "onco", ONCO_CASES)):
        _elsewhere(Teller(world, centre, profile, cases))


def _elsewhere(story: Teller) -> None:
    """Give another centre something of everything to do."""
    story.sent(2 * HOUR)
    story.assigned(4 * HOUR)
    story.confirmed(19 * HOUR, 2)
    _closed(story, timedelta(days=3), "treated_here")


def _new_ones(story: Teller) -> None:
    story.draft(story.world.now - 2 * HOUR)
    story.draft(story.world.now - 30 * HOUR, complete=False)
    story.sent(23 * HOUR + timedelta(minutes=25))
    story.sent(3 * HOUR, urgency="urgent")
    story.sent(30 * HOUR)
    _incomplete_emergency(story)


def _incomplete_emergency(story: Teller) -> None:
    row = story.draft(story.world.now - timedelta(minutes=70), urgency="emergency", complete=False)
    why = {"incomplete_reason": "Пациент в операционной, снимки дошлём."}
    story.by_doctor(lambda actor, at: drafting.save(row, why, actor=actor, at=at))
    story.by_doctor(lambda actor, at: drafting.submit(row, actor=actor, at=at))


def _with_consultants(story: Teller) -> None:
    asked = story.sent(10 * HOUR)
    story.by_dispatcher(lambda actor, at: triage.ask(asked, QUESTION_BACK, actor=actor, at=at))
    row = story.assigned(5 * HOUR)
    story.scans(row)
    story.talk(row)
    story.assigned(7 * HOUR, urgency="urgent")
    back = story.assigned(12 * HOUR)
    story.by_consultant(lambda actor, at: consulting.ask_back(back, QUESTION_BACK, actor=actor, at=at))
    again = story.assigned(14 * HOUR)
    story.by_consultant(lambda actor, at: consulting.ask_back(again, QUESTION_BACK, actor=actor, at=at))
    story.by_doctor(lambda actor, at: conversation.answer(again, ANSWER, actor=actor, at=at))
    returned = story.assigned(9 * HOUR)
    story.by_consultant(lambda actor, at: consulting.hand_back(returned, "no_specialist", actor=actor, at=at))


def _with_sessions(story: Teller) -> None:
    story.with_video(6 * HOUR, 2)
    countered = story.with_video(8 * HOUR, 2)
    with acting(story.doctor):
        session = countered.sessions.get()
    other = [story.world.now.replace(minute=0, second=0) + timedelta(days=3, hours=2)]
    story.by_doctor(lambda actor, at: sessions.counter(session, other, actor=actor, at=at))
    story.confirmed(20 * HOUR, 1)
    story.confirmed(26 * HOUR, 3)


def _answered(story: Teller) -> None:
    story.writing(15 * HOUR)
    story.placed(22 * HOUR)
    read = story.placed(50 * HOUR)
    story.talk(read)
    story.by_doctor(lambda actor, at: closing.acknowledge(read, actor=actor, at=at))


def _closed(story: Teller, ago: timedelta, outcome: str) -> None:
    row = story.placed(ago)
    text = "Пациент оперирован по рекомендациям, выписан."
    story.by_doctor(lambda actor, at: closing.close(row, outcome, text, actor=actor, at=at))


def _ended(story: Teller) -> None:
    for days, outcome in ((6, "improved"), (9, "transferred"), (14, "treated_here")):
        _closed(story, timedelta(days=days), outcome)
    rejected = story.sent(timedelta(days=4))
    story.by_dispatcher(
        lambda actor, at: triage.reject(
            rejected, "documents_unreadable", "Снимок не открывается.", actor=actor, at=at
        )
    )
    withdrawn = story.sent(timedelta(days=5))
    story.by_doctor(
        lambda actor, at: closing.withdraw(
            withdrawn, "patient_left", "Пациент переведён.", actor=actor, at=at
        )
    )
    story.placed(timedelta(days=35))
