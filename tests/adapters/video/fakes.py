"""What LiveKit and Jitsi do with our tokens, by their published interfaces; no more is known of them here."""

import base64
import hashlib
import hmac
import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

KEY, SECRET = "a key", "a secret of at least thirty-two characters"


class Denied(Exception):
    """What a server answers with 401 or 403."""


def _decoded(part):
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def claims_of(token, secret=SECRET, issuer=KEY):
    """Check a JSON web token as a server does: algorithm, signature, issuer, times."""
    head, body, signature = token.split(".")
    made = hmac.digest(secret.encode(), f"{head}.{body}".encode(), hashlib.sha256)
    if _decoded(head)["alg"] != "HS256" or base64.urlsafe_b64encode(made).decode().rstrip("=") != signature:
        raise Denied("signature")
    claims = _decoded(body)
    if claims["iss"] != issuer or not claims["nbf"] - 60 <= time.time() < claims["exp"]:
        raise Denied("issuer or time")
    return claims


class FakeLiveKit:
    """Rooms with people and their tracks; `join` is what a page does with its token."""

    def __init__(self):
        self.rooms = {}
        self.asked = []

    def join(self, token):
        claims = claims_of(token)
        rights = claims["video"]
        if not rights.get("roomJoin") or rights["room"] not in self.rooms:
            raise Denied("room")
        tracks = [{"sid": "TR_a", "type": "AUDIO", "muted": False}, {"sid": "TR_v", "type": "VIDEO"}]
        self.rooms[rights["room"]][claims["sub"]] = {"identity": claims["sub"], "tracks": tracks}

    def leave(self, room, identity):
        self.rooms[room].pop(identity)

    def answer(self, method, token, said):
        rights = claims_of(token)["video"]
        needed = {"CreateRoom": "roomCreate", "DeleteRoom": "roomCreate", "ListRooms": "roomList"}
        if not rights.get(needed.get(method, "roomAdmin")):
            raise Denied(method)
        if method not in needed and rights.get("room") != said["room"]:
            raise Denied("another room")
        self.asked.append(method)
        return getattr(self, f"_{method}")(said)

    def _ListRooms(self, said):  # noqa: N802
        return {"rooms": [{"name": name} for name in self.rooms]}

    def _CreateRoom(self, said):  # noqa: N802
        self.rooms.setdefault(said["name"], {})
        return {"name": said["name"]}

    def _DeleteRoom(self, said):  # noqa: N802
        self.rooms.pop(said["room"])
        return {}

    def _ListParticipants(self, said):  # noqa: N802
        return {"participants": list(self.rooms[said["room"]].values())}

    def _RemoveParticipant(self, said):  # noqa: N802
        self.rooms[said["room"]].pop(said["identity"])
        return {}

    def _MutePublishedTrack(self, said):  # noqa: N802
        for track in self.rooms[said["room"]][said["identity"]]["tracks"]:
            if track["sid"] == said["track_sid"]:
                track["muted"] = said["muted"]
        return {}


@contextmanager
def livekit_server():
    """The fake behind HTTP; yields it with its address."""
    fake = FakeLiveKit()

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self):
            said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            token = self.headers["Authorization"].removeprefix("Bearer ")
            try:
                code, told = 200, fake.answer(self.path.rpartition("/")[2], token, said)
            except KeyError:
                code, told = 404, {"code": "not_found"}
            except Denied:
                code, told = 401, {"code": "unauthenticated"}
            self.send_response(code)
            self.end_headers()
            self.wfile.write(json.dumps(told).encode())

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    fake.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()


def open_jitsi(address, host="meet.example.org"):
    """What Jitsi's token module checks when a page opens this address; returns the user of the token."""
    parts = urlsplit(address)
    claims = claims_of(parse_qs(parts.query)["jwt"][0])
    if (parts.hostname, claims["aud"], claims["sub"]) != (host, "jitsi", host):
        raise Denied("audience")
    if claims["room"] != parts.path.lstrip("/"):
        raise Denied("another room")
    return claims["context"]["user"]
