"""Every address on one page, each with the right it needs (a right of workflow/roles.py, or public, or signed_in)."""

from typing import Any

from django.urls import URLPattern, include, path, register_converter

from konsilium.web import health
from konsilium.web.access import PUBLIC, SIGNED_IN, View
from konsilium.web.account import factor
from konsilium.web.account import views as account
from konsilium.web.browsertest import views as browsertest
from konsilium.web.closing import views as closing
from konsilium.web.configuration import views as configuration
from konsilium.web.consultation import views as consultation
from konsilium.web.consulting import changes, phrases, writing
from konsilium.web.consulting import views as consulting
from konsilium.web.conversation import views as conversation
from konsilium.web.councils import calling, desk
from konsilium.web.councils import views as councils
from konsilium.web.design import views as design
from konsilium.web.dicomweb import program as dicom_program
from konsilium.web.dicomweb import retrieve as dicom
from konsilium.web.dicomweb import search as dicom_search
from konsilium.web.dicomweb.rendered import rendered as dicom_rendered
from konsilium.web.dicomweb.uid import Uid
from konsilium.web.dictionary import views as dictionary
from konsilium.web.documents import views as documents
from konsilium.web.drafting import views as drafting
from konsilium.web.equipment import board, protocol, seen
from konsilium.web.equipment import views as equipment
from konsilium.web.gallery import views as gallery
from konsilium.web.notices import views as notices
from konsilium.web.onboarding import access as onboarding_access
from konsilium.web.onboarding import public
from konsilium.web.onboarding import views as onboarding
from konsilium.web.people import views as people
from konsilium.web.printing import views as printing
from konsilium.web.recordings import views as recordings
from konsilium.web.requests import views as requests
from konsilium.web.room import guests, tickets
from konsilium.web.room import views as room
from konsilium.web.scanning import views as scanning
from konsilium.web.sessions import joining, marking
from konsilium.web.sessions import record as session_record
from konsilium.web.sessions import views as sessions
from konsilium.web.signing import desk as signing_desk
from konsilium.web.signing import views as signing
from konsilium.web.studies import views as studies
from konsilium.web.timetable import running
from konsilium.web.timetable import views as timetable
from konsilium.web.triage import views as triage
from konsilium.web.viewer import ahead
from konsilium.web.viewer import views as viewer

register_converter(Uid, "uid")


def page(route: str, view: View, action: str, name: str) -> URLPattern:
    """Declare an address: its view, the right it needs, and its name."""

    def declared(request: Any, **kwargs: Any) -> Any:
        return view(request, **kwargs)

    declared.action = action  # type: ignore[attr-defined]
    declared.__name__ = getattr(view, "__name__", name)
    return path(route, declared, name=name)


ACCOUNT = [
    page("", account.home, "desk.open", "home"),
    page("sign-in/", account.sign_in, PUBLIC, "sign_in"),
    page("sign-in/code/", account.code, PUBLIC, "code"),
    page("sign-out/", account.sign_out, SIGNED_IN, "sign_out"),
    page("link/<str:token>/", account.follow_link, PUBLIC, "link"),
    page("forgot/", account.ask_reset, PUBLIC, "ask_reset"),
    page("language/", account.language, PUBLIC, "language"),
    page("me/act-as/", account.memberships, SIGNED_IN, "memberships"),
    page("me/", account.profile, SIGNED_IN, "profile"),
    page("me/security/", account.security, SIGNED_IN, "security"),
    page("me/security/password/", account.change_password, SIGNED_IN, "change_password"),
    page("me/security/sessions/end/", account.end_sessions, SIGNED_IN, "end_sessions"),
    page("me/security/second-factor/", factor.begin, SIGNED_IN, "begin_factor"),
    page("me/security/second-factor/end/", factor.end, SIGNED_IN, "end_factor"),
    page("me/security/recovery-codes/", factor.renew_codes, SIGNED_IN, "renew_codes"),
]

