"""Resumable uploads over real sockets, against the served product with two processes."""

import base64
import hashlib
import os
import socket
import threading
import time
from datetime import timedelta

import httpx
import pytest
from django.conf import settings
from django.utils import timezone

from konsilium.actions import closing, documents, drafting, receiving
from konsilium.models import Document, SessionStore, Upload
from konsilium.models.access import acting, as_worker, signing_in
from konsilium.workflow.machine import Missing
from konsilium.workflow.upload import LARGEST
from tests.factories import Way
from tests.requests import draft

pytestmark = pytest.mark.django_db(transaction=True)
MIB = 1024**2
TUS = {"Tus-Resumable": "1.0.0"}


def key_of(actor):
    with signing_in():
        session = SessionStore()
        session.update({"person_id": str(actor.person_id), "membership_id": str(actor.membership_id)})
        session.create()
        return session.session_key


OPEN = []


@pytest.fixture(autouse=True)
def _hang_up():
    """Begin without files of the test before, and close every line when it is over."""
    for left in (settings.FILES / "uploads").glob("*.part"):
        left.unlink()
    yield
    while OPEN:
        OPEN.pop().close()


class Sender:
    """A program that sends files by tus, as somebody."""

    def __init__(self, server, actor):
        self.key = key_of(actor)
        self.address = server.address
        self.http = httpx.Client(
            base_url=server.address, cookies={"konsilium": self.key}, headers=TUS, timeout=20
        )
        OPEN.append(self.http)

    def create(self, row, data, *, name="scan.dcm", kind="cbct", sha256=None, length=None, **more):
        told = {"consultation": str(row.pk), "kind": kind, "name": name, **more}
        told["sha256"] = hashlib.sha256(data).hexdigest() if sha256 is None else sha256
        pairs = [f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in told.items() if value]
        size = str(len(data) if length is None else length)
        return self.http.post(
            "/uploads/", headers={"Upload-Length": size, "Upload-Metadata": ",".join(pairs)}
        )

    def offset(self, place):
        return int(self.http.head(place).headers["Upload-Offset"])

    def patch(self, place, data, offset):
        headers = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
        return self.http.patch(place, content=data, headers=headers)

    def cut(self, place, data, offset, length, *, hold=False):
        """Announce the whole rest and send only so much of it; then hang up, or keep the line open and silent."""
        host, port = self.address.removeprefix("http://").split(":")
        line = socket.create_connection((host, int(port)))
        OPEN.append(line)
        head = (
            f"PATCH {place} HTTP/1.1\r\nHost: {host}:{port}\r\nCookie: konsilium={self.key}\r\nTus-Resumable: 1.0.0\r\n"
            f"Upload-Offset: {offset}\r\nContent-Type: application/offset+octet-stream\r\n"
            f"Content-Length: {len(data) - offset}\r\n\r\n"
        )
        line.sendall(head.encode() + data[offset : offset + length])
        if hold:
            return line
        time.sleep(0.3)
        line.close()
        return None


@pytest.fixture
def sender(served, cast):
    return Sender(served, cast.omsk_doctor)


def dicom(size=3 * MIB, seed=1):
    """Bytes that begin like DICOM: the first look takes them, and nobody looks further here."""
    return bytes(128) + b"DICM" + os.urandom(size - 132)


def stored(document):
    return b"".join(documents.store().open_range(document.sha256))


def seen(model, actor, **values):
    with acting(actor):
        return list(model.objects.filter(**values))


def test_a_file_in_one_piece_becomes_a_document_bit_for_bit(sender, cast):
    row, data = draft(cast), dicom()
    answer = sender.create(row, data, note="Снято вчера")
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, "0")
    done = sender.patch(answer.headers["Location"], data, 0)
    assert (done.status_code, done.headers["Upload-Offset"]) == (204, str(len(data)))
    (document,) = seen(Document, cast.omsk_doctor, consultation=row)
    assert stored(document) == data
    assert (document.kind, document.file_name, document.note, document.state) == (
        "cbct",
        "scan.dcm",
        "Снято вчера",
        "quarantined",
    )


