"""A house full of things that a stranger must not see, with a canary in every text field of them."""

from dataclasses import replace
from datetime import timedelta

from django.core import signing
from django.db import connection, models
from django.db.models import GeneratedField
from django.utils import timezone

from konsilium.actions import (
    attending,
    browsertest,
    convening,
    conversation,
    councils,
    equipment,
    hearing,
    marking,
    onboarding,
    phrases,
    sessions,
)
from konsilium.actions._files import store
from konsilium.actions.attending import Presence
from konsilium.actions.conversation import Letter
from konsilium.actions.imaging_choices import copy_purpose
from konsilium.actions.marking import Drawing
from konsilium.adapters.ciphering import encipher, new_key
from konsilium.adapters.sealing import seal
from konsilium.models import (
    Answer,
    Application,
    Attendance,
    BrowserTest,
    Conclusion,
    Consultation,
    Contact,
    ContactLogEntry,
    Council,
    CouncilLine,
    DeskEvent,
    Document,
    Endpoint,
    EquipmentTest,
    Event,
    Mark,
    Membership,
    Message,
    Notice,
    Opinion,
    Organization,
    Person,
    Phrase,
    Question,
    Recommendation,
    Recording,
    Seat,
    Series,
    Session,
    Studied,
    Study,
)
from konsilium.models._base import uuid7
from konsilium.models.access import acting, as_public, as_room, signing_in
from konsilium.web.gallery import looking
from konsilium.workflow.council import SeatKind
from konsilium.workflow.equipment import EndpointKind
from konsilium.workflow.roles import Role
from tests import pictures
from tests.cast import NOW
from tests.factories import Way, confirmed_session
from tests.imaging_rows import change_series, put_series

CANARY = "КАНАРЕЙКА"
# What stands in an opinion that is sealed and not opened yet: nobody but its author finds a word of it.
SEALED = "искомое ЗАПЕЧАТАНО"
TOKEN = "token-of-an-application-that-nobody-else-has"
APPLIED = {
    "full_name": "Городская больница, полное наименование",
    "short_name": "Городская больница",
    "oid": "1.2.643.5.1.13.13.12.2.77.2001",
    "inn": "7707083893",
    "ogrn": "1027700132195",
    "region": "55",
    "time_zone": "Asia/Omsk",
    "level": 3,
    "responsible_name": "Вольская Нина",
    "responsible_phone": "+73812000000",
    "responsible_email": "head@example.org",
    "equipment": "Терминал",
}

# Codes and addresses, which pages look up and don't merely show.
CODES = set(
    "sha256 link_hash media_type time_zone requesting_time_zone centre_time_zone author_role actor_role subject "
    "from_state to_state audience asked_from end_reason path language region role kind place_of_care severity "
    "band mode purpose study_uid series_uid modality metadata_sha256 pack_sha256 pack_syntax why_not_volume patient_sex sop_uid".split()
)
# Everything of these tables belongs to the foreign house; of the others, what the condition says.
WHOLE = (
    Answer, Application, BrowserTest, Conclusion, Consultation, Contact, ContactLogEntry, Council, CouncilLine, DeskEvent, Document, Endpoint,
    Attendance, EquipmentTest, Phrase, Recommendation, Studied, Event, Mark, Message, Notice, Opinion, Question, Recording, Seat, Series, Session, Study,
)  # fmt: skip
KEPT_BY_A_SIDE = (
    "consultation question document message conclusion answer session sessionoption event viewing contact endpoint "
    "equipmenttest browsertest guidetick attendance recording recordingaccess membership person council seat opinion study series instance reading derived mark"
).split()