PEOPLE = [
    page("people/", people.show_list, "people.manage", "list"),
    page("people/invite/", people.invite, "people.manage", "invite"),
    page("people/<uuid:pk>/", people.show, "people.manage", "show"),
    page("people/<uuid:pk>/role/", people.add_role, "people.manage", "add_role"),
    page("people/<uuid:pk>/second-factor/", people.take_factor, "people.manage", "take_factor"),
    page("people/<uuid:pk>/again/", people.invite_again, "people.manage", "again"),
    page("people/<uuid:pk>/end/", people.end, "people.manage", "end"),
    page("people/<uuid:pk>/restore/", people.restore, "people.manage", "restore"),
]

NOTICES = [
    page("notices/", notices.show_list, "notice.read", "list"),
    page("notices/<uuid:pk>/", notices.open_notice, "notice.read", "open"),
    page("notices/read/", notices.read_all, "notice.read", "read_all"),
]

REQUESTS = [
    page("requests/", requests.show_list, "request.write", "list"),
]

DRAFTING = [
    page("requests/begin/", drafting.begin, "request.write", "begin"),
    page("requests/<uuid:pk>/form/", drafting.edit, "request.write", "edit"),
    page("requests/<uuid:pk>/send/", drafting.send, "request.write", "send"),
    page("requests/<uuid:pk>/receipt/", drafting.receipt, "request.write", "receipt"),
    page("requests/<uuid:pk>/delete/", drafting.delete, "request.write", "delete"),
    page("requests/<uuid:pk>/copy/", drafting.copy, "request.copy", "copy"),
]

DOCUMENTS = [
    page("requests/<uuid:pk>/documents/", documents.add, "document.add", "add"),
    page("documents/<uuid:pk>/", documents.open_document, "document.read", "open"),
    page("documents/<uuid:pk>/remove/", documents.remove, "document.remove", "remove"),
    page("files/<str:ticket>/", documents.file, "document.read", "file"),
]

STUDIES = [
    page("requests/<uuid:pk>/studies/", studies.show, "request.read", "show"),
    page("series/<uuid:pk>/include/", studies.include, "picture.choose", "include"),
    page("series/<uuid:pk>/names/", studies.names, "picture.choose", "names"),
    page("studies/<uuid:pk>/export/", studies.export, "picture.export", "export"),
    page("studies/<uuid:pk>/copy/", studies.take_copy, "picture.export", "copy"),
    page("copies/<str:ticket>/", studies.file, "picture.export", "file"),
]

DICTIONARY = [
    page("dictionary/<slug:name>/", dictionary.search, "request.list", "search"),
]

CONSULTATION = [
    page("requests/<uuid:pk>/", consultation.show, "request.read", "show"),
    page("requests/<uuid:pk>/timeline/", consultation.timeline, "request.read", "timeline"),
]

TRIAGE = [
    page("triage/", triage.show_list, "triage.list", "list"),
    page("requests/<uuid:pk>/assign/", triage.assign, "request.move", "assign"),
    page("requests/<uuid:pk>/reassign/", triage.reassign, "request.move", "reassign"),
    page("requests/<uuid:pk>/ask/", triage.ask, "request.move", "ask"),
    page("requests/<uuid:pk>/reject/", triage.reject, "request.move", "reject"),
    page("requests/<uuid:pk>/pass-on/", triage.pass_on, "request.move", "pass_on"),
]

CONVERSATION = [
    page("requests/<uuid:pk>/thread/", conversation.thread, "thread.write", "thread"),
    page("requests/<uuid:pk>/answer/", conversation.answer, "request.move", "answer"),
]

CLOSING = [
    page("requests/<uuid:pk>/withdraw/", closing.withdraw, "request.move", "withdraw"),
    page("requests/<uuid:pk>/acknowledge/", closing.acknowledge, "request.move", "acknowledge"),
    page("requests/<uuid:pk>/close/", closing.close, "request.move", "close"),
]

COMPUTER = [
    page("computer/", browsertest.show, "computer.check", "show"),
    page("computer/relays/", browsertest.relays, "computer.check", "relays"),
    page("computer/keep/", browsertest.keep, "computer.check", "keep"),
    page("computer/<uuid:pk>/", browsertest.show_result, "computer.read", "result"),
]

