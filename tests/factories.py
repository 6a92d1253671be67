"""Complete requests in any state, made by the verbs that people use: `in_state(cast, State.COMPLETED)`.

Each verb of a request's way takes place a minute after the one before. `tests/requests.py` makes barer ones, faster.
"""

from datetime import date, timedelta

from konsilium.actions import closing, concluding, consulting, documents, drafting, sessions, triage
from konsilium.models import Consultation
from konsilium.models.access import acting
from konsilium.workflow.consultation import State
from konsilium.workflow.words import CONCLUSION_SCAN
from tests.cast import NOW

MINUTE = timedelta(minutes=1)
PAPER = b"%PDF-1.4\n% a paper of the tests\n%%EOF\n"
VALUES = {
    "urgency": "planned",
    "goal": "tactics",
    "patient_family": "Зайцева",
    "patient_given": "Ольга",
    "patient_patronymic": "Петровна",
    "patient_sex": "female",
    "patient_birth_date": date(1981, 5, 4),
    "patient_snils": "11223344595",
    "diagnosis_code": "K07.1",
    "diagnosis_text": "Аномалия соотношения челюстей",
    "diagnosis_certainty": "clinical",
    "complaints": "Нарушение прикуса.",
    "anamnesis": "Болеет с весны.",
    "consent_kind": "written",
    "consent_date": date(2026, 11, 20),
    "consent_by": "Петров И.",
}
QUESTIONS = ("Показана ли операция в ближайшие месяцы?", "Нужна ли ортодонтическая подготовка перед ней?")
KINDS = ("consent", "extract", "panoramic", "face_photo")


class Way:
    """A request on its way, with its people and its own clock: every verb moves it on and returns the way."""

    def __init__(self, cast, *, who="omsk_doctor", centre="cniis", consultant="", profile="mfs", at=NOW):
        self.cast, self.centre, self.profile, self.at = cast, centre, profile, at
        self.doctor = cast.actor_of(who)
        self.dispatcher = cast.actor_of(f"{centre}_dispatcher")
        self.consultant = cast.actor_of(consultant or f"{centre}_consultant")
        with acting(self.doctor):
            self.row = drafting.begin(actor=self.doctor, at=at)

    def do(self, actor, verb, *given, **named):
        """Do one verb to the request as it stands, as this actor, a minute later."""
        self.at += MINUTE
        with acting(actor):
            done = verb(Consultation.objects.get(pk=self.row.pk), *given, actor=actor, at=self.at, **named)
        self.refresh()
        return done

    def refresh(self):
        with acting(self.doctor):
            self.row = Consultation.objects.get(pk=self.row.pk)

    def written(self, questions=QUESTIONS, kinds=KINDS, **values):
        """The draft filled so that nothing is lacking."""
        given = {
            "profile_id": self.cast.profile(self.profile),
            "named_centre_id": self.cast.house(self.centre),
        }
        self.do(self.doctor, drafting.save, {**VALUES, **given, **values}, questions)
        for kind in kinds:
            self.do(self.doctor, documents.add, upload(kind), kind=kind)
        return self

    def submitted(self, **values):
        self.written(**values).do(self.doctor, drafting.submit)
        return self

    def assigned(self, **values):
        self.submitted(**values).do(self.dispatcher, triage.assign, self.consultant.membership_id)
        return self

    def asked(self, **values):
        self.assigned(**values).do(self.consultant, consulting.ask_back, "Пришлите снимок в прямой проекции.")
        return self

    def on_video(self, **values):
        self.assigned(**values).do(self.consultant, consulting.need_video)
        return self

    def concluding(self, **values):
        self.assigned(**values).do(self.consultant, consulting.no_video)
        return self

    def drafted(self, **values):
        """A conclusion that is ready to be placed."""
        self.concluding(**values)
        draft = self.do(self.consultant, concluding.draft_of)
        with acting(self.consultant):
            answers = {answer.question_id: "Да, показана." for answer in draft.answers.all()}
            text = {"text": "Операция показана."}
            parts = concluding.Parts((("Госпитализация в плановом порядке.", "planned"),))
            concluding.save_draft(draft, text, answers, parts, actor=self.consultant, at=self.at)
        self.do(self.consultant, documents.add, upload("scan"), kind=CONCLUSION_SCAN, conclusion=draft)
        return self

    def completed(self, **values):
        self.drafted(**values).do(self.consultant, concluding.place)
        return self

    def corrected(self, **values):
        """A conclusion with a second edition that says what it changes."""
        self.completed(**values)
        draft = self.do(self.consultant, concluding.draft_of)
        with acting(self.consultant):
            given = {"text": "Операция показана срочно.", "correction": "Уточнён срок операции."}
            concluding.save_draft(draft, given, {}, actor=self.consultant, at=self.at)
        self.do(self.consultant, documents.add, upload("second scan"), kind=CONCLUSION_SCAN, conclusion=draft)
        self.do(self.consultant, concluding.correct)
        return self

    def closed(self, **values):
        self.completed(**values).do(self.doctor, closing.close, "improved", "Выписан с улучшением.")
        return self

    def rejected(self, **values):
        self.submitted(**values).do(self.dispatcher, triage.reject, "no_specialist")
        return self

    def withdrawn(self, **values):
        self.submitted(**values).do(self.doctor, closing.withdraw, "not_needed")
        return self


WAYS = {
    State.DRAFT: Way.written,
    State.SUBMITTED: Way.submitted,
    State.CLARIFICATION: Way.asked,
    State.ASSIGNED: Way.assigned,
    State.SESSION: Way.on_video,
    State.CONCLUSION: Way.concluding,
    State.COMPLETED: Way.completed,
    State.CLOSED: Way.closed,
    State.REJECTED: Way.rejected,
    State.WITHDRAWN: Way.withdrawn,
}


def in_state(
    cast, state, *, who="omsk_doctor", centre="cniis", consultant="", profile="mfs", at=NOW, **values
):
    """A complete request in this state, as its requester sees it; `values` override fields of the form."""
    way = Way(cast, who=who, centre=centre, consultant=consultant, profile=profile, at=at)
    return WAYS[state](way, **values).row


def confirmed_session(way, *, after=timedelta(days=1)):
    """A session of a request that needs video, proposed by the consultant and confirmed by the doctor."""
    session = way.do(way.consultant, sessions.propose, [way.at + after])
    with acting(way.doctor):
        option = sessions.options_on_the_table(session)[0]
        sessions.confirm(session, option.pk, actor=way.doctor, at=way.at)
    return session


def upload(name, content=PAPER):
    """Received bytes, as the page's upload handler gives them to `documents.add`; each name has its own bytes."""
    chunks = [content, f"% {name}\n".encode()]
    return documents.Upload(documents.store().receive(chunks, limit=1_000_000), f"{name}.pdf")