def test_what_arrived_before_a_cut_is_kept_and_the_rest_follows(sender, cast):
    row, data = draft(cast), dicom()
    place = sender.create(row, data).headers["Location"]
    sender.cut(place, data, 0, MIB + 777)
    assert sender.offset(place) == MIB + 777
    assert sender.patch(place, data[MIB + 777 :], MIB + 777).status_code == 204
    (document,) = seen(Document, cast.omsk_doctor, consultation=row)
    assert stored(document) == data


def test_whoever_asks_takes_over_from_a_line_that_went_silent_in_another_process_too(sender, cast):
    row, data = draft(cast), dicom()
    place = sender.create(row, data).headers["Location"]
    # Several new connections, so that both processes get some.
    held = [sender.cut(place, data, 0, MIB, hold=True)]
    time.sleep(0.5)
    for _ in range(4):
        with httpx.Client(base_url=sender.address, cookies={"konsilium": sender.key}, headers=TUS) as other:
            assert other.head(place, timeout=15).headers["Upload-Offset"] == str(MIB)
    assert sender.patch(place, data[MIB:], MIB).status_code == 204
    for line in held:
        line.close()
    assert [stored(document) for document in seen(Document, cast.omsk_doctor, consultation=row)] == [data]


def test_two_writers_at_once_never_mix_their_bytes(sender, cast):
    row, data = draft(cast), dicom(6 * MIB)
    place = sender.create(row, data).headers["Location"]

    said = set()

    def go():
        with httpx.Client(
            base_url=sender.address, cookies={"konsilium": sender.key}, headers=TUS, timeout=20
        ) as one:
            for _ in range(60):
                try:
                    head = one.head(place)
                    said.add(head.status_code)
                    offset = int(head.headers.get("Upload-Offset", -1))
                    if offset == len(data):
                        return
                    if offset >= 0:
                        headers = {
                            "Upload-Offset": str(offset),
                            "Content-Type": "application/offset+octet-stream",
                        }
                        said.add(one.patch(place, content=data[offset:], headers=headers).status_code)
                except httpx.TransportError:
                    continue

    threads = [threading.Thread(target=go) for _ in range(3)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert said <= {200, 204, 409, 423}
    assert [stored(document) for document in seen(Document, cast.omsk_doctor, consultation=row)] == [data]


def test_a_killed_server_loses_nothing_that_it_acknowledged(restless, cast):
    sender = Sender(restless, cast.omsk_doctor)
    row, data = draft(cast), dicom(20 * MIB)
    place = sender.create(row, data).headers["Location"]
    assert sender.patch(place, data[: 2 * MIB], 0).status_code == 204
    line = sender.cut(place, data, 2 * MIB, 17 * MIB, hold=True)
    deadline = time.monotonic() + 10
    while seen(Upload, cast.omsk_doctor)[0].offset <= 2 * MIB and time.monotonic() < deadline:
        time.sleep(0.1)
    restless.end()
    line.close()
    restless.start()
    sender = Sender(restless, cast.omsk_doctor)
    offset = sender.offset(place)
    assert offset >= 18 * MIB
    assert sender.patch(place, data[offset:], offset).status_code == 204
    (document,) = seen(Document, cast.omsk_doctor, consultation=row)
    assert stored(document) == data


def test_an_upload_whose_process_died_just_before_the_document_is_finished_by_the_next(sender, cast, files):
    row, data = draft(cast), dicom()
    place = sender.create(row, data).headers["Location"]
    (upload,) = seen(Upload, cast.omsk_doctor)
    part = files / "uploads" / f"{upload.pk}.part"
    part.write_bytes(data)
    with acting(cast.omsk_doctor):
        receiving.keep_offset(upload, len(data), actor=cast.omsk_doctor, at=timezone.now())
    documents.store().keep_file(part, upload.sha256)
    documents.sweep_orphans(at=timezone.now() + timedelta(days=2))
    assert sender.offset(place) == len(data)
    assert sender.offset(place) == len(data)
    assert [stored(document) for document in seen(Document, cast.omsk_doctor, consultation=row)] == [data]


def test_a_refusal_closes_the_line(sender, cast):
    row, data = draft(cast), dicom()
    place = sender.create(row, data).headers["Location"]
    wrong = sender.patch(place, data[5:], 5)
    assert (wrong.status_code, wrong.headers["Connection"], wrong.headers["Upload-Offset"]) == (
        409,
        "close",
        "0",
    )
    long = sender.patch(place, data + b"more", 0)
    assert (long.status_code, long.headers["Connection"]) == (413, "close")


def test_the_same_file_chosen_again_elsewhere_goes_on_where_it_was(sender, served, cast):
    row, data = draft(cast), dicom()
    place = sender.create(row, data).headers["Location"]
    sender.cut(place, data, 0, MIB)
    time.sleep(0.5)
    again = Sender(served, cast.omsk_doctor).create(row, data, name="another name.dcm")
    assert again.headers["Location"] == place
    assert again.headers["Upload-Offset"] == str(MIB)


def test_bytes_that_are_here_already_are_not_sent_again(sender, cast):
    first, second, data = draft(cast), draft(cast), dicom()
    sender.patch(sender.create(first, data).headers["Location"], data, 0)
    again = sender.create(second, data)
    assert (again.headers["Upload-Offset"], again.json()["state"]) == (str(len(data)), "done")
    (document,) = seen(Document, cast.omsk_doctor, consultation=second)
    assert stored(document) == data
    twice = sender.create(second, data)
    assert (twice.headers["Upload-Offset"], len(seen(Document, cast.omsk_doctor, consultation=second))) == (
        str(len(data)),
        1,
    )


def test_knowing_a_hash_gives_nobody_a_strangers_file(sender, served, cast):
    data = dicom()
    sender.patch(sender.create(draft(cast), data).headers["Location"], data, 0)
    stranger = Sender(served, cast.chita_doctor)
    answer = stranger.create(draft(cast, "chita_doctor"), data)
    assert (answer.headers["Upload-Offset"], answer.json()["state"]) == ("0", "receiving")


def test_what_differs_from_what_was_announced_is_refused_and_thrown_away(sender, cast, files):
    row, data = draft(cast), dicom()
    place = sender.create(row, data, sha256="0" * 64).headers["Location"]
    answer = sender.patch(place, data, 0)
    assert (answer.status_code, "отличается" in answer.json()["refusal"]) == (422, True)
    assert (seen(Document, cast.omsk_doctor, consultation=row), list((files / "uploads").glob("*.part"))) == (
        [],
        [],
    )


def test_a_file_of_no_allowed_kind_is_refused_at_the_end_with_words(sender, cast, files):
    row, data = draft(cast), b"MZ" + os.urandom(5000)
    answer = sender.patch(sender.create(row, data).headers["Location"], data, 0)
    assert (answer.status_code, bool(answer.json()["refusal"])) == (422, True)
    assert list((files / "uploads").glob("*.part")) == []


@pytest.mark.parametrize(
    "who", ["omsk_admin", "chita_doctor", "cniis_dispatcher", "omsk_technician", "coordinator"]
)
def test_a_strangers_upload_is_not_there(sender, served, cast, who):
    place = sender.create(draft(cast), dicom()).headers["Location"]
    stranger = Sender(served, cast.actor_of(who))
    found = {
        stranger.http.head(place).status_code,
        stranger.patch(place, b"x", 0).status_code,
        stranger.http.delete(place).status_code,
    }
    assert found <= {404, 401}
    assert sender.http.head(place).status_code == 200


def test_nobody_sends_without_a_session_the_protocol_or_from_another_site(sender, served, cast):
    row, data = draft(cast), dicom()
    place = sender.create(row, data).headers["Location"]
    with httpx.Client(base_url=served.address) as nobody:
        assert nobody.head(place, headers=TUS).status_code == 401
        assert nobody.post("/uploads/").status_code == 412
    assert sender.http.head(place, headers={"Origin": "https://elsewhere.example"}).status_code == 403
    assert sender.http.head(place, headers={"Origin": served.address}).status_code == 200


def test_a_session_that_ends_stops_the_upload_within_seconds(sender, cast):
    row, data = draft(cast), dicom()
    place = sender.create(row, data).headers["Location"]
    line = sender.cut(place, data, 0, MIB, hold=True)
    time.sleep(0.5)
    with signing_in():
        SessionStore(sender.key).delete()
    line.settimeout(5)
    assert line.recv(100).startswith(b"HTTP/1.1 409")
    assert sender.http.head(place).status_code == 401
    (upload,) = seen(Upload, cast.omsk_doctor)
    assert upload.offset == MIB


def test_a_cancelled_upload_leaves_nothing(sender, cast, files):
    place = sender.create(draft(cast), dicom()).headers["Location"]
    line = sender.cut(place, dicom(), 0, MIB, hold=True)
    assert sender.http.delete(place).status_code == 204
    assert sender.http.head(place).status_code == 404
    line.close()
    assert list((files / "uploads").glob("*.part")) == []


def test_what_an_organisation_may_hold_and_what_one_file_may_have_is_said_before_the_bytes(
    sender, cast, owner
):
    row = draft(cast)
    large = sender.create(row, b"", sha256="", length=LARGEST + 1)
    assert (large.status_code, "4 ГБ" in large.json()["refusal"]) == (422, True)
    owner.execute(
        "UPDATE konsilium_organization SET quota_bytes = 1000 WHERE id = %s",
        [cast.omsk_doctor.organization_id],
    )
    full = sender.create(row, dicom())
    assert (full.status_code, "исчерпала" in full.json()["refusal"]) == (422, True)
    assert seen(Upload, cast.omsk_doctor) == []


def test_a_request_that_is_over_takes_no_more_bytes(sender, cast):
    way = Way(cast, at=timezone.now() - timedelta(hours=1)).submitted()
    data = dicom()
    place = sender.create(way.row, data).headers["Location"]
    way.do(way.doctor, closing.withdraw, "patient_left", "")
    assert sender.create(way.row, dicom()).status_code == 422
    assert sender.patch(place, data, 0).status_code == 422


@pytest.mark.parametrize("wrong", [{"kind": "nonsense"}, {"sha256": "xyz"}, {"length": -1}, {"length": 0}])
def test_a_wrong_announcement_is_refused(sender, cast, wrong):
    assert sender.create(draft(cast), b"", **wrong).status_code in (400, 422)


def test_uploads_that_rest_too_long_are_forgotten_row_first_and_files_without_a_row_too(sender, cast, files):
    place = sender.create(draft(cast), dicom()).headers["Location"]
    old = files / "uploads" / "00000000-0000-7000-8000-000000000000.part"
    old.write_bytes(b"x")
    os.utime(old, (1, 1))
    assert receiving.sweep(at=timezone.now()) == 1
    assert sender.http.head(place).status_code == 200
    assert receiving.sweep(at=timezone.now() + timedelta(days=8)) == 2
    with as_worker():
        assert not Upload.objects.filter().values("id").exists()
    assert list((files / "uploads").glob("*.part")) == []


def test_the_protocol_says_what_it_can(served):
    with httpx.Client(base_url=served.address) as anybody:
        said = anybody.options("/uploads/").headers
    assert (said["Tus-Version"], said["Tus-Extension"]) == ("1.0.0", "creation,termination,expiration")


def test_the_text_of_a_request_goes_ahead_of_its_pictures(sender, cast):
    way = Way(cast, at=timezone.now() - timedelta(hours=1)).written(
        kinds=("consent", "extract", "face_photo")
    )
    with pytest.raises(Missing):
        way.do(way.doctor, drafting.submit)
    data = dicom()
    place = sender.create(way.row, data, kind="panoramic").headers["Location"]
    way.do(way.doctor, drafting.submit)
    (coming,) = seen(Upload, way.dispatcher, consultation=way.row)
    assert (coming.state, coming.offset) == ("receiving", 0)
    assert sender.patch(place, data, 0).status_code == 204
    (picture,) = seen(Document, way.dispatcher, consultation=way.row, kind="panoramic")
    assert stored(picture) == data


def test_a_full_disk_is_said_and_costs_nothing_that_had_arrived(cramped, served, cast):
    row, data = draft(cast), dicom(5 * MIB)
    sender = Sender(cramped, cast.omsk_doctor)
    place = sender.create(row, data).headers["Location"]
    assert sender.patch(place, data, 0).status_code == 507
    offset = sender.offset(place)
    assert 2 * MIB <= offset <= 3 * MIB
    # With room again it goes on from there.
    roomy = Sender(served, cast.omsk_doctor)
    assert roomy.patch(place, data[offset:], offset).status_code == 204
    assert [stored(document) for document in seen(Document, cast.omsk_doctor, consultation=row)] == [data]