class Foreign:
    """What belongs to the hospital in Omsk and the dental centre: names of objects and their keys."""

    def __init__(self, cast, owner):
        self.cast, self.pk = cast, {}
        self._requests()
        self._pictures()
        self._viewed()
        self._signed()
        self._equipment()
        self._application()
        self._rest(owner)
        put_canaries(cast, owner, self.pk["applied"])
        owner.execute(
            "UPDATE konsilium_opinion SET text = %s WHERE id = %s", [SEALED, self.pk["sealed_opinion"]]
        )

    def _requests(self):
        ways = {
            name: getattr(Way(self.cast, at=NOW + timedelta(minutes=number)), name)()
            for number, name in enumerate(
                "written submitted asked assigned on_video drafted completed corrected rejected".split()
            )
        }
        proposed, confirmed = Way(self.cast).on_video(), Way(self.cast).on_video()
        ways |= {"proposed": proposed, "confirmed": confirmed}
        for way in (ways["submitted"], ways["completed"]):
            way.do(way.doctor, conversation.post, Letter("Когда ждать ответа?"))
        self.pk |= {name: way.row.pk for name, way in ways.items()}
        self.pk["proposed_session"] = proposed.do(
            proposed.consultant, sessions.propose, [proposed.at + timedelta(days=2)]
        ).pk
        self.pk["confirmed_session"] = confirmed_session(confirmed).pk
        self._recording(confirmed)
        self._councils()
        with acting(self.cast.omsk_doctor):
            self.pk["conclusion"] = Conclusion.objects.get(consultation=ways["completed"].row).pk
            editions = Conclusion.objects.filter(consultation=ways["corrected"].row, edition=2)
            self.pk["correction"] = editions.get().pk
            self.pk["unsent"] = Document.objects.filter(consultation=ways["written"].row)[0].pk
            self.pk["document"] = Document.objects.filter(consultation=ways["completed"].row)[0].pk

        self.cast._insert(
            "studied", conclusion_id=self.pk["conclusion"], document_id=self.pk["document"], name="", kind="extract"
        )  # fmt: skip
        consultant = self.cast.cniis_consultant
        with acting(consultant):
            self.pk["phrase"] = phrases.keep(CANARY, CANARY, actor=consultant, at=NOW).pk

    def _councils(self):
        """Two councils of two: one has opened its opinions and decided; of the other one member has sealed theirs."""
        seats = {"cniis_consultant2": SeatKind.CHAIR, "cniis_consultant": SeatKind.SECRETARY}
        called = {self.cast.actor_of(name).membership_id: kind for name, kind in seats.items()}
        given = convening.Call("treatment", "Тактика при рецидиве.", called, quorum=len(called))
        way, sealed = Way(self.cast).concluding(), Way(self.cast).concluding()
        council, waiting = (one.do(one.consultant, convening.call, given) for one in (way, sealed))
        chair, secretary = (self._seated(name, kind) for name, kind in seats.items())
        for actor in (chair, secretary):
            with acting(actor):
                councils.write_opinion(council, "Показана резекция.", seal=True, actor=actor, at=way.at)
        with acting(chair):
            councils.open_opinions(council, actor=chair, at=way.at)
            councils.say(council, "Обсудим.", actor=chair, at=way.at)
            councils.decide(council, "Резекция.", actor=chair, at=way.at)
            councils.dissent(council, "Не согласен.", actor=chair, at=way.at)
            self.pk["seat"] = Seat.objects.get(council=council, kind="secretary").pk
            opinion = councils.write_opinion(waiting, "Мнение.", seal=True, actor=chair, at=way.at)
        self.pk |= {"counselled": way.row.pk, "council": council.pk, "sealed_request": sealed.row.pk}
        self.pk |= {
            "sealed_council": waiting.pk,
            "sealed_opinion": opinion.pk,
            "sealed_seat": opinion.seat_id,
        }

    def _seated(self, name, kind):
        """Somebody of the cast as they act in a council, kept as `seated_chair` and the like."""
        person = self.cast.actor_of(name)
        with signing_in():
            place = Membership.objects.get(person_id=person.person_id, role=Role.COUNCIL_MEMBER)
        actor = replace(person, role=Role.COUNCIL_MEMBER, membership_id=place.pk)
        self.cast.actors[f"seated_{kind}"] = actor
        return actor

    def _recording(self, way):
        """A recorded voice of the confirmed session, given to its consultant."""
        key, word = new_key(), CANARY.encode()
        stored = store().receive(encipher([word], key), 1000)
        session_id, consultant = self.pk["confirmed_session"], way.consultant
        with as_room(session_id):
            seat = {"seat": "one", "name": consultant.name, "organization_name": CANARY, "side": "consulting"}
            person = {"person_id": consultant.person_id, "role": consultant.role}
            when = {"joined_at": NOW, "seen_at": NOW}
            here = Attendance.objects.create(session_id=session_id, **seat, **person, **when)
            voice = {"attendance_id": here.pk, "label": CANARY, "kind": "audio", "state": "kept"}
            kept = {"sha256": stored.sha256, "size": len(word), "sealed_key": seal(key)}
            track = Recording(
                session_id=session_id, began_at=NOW, ended_at=NOW, delete_on=NOW, **voice, **kept
            )
            track.save(force_insert=True)
        self.pk["recording"] = track.pk
        with acting(consultant):
            session = Session.objects.get(pk=session_id)
            presence = Presence(CANARY, CANARY, "requesting", NOW)
            self.pk["marked"] = attending.mark(session, presence, actor=consultant, at=timezone.now()).pk
            hearing.give(session, consultant.person_id, actor=consultant, at=timezone.now())

    def _pictures(self):
        """A study in a document of the request that is answered, and its de-identified copy."""
        with acting(self.cast.omsk_doctor):
            document = Document.objects.select_related("consultation").get(pk=self.pk["document"])
        study = pictures.study(document.consultation)
        series = pictures.series(study, document)
        self.pk |= {"study": study.pk, "series": series.pk}
        purpose = copy_purpose(study.pk)
        pictures.copy_of(document, purpose=purpose, media_type="application/zip", series=[str(series.pk)])
        photo = {"kind": "face_photo", "media_type": "image/jpeg"}
        photograph = pictures.paper(self.cast.owner, document.consultation, "Анфас.jpg", **photo)
        pictures.copy_of(photograph, content=CANARY.encode())
        self.pk["photograph"] = photograph.pk

    def _viewed(self):
        """A series with frames in the request that waits, the canary in its voxels too, and a mark on it."""
        doctor = self.cast.omsk_doctor
        with acting(doctor):
            row = Consultation.objects.get(pk=self.pk["submitted"])
        word = CANARY.encode()
        made = put_series(row, doctor, count=1, name=CANARY, packed=lambda _frame: word, preview=word)
        drawing = Drawing("arrow", {"points": []}, CANARY, series_id=made.series.pk)
        with acting(doctor):
            self.pk["mark"] = marking.add(row, drawing, actor=doctor, at=NOW).pk
        self.pk["viewed"] = made.series.pk
        rendered = {"sha256": made.series.pack_sha256, "size": len(word), "media_type": "image/jpeg"}
        sop_uid = made.instances[0].sop_uid
        change_series(
            made,
            previews=made.series.previews | {"rendered": rendered},
            layout={"rendered": {sop_uid: [[0, len(word)]]}},
        )
        self.viewer = {"pk": row.pk, "study": made.study.pk}
        self.dicom = {
            "pk": row.pk,
            "study": made.study.study_uid,
            "series": made.series.series_uid,
            "instance": made.instances[0].sop_uid,
            "numbers": "1",
        }

    def _signed(self):
        """A placed conclusion's document with its author's signature, and a drafted one's that waits for it."""
        words = {"state": "ready", "size": len(CANARY.encode()), "content_sha256": "0" * 64}
        words |= {
            "sha256": store().receive([CANARY.encode()], 1000).sha256,
            "kind": "conclusion",
            "edition": 1,
        }
        for name, placed_at in (("signed_form", NOW), ("unsigned_form", None)):
            request = self.pk["completed" if placed_at else "drafted"]
            with acting(self.cast.cniis_consultant):
                draft = Conclusion.objects.get(consultation=request, edition=1)
            self.pk[name] = self.cast._insert(
                "printform", consultation_id=request, subject_id=draft.pk, side="consulting", placed_at=placed_at,
                asked_at=NOW + timedelta(days=1), waits_since=placed_at, tries=0, pages=1, **words,
            )  # fmt: skip
        person = {
            "person_id": self.cast.cniis_consultant.person_id,
            "person_name": CANARY,
            "position": CANARY,
        }
        self.pk["signature"] = self.cast._insert(
            "signature", consultation_id=self.pk["completed"], form_id=self.pk["signed_form"], role="AUTHOR",
            organization_name=CANARY, person_snils="", at=NOW, format="cms", sha256=words["sha256"], size=1,
            verdict="unchecked", certificate="{}", **person,
        )  # fmt: skip

    def _equipment(self):
        with acting(self.cast.coordinator):
            house = Organization.objects.get(pk=self.cast.house("omsk"))
            values = {"kind": EndpointKind.ROOM, "name": "Зал", "dial_string": "sip:zal@example.org"}
            who = {"actor": self.cast.coordinator, "at": NOW}
            endpoint = equipment.add_endpoint(house, values, **who)
            equipment.tick(endpoint, next(iter(_steps(endpoint))), **who)
            found = equipment.Measured(participants="Гусев", verdict="passed")
            self.pk["test"] = equipment.record_test(endpoint, found, **who).pk
            self.pk["endpoint"] = endpoint.pk
            contact = {"name": "Гусев Пётр", "phone": "+73812000001", "is_technical": True}
            self.pk["contact"] = onboarding.add_contact(house, contact, **who).pk
            said = {"channel": "phone", "with_whom": "Гусев", "text": "Договорились.", "contacted_at": NOW}
            onboarding.log_contact(house, **said, **who)

        doctor = self.cast.omsk_doctor
        with acting(doctor):
            checked = browsertest.keep({"camera": "ok"}, computer="Ноутбук", actor=doctor, at=NOW)
        self.pk["computer"] = checked.pk

    def _application(self):
        technician = {"name": "Лось Иван", "phone": "+73812000002", "is_technical": True}
        with as_public():
            house, _, _ = onboarding.apply(APPLIED, [technician], at=NOW, token=TOKEN)
        self.pk["applied"] = house.pk
        with acting(self.cast.coordinator):
            self.pk["applied_contact"] = Contact.objects.get(organization=house).pk

    def _rest(self, owner):
        doctor = self.cast.omsk_doctor
        self.pk["notice"] = uuid7()
        owner.execute(
            "INSERT INTO konsilium_notice (id, event_id, person_id, membership_id, kind, number, path, needs_action, at, "
            "mail_to, mail_tries, mail_trouble) VALUES (%s, %s, %s, %s, 'assign', '1', '/requests/', false, %s, '', 0, '')",
            [self.pk["notice"], uuid7(), doctor.person_id, doctor.membership_id, NOW],
        )

    def looking_ticket(self):
        """A short-lived address of a photograph's copy, made for the doctor in Omsk."""
        found = looking.address(
            self.pk["photograph"], looking.VIEW, actor=self.cast.omsk_doctor, at=timezone.now()
        )
        return found.split("/")[2]

    def ticket(self, name="document", salt="document"):
        """A ticket to an object's bytes, made for the doctor in Omsk."""
        parts = [str(self.pk[name]), str(self.cast.omsk_doctor.membership_id)]
        return signing.dumps(parts, salt=salt, compress=True)