ONBOARDING = [
    page("apply/", public.apply, PUBLIC, "apply"),
    page("apply/<str:token>/", public.status, PUBLIC, "status"),
    page("organizations/", onboarding.show_list, "application.list", "list"),
    page("organizations/<uuid:pk>/", onboarding.show, "application.list", "show"),
    page("organizations/<uuid:pk>/move/<str:name>/", onboarding.move, "application.move", "move"),
    page("organizations/<uuid:pk>/correct/", onboarding.correct, "application.move", "correct"),
    page("organizations/<uuid:pk>/log/", onboarding.log, "contact.log", "log"),
    page("organizations/<uuid:pk>/contacts/add/", onboarding.add_contact, "contact.log", "add_contact"),
    page(
        "organizations/<uuid:pk>/contacts/<uuid:contact>/",
        onboarding.change_contact,
        "contact.log",
        "change_contact",
    ),
    page("organizations/<uuid:pk>/access/", onboarding_access.issue, "access.issue", "issue"),
    page(
        "organizations/<uuid:pk>/access/<uuid:member>/again/",
        onboarding_access.renew,
        "access.issue",
        "renew",
    ),
    page("organizations/<uuid:pk>/access/<uuid:member>/end/", onboarding_access.end, "access.issue", "end"),
    page(
        "organizations/<uuid:pk>/access/<uuid:member>/restore/",
        onboarding_access.restore,
        "access.issue",
        "restore",
    ),
]

EQUIPMENT = [
    page("equipment/", board.show, "equipment.board", "board"),
    page("organization/", equipment.own, "organization.read", "own"),
    page("organization/contacts/add/", equipment.add_contact, "contact.manage", "add_contact"),
    page("organization/contacts/<uuid:pk>/", equipment.change_contact, "contact.manage", "change_contact"),
    page("organizations/<uuid:organization>/equipment/add/", equipment.add, "equipment.write", "add"),
    page("organization/equipment/<uuid:pk>/", equipment.show, "equipment.read", "show"),
    page("organization/equipment/<uuid:pk>/change/", equipment.change, "equipment.write", "change"),
    page("organization/equipment/<uuid:pk>/tick/", equipment.tick, "equipment.write", "tick"),
    page("organization/equipment/<uuid:pk>/guide/", equipment.print_guide, "equipment.read", "guide"),
    page("organization/equipment/<uuid:pk>/test/", equipment.record_test, "equipment.test", "record_test"),
    page("organization/equipment/<uuid:pk>/begin/", protocol.begin, "equipment.test", "begin"),
    page("organization/equipment/<uuid:pk>/password/", protocol.password, "equipment.write", "password"),
    page("organization/equipment/<uuid:pk>/approve/", protocol.approve, "equipment.test", "approve"),
    page("organization/tests/<uuid:pk>/protocol/", protocol.show, "equipment.read", "protocol"),
    page("organization/tests/<uuid:pk>/seen/", seen.show, "equipment.read", "seen"),
    page("organization/tests/<uuid:pk>/step/", protocol.mark, "equipment.write", "mark"),
    page("organization/tests/<uuid:pk>/probe/", protocol.probe, "equipment.write", "probe"),
    page("organization/tests/<uuid:pk>/conclude/", protocol.conclude, "equipment.test", "conclude"),
    page("organization/tests/<uuid:pk>/", equipment.show_test, "equipment.read", "show_test"),
]

TIMETABLE = [
    page("timetable/", timetable.show_list, "timetable.read", "list"),
    page("timetable/now/", running.show, "timetable.read", "running"),
]

CONFIGURATION = [
    page("configuration/", configuration.show_list, "configuration.read", "list"),
    page("configuration/profiles/add/", configuration.edit_profile, "configuration.write", "add_profile"),
    page("configuration/profiles/<uuid:pk>/", configuration.edit_profile, "configuration.write", "profile"),
    page("configuration/centres/<uuid:pk>/", configuration.edit_centre, "configuration.write", "centre"),
    page("configuration/centres/<uuid:pk>/terms/", configuration.edit_term, "configuration.write", "term"),
]

