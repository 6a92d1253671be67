"""SIP as bytes over UDP, for what no well-behaved program says."""

import secrets
import socket
import time

OFFER = (
    "v=0\r\no=- 1 1 IN IP4 {own}\r\ns=-\r\nc=IN IP4 {own}\r\nt=0 0\r\n"
    "m=audio 37000 RTP/AVPF 8\r\na=rtpmap:8 PCMA/8000\r\n"
    "m=video 37002 RTP/AVPF 97\r\na=rtpmap:97 VP8/90000\r\na=rtcp-fb:97 nack pli\r\n"
)


class Caller:
    """One side of a dialogue."""

    def __init__(self, own, server):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((own, 0))
        host, port = server.split(":")
        self.own, self.server = own, (host, int(port))
        self.port = self.socket.getsockname()[1]
        self.call, self.tag = secrets.token_hex(8), secrets.token_hex(4)

    def send(self, method, uri, *, body="", number=1, extra=""):
        kind = "Content-Type: application/sdp\r\n" if body else ""
        text = (
            f"{method} {uri} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {self.own}:{self.port};branch=z9hG4bK{secrets.token_hex(6)};rport\r\n"
            f"Max-Forwards: 20\r\nFrom: <sip:raw@{self.own}>;tag={self.tag}\r\nTo: <{uri}>\r\n"
            f"Call-ID: {self.call}\r\nCSeq: {number} {method}\r\nContact: <sip:raw@{self.own}:{self.port}>\r\n"
            f"{extra}{kind}Content-Length: {len(body)}\r\n\r\n{body}"
        )
        self.socket.sendto(text.encode(), self.server)

    def answer(self, least=100, seconds=10):
        """The first answer of this class or above: its code, and the whole."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.socket.settimeout(max(0.05, deadline - time.monotonic()))
            try:
                text = self.socket.recv(65536).decode()
            except TimeoutError:
                break
            if text.startswith("SIP/2.0 ") and int(text.split()[1]) >= least:
                return int(text.split()[1]), text
        raise AssertionError(("no answer", least))

    def close(self):
        self.socket.close()