def _steps(endpoint):
    from konsilium.workflow.equipment import GUIDES

    return GUIDES[EndpointKind(endpoint.kind)]


def put_canaries(cast, owner, applied):
    """Write the canary, as the owner, into every text field of every foreign object that is no code."""
    houses = [cast.house("omsk"), applied]
    ours = [cast.house("omsk"), cast.house("cniis")]
    for model in WHOLE:
        _put(owner, model, "true", [])
    _put(owner, Organization, "id = ANY(%s)", [houses])
    _put(owner, Membership, "organization_id = ANY(%s)", [ours])
    mine = "id IN (SELECT person_id FROM konsilium_membership WHERE organization_id = ANY(%s))"
    _put(owner, Person, mine, [ours])


def _put(owner, model, condition, params):
    parts = [
        f"{field.column} = left('{CANARY} ' || right(id::text, 10), {field.max_length or 40})"
        for field in model._meta.concrete_fields
        if _holds_words(field)
    ]
    table = model._meta.db_table
    done = owner.execute(f"UPDATE {table} SET {', '.join(parts)} WHERE {condition}", params)
    assert done.rowcount > 0, f"the foreign house has no {table}"


def _holds_words(field):
    words = isinstance(field, models.CharField | models.TextField) and not isinstance(field, GeneratedField)
    short = field.max_length is not None and field.max_length < len(CANARY)
    code = field.name in CODES or field.choices or (field.name == "reason" and field.max_length)
    return bool(words and not short and not code)


def fingerprint(cast):
    """What the foreign house's own people see of everything, as one value that any change would change."""
    seen = []
    for actor in (cast.omsk_admin, cast.cniis_consultant):
        for name in KEPT_BY_A_SIDE:
            if name in ("contact", "guidetick", "membership", "person") and actor is not cast.omsk_admin:
                continue
            if name in ("council", "seat", "opinion") and actor is cast.omsk_admin:
                continue
            with acting(actor), connection.cursor() as cursor:
                cursor.execute(
                    f"SELECT md5(string_agg(t::text, ' ' ORDER BY t::text)), count(*) FROM konsilium_{name} t"
                )
                seen.append((actor.role, name, *cursor.fetchone()))
    return seen