PRINTING = [
    page("papers/ask/<slug:kind>/<uuid:pk>/", printing.ask, "form.print", "ask"),
    page("papers/<uuid:pk>/", printing.show, "form.read", "show"),
    page("papers/<uuid:pk>/pdf/", printing.pdf, "form.read", "pdf"),
]

CONSULTING = [
    page("consulting/", consulting.show_list, "consulting.list", "list"),
    page("requests/<uuid:pk>/need-video/", consulting.need_video, "request.move", "need_video"),
    page("requests/<uuid:pk>/no-video/", consulting.no_video, "request.move", "no_video"),
    page("requests/<uuid:pk>/reconsider/", consulting.reconsider, "request.move", "reconsider"),
    page("requests/<uuid:pk>/without-video/", consulting.give_up_video, "request.move", "give_up_video"),
    page("requests/<uuid:pk>/ask-back/", consulting.ask, "request.move", "ask"),
    page("requests/<uuid:pk>/hand-back/", consulting.hand_back, "request.move", "hand_back"),
    page("requests/<uuid:pk>/conclusion/", writing.write, "conclusion.write", "write"),
    page("requests/<uuid:pk>/correction/", writing.write, "conclusion.write", "correct"),
    page("requests/<uuid:pk>/conclusion/print/", writing.preview, "conclusion.write", "print"),
    page("requests/<uuid:pk>/conclusion/scan/", scanning.scan, "conclusion.write", "scan"),
    page("requests/<uuid:pk>/conclusion/save/", writing.autosave, "conclusion.write", "autosave"),
    page("requests/<uuid:pk>/conclusion/discard/", writing.discard, "conclusion.write", "discard"),
    page("conclusions/<uuid:pk>/", consulting.conclusion, "conclusion.read", "conclusion"),
    page("conclusions/<uuid:pk>/changes/", changes.show, "conclusion.read", "changes"),
    page("consulting/phrases/", phrases.show, "phrase.write", "phrases"),
    page("consulting/phrases/find/", phrases.find, "conclusion.write", "find_phrases"),
    page("consulting/phrases/<uuid:pk>/", phrases.show, "phrase.write", "phrase"),
    page("consulting/phrases/<uuid:pk>/forget/", phrases.forget, "phrase.write", "forget_phrase"),
    page("consulting/phrases/<uuid:pk>/used/", phrases.used, "conclusion.write", "use_phrase"),
]

COUNCILS = [
    page("councils/", desk.show_list, "council.list", "list"),
    page("requests/<uuid:pk>/council/", calling.call, "council.call", "call"),
    page("councils/<uuid:pk>/", councils.show, "council.read", "show"),
    page("councils/<uuid:pk>/news/", councils.tell_news, "council.read", "news"),
    page("councils/<uuid:pk>/printed/", councils.printed, "council.read", "printed"),
    page(
        "councils/<uuid:pk>/seats/<uuid:seat>/substitute/", calling.substitute, "council.call", "substitute"
    ),
    page("councils/<uuid:pk>/answer/", councils.answer, "council.sit", "answer"),
    page("councils/<uuid:pk>/opinion/", councils.opinion, "council.sit", "opinion"),
    page("councils/<uuid:pk>/opinion/save/", councils.autosave, "council.sit", "autosave"),
    page("councils/<uuid:pk>/say/", councils.say, "council.sit", "say"),
    page("councils/<uuid:pk>/open/", councils.open_opinions, "council.sit", "open"),
    page("councils/<uuid:pk>/decide/", councils.decide, "council.sit", "decide"),
    page("councils/<uuid:pk>/rediscuss/", councils.rediscuss, "council.sit", "rediscuss"),
    page("councils/<uuid:pk>/dissent/", councils.dissent, "council.sit", "dissent"),
    page("councils/<uuid:pk>/submit/", councils.submit, "council.sit", "submit"),
    page("councils/<uuid:pk>/sign/", councils.sign, "council.sit", "sign"),
    page("councils/<uuid:pk>/refuse/", councils.refuse, "council.sit", "refuse"),
    page("councils/<uuid:pk>/cancel/", councils.cancel, "council.cancel", "cancel"),
]

