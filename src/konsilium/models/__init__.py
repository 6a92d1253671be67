"""The tables, one file a noun, with the QuerySets that say which rows a person sees."""

from konsilium.models.conclusion import (
    Answer,
    Conclusion,
    ConclusionPicture,
    Phrase,
    Recommendation,
    Studied,
)
from konsilium.models.consultation import Consultation, Question
from konsilium.models.conversation import Message, ReadMark
from konsilium.models.council import Council, CouncilLine, Opinion, Seat
from konsilium.models.delivery import Delivery, Notice
from konsilium.models.dictionary import Dictionary, DictionaryEntry
from konsilium.models.document import Document
from konsilium.models.equipment import (
    BrowserTest,
    Endpoint,
    EndpointSecret,
    EquipmentTest,
    GuideTick,
    Probe,
    TestParticipant,
    TestStep,
)
from konsilium.models.event import DeskEvent, Event, OnceKey, Viewing
from konsilium.models.imaging import Derived, Instance, KeyImage, LeftOut, Mark, Reading, Series, Study
from konsilium.models.keeping import StoreCheck
from konsilium.models.organization import (
    Application,
    Contact,
    ContactLogEntry,
    Organization,
    Profile,
    Route,
    Term,
)
from konsilium.models.people import Credential, Membership, OneTimeLink, Person, RecoveryCode, SignInAttempt
from konsilium.models.room import (
    Attendance,
    Readiness,
    Recording,
    RecordingAccess,
    RecordingConsent,
    Room,
    RoomLine,
    SessionGuest,
    Signal,
    SocketTicket,
)
from konsilium.models.session import Session, SessionOption
from konsilium.models.sessions import SessionStore, WebSession, stored_key
from konsilium.models.signing import PrintForm, Signature, SignatureCheck
from konsilium.models.upload import Upload

__all__ = [
    "Answer",
    "Application",
    "Attendance",
    "BrowserTest",
    "Conclusion",
    "ConclusionPicture",
    "Consultation",
    "Contact",
    "ContactLogEntry",
    "Council",
    "CouncilLine",
    "Credential",
    "Delivery",
    "Derived",
    "DeskEvent",
    "Dictionary",
    "DictionaryEntry",
    "Document",
    "Endpoint",
    "EndpointSecret",
    "EquipmentTest",
    "Event",
    "GuideTick",
    "Instance",
    "KeyImage",
    "LeftOut",
    "Mark",
    "Membership",
    "Message",
    "Notice",
    "OnceKey",
    "OneTimeLink",
    "Opinion",
    "Organization",
    "Person",
    "Phrase",
    "PrintForm",
    "Probe",
    "Profile",
    "Question",
    "ReadMark",
    "Readiness",
    "Reading",
    "Recommendation",
    "Recording",
    "RecordingAccess",
    "RecordingConsent",
    "RecoveryCode",
    "Room",
    "RoomLine",
    "Route",
    "Seat",
    "Series",
    "Session",
    "SessionGuest",
    "SessionOption",
    "SessionStore",
    "SignInAttempt",
    "Signal",
    "Signature",
    "SignatureCheck",
    "SocketTicket",
    "StoreCheck",
    "Studied",
    "Study",
    "Term",
    "TestParticipant",
    "TestStep",
    "Upload",
    "Viewing",
    "WebSession",
    "stored_key",
]