SESSIONS = [
    page("requests/<uuid:pk>/sessions/propose/", sessions.propose, "session.move", "propose"),
    page("sessions/<uuid:pk>/propose/", sessions.propose_again, "session.move", "propose_again"),
    page("sessions/<uuid:pk>/counter/", sessions.counter, "session.move", "counter"),
    page("sessions/<uuid:pk>/confirm/", sessions.confirm, "session.move", "confirm"),
    page("sessions/<uuid:pk>/accept/", sessions.accept, "session.move", "accept"),
    page("sessions/<uuid:pk>/start/", sessions.start, "session.move", "start"),
    page("sessions/<uuid:pk>/held/", sessions.hold, "session.move", "hold"),
    page("sessions/<uuid:pk>/missed/", sessions.miss, "session.move", "miss"),
    page("sessions/<uuid:pk>/failed/", sessions.fail, "session.move", "fail"),
    page("sessions/<uuid:pk>/cancel/", sessions.cancel, "session.move", "cancel"),
    page("sessions/<uuid:pk>/ready/", session_record.ready, "session.ready", "ready"),
    page("sessions/<uuid:pk>/record/", session_record.show, "session.read", "record"),
    page("sessions/<uuid:pk>/join/", joining.show, "session.read", "join"),
    page("sessions/<uuid:pk>/join/outside/", joining.meet_outside, "session.place", "meet_outside"),
    page("sessions/<uuid:pk>/join/inside/", joining.meet_inside, "session.place", "meet_inside"),
    page("sessions/<uuid:pk>/attendance/", marking.mark, "attendance.mark", "mark"),
    page("sessions/<uuid:pk>/attendance/<uuid:attendance>/", marking.unmark, "attendance.mark", "unmark"),
    page("sessions/<uuid:pk>/calendar/", sessions.calendar, "session.read", "calendar"),
]

ROOM = [
    page("sessions/<uuid:pk>/room/", room.show, "room.enter", "show"),
    page("sessions/<uuid:pk>/guests/", guests.show, "guest.invite", "guests"),
    page("sessions/<uuid:pk>/guests/revoke/", guests.revoke, "guest.invite", "revoke"),
    page("guest/<str:link>/", guests.arrive, PUBLIC, "door"),
    page("guest/room/<uuid:pk>/", guests.guest_room, PUBLIC, "guest_room"),
    page("guest/room/<uuid:pk>/ticket/", guests.guest_ticket, PUBLIC, "guest_ticket"),
    page("sessions/<uuid:pk>/room/ticket/", tickets.room_ticket, "room.enter", "ticket"),
    page("organization/tests/<uuid:pk>/ticket/", tickets.test_ticket, "equipment.read", "watch"),
]

RECORDINGS = [
    page("sessions/<uuid:pk>/recordings/", recordings.show, "recording.hear", "show"),
    page("sessions/<uuid:pk>/recordings/give/", recordings.give, "recording.give", "give"),
    page("sessions/<uuid:pk>/recordings/take-back/", recordings.take_back, "recording.give", "take_back"),
    page("recordings/<uuid:pk>/", recordings.sound, "recording.hear", "sound"),
]

SIGNING = [
    page("signing/", signing_desk.show_list, "signature.list", "list"),
    page("papers/<uuid:pk>/signatures/", signing.show, "signature.read", "show"),
    page("papers/<uuid:pk>/document/", signing.document, "signature.read", "document"),
    page("papers/<uuid:pk>/sign/", signing.sign, "signature.write", "sign"),
    page("papers/<uuid:pk>/container/", signing.export, "signature.read", "export"),
    page("signatures/<uuid:pk>/check/", signing.recheck, "signature.write", "recheck"),
]

GALLERY = [
    page("requests/<uuid:pk>/gallery/", gallery.show, "document.read", "show"),
    page("looking/<str:ticket>/", gallery.looking, "document.read", "looking"),
    page("documents/<uuid:pk>/view/", gallery.name_view, "document.add", "name_view"),
]

_STUDY = "dicomweb/<uuid:pk>/studies/<uid:study>"
_SERIES = f"{_STUDY}/series/<uid:series>"
_INSTANCE = f"{_SERIES}/instances/<uid:instance>"
DICOMWEB = [
    page("requests/<uuid:pk>/program/", dicom_program.show, "study.read", "program"),
    page("dicomweb/<uuid:pk>/studies", dicom_search.studies, "study.read", "studies"),
    page("dicomweb/<uuid:pk>/series", dicom_search.series, "study.read", "all_series"),
    page("dicomweb/<uuid:pk>/instances", dicom_search.instances, "study.read", "all_instances"),
    page(_STUDY, dicom.objects, "study.read", "study"),
    page(f"{_STUDY}/metadata", dicom.metadata, "study.read", "study_metadata"),
    page(f"{_STUDY}/series", dicom_search.series, "study.read", "study_series"),
    page(f"{_STUDY}/instances", dicom_search.instances, "study.read", "study_instances"),
    page(_SERIES, dicom.objects, "study.read", "series"),
    page(f"{_SERIES}/metadata", dicom.metadata, "study.read", "series_metadata"),
    page(f"{_SERIES}/instances", dicom_search.instances, "study.read", "series_instances"),
    page(_INSTANCE, dicom.objects, "study.read", "instance"),
    page(f"{_INSTANCE}/metadata", dicom.metadata, "study.read", "instance_metadata"),
    page(f"{_INSTANCE}/rendered", dicom_rendered, "study.read", "rendered"),
    page(f"{_INSTANCE}/frames/<str:numbers>", dicom.frames, "study.read", "frames"),
    page(f"{_INSTANCE}/frames/<str:numbers>/rendered", dicom_rendered, "study.read", "rendered_frame"),
]

VIEWER = [
    page("requests/<uuid:pk>/viewer/<uuid:study>/", viewer.show, "study.read", "show"),
    page("requests/<uuid:pk>/marks/", viewer.marks, "mark.write", "marks"),
    page("requests/<uuid:pk>/key-images/", viewer.keep_image, "mark.write", "keep_image"),
    page("marks/<uuid:pk>/", viewer.change_mark, "mark.write", "change_mark"),
    page("marks/<uuid:pk>/remove/", viewer.remove_mark, "mark.write", "remove_mark"),
    page("consulting/ahead/", ahead.show, "consulting.list", "ahead"),
    page("previews/<uuid:pk>/<slug:name>/", viewer.preview, "study.read", "preview"),
]

DESIGN = [page("design/", design.show, PUBLIC, "show")]

HEALTH = [
    page("healthz", health.healthz, PUBLIC, "healthz"),
    page("readyz", health.readyz, PUBLIC, "readyz"),
]

urlpatterns = [
    *HEALTH,
    path("", include((DESIGN, "design"))),
    path("", include((ACCOUNT, "account"))),
    path("", include((PEOPLE, "people"))),
    path("", include((NOTICES, "notices"))),
    path("", include((REQUESTS, "requests"))),
    path("", include((DRAFTING, "drafting"))),
    path("", include((DOCUMENTS, "documents"))),
    path("", include((STUDIES, "studies"))),
    path("", include((GALLERY, "gallery"))),
    path("", include((DICTIONARY, "dictionary"))),
    path("", include((CONSULTATION, "consultation"))),
    path("", include((TRIAGE, "triage"))),
    path("", include((DICOMWEB, "dicomweb"))),
    path("", include((VIEWER, "viewer"))),
    path("", include((CONVERSATION, "conversation"))),
    path("", include((CONSULTING, "consulting"))),
    path("", include((PRINTING, "printing"))),
    path("", include((COUNCILS, "councils"))),
    path("", include((SESSIONS, "sessions"))),
    path("", include((ROOM, "room"))),
    path("", include((RECORDINGS, "recordings"))),
    path("", include((SIGNING, "signing"))),
    path("", include((CLOSING, "closing"))),
    path("", include((ONBOARDING, "onboarding"))),
    path("", include((COMPUTER, "computer"))),
    path("", include((EQUIPMENT, "equipment"))),
    path("", include((TIMETABLE, "timetable"))),
    path("", include((CONFIGURATION, "configuration"))),
]
