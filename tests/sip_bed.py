"""Fakes on loopback for the prober's tests: SIP servers that answer as told, honeypots that count, certificates."""

import contextlib
import datetime as dt
import hashlib
import re
import socket
import ssl
import threading
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

CODECS = "v=0\r\nm=audio 4000 RTP/AVP 0 8\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:96 H264/90000\r\na=rtpmap:97 EvilCorp-9.1/1\r\n"


def answer(request, status, *, extra=(), body="", **changed):
    """An answer to a request's bytes, its marks copied as a server does."""
    lines = request.decode().split("\r\n")
    kept = [line for line in lines if line.split(":")[0] in ("Via", "From", "To", "Call-ID", "CSeq")]
    kept = [changed.get(line.split(":")[0].lower().replace("-", "_"), line) for line in kept]
    more = [*extra, *(["Content-Type: application/sdp"] if body else []), f"Content-Length: {len(body)}"]
    return "\r\n".join([f"SIP/2.0 {status}", *kept, *more, "", body]).encode()


class Server:
    """A server on loopback: `talk(request, number)` returns the datagrams or pieces to send; keeps what it got."""

    def __init__(self, talk, transport="udp", secured=None, address="127.0.0.1"):
        self.talk, self.transport, self.secured, self.got = talk, transport, secured, []
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
        self.socket = socket.socket(family, kind)
        self.socket.bind((address, 0))
        self.port = self.socket.getsockname()[1]
        self.is_over = False
        self.thread = threading.Thread(
            target=self._datagrams if transport == "udp" else self._streams, daemon=True
        )

    def __enter__(self):
        if self.transport != "udp":
            self.socket.listen(8)
        self.socket.settimeout(0.1)
        self.thread.start()
        return self

    def __exit__(self, *gone):
        self.is_over = True
        self.thread.join(2)
        self.socket.close()

    def _datagrams(self):
        while not self.is_over:
            with contextlib.suppress(TimeoutError, ConnectionError):
                request, whence = self.socket.recvfrom(65536)
                self.got.append(request)
                for piece in self.talk(request, len(self.got)):
                    self.socket.sendto(piece, whence)

    def _streams(self):
        while not self.is_over:
            with contextlib.suppress(TimeoutError, ConnectionError, ssl.SSLError):
                line, _ = self.socket.accept()
                line.settimeout(6)
                with contextlib.closing(
                    self.secured.wrap_socket(line, server_side=True) if self.secured else line
                ) as line:
                    self._serve(line)

    def _serve(self, line):
        buffer = b""
        while not self.is_over:
            piece = line.recv(65536)
            if not piece:
                return
            buffer += piece
            while b"\r\n\r\n" in buffer:
                request, _, buffer = buffer.partition(b"\r\n\r\n")
                self.got.append(request + b"\r\n\r\n")
                for part in self.talk(self.got[-1], len(self.got)):
                    line.sendall(part)


class Honeypot:
    """Listens on loopback over TCP and UDP at one port, and counts whoever comes."""

    def __init__(self):
        self.tcp = socket.socket()
        self.tcp.bind(("127.0.0.1", 0))
        self.port = self.tcp.getsockname()[1]
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", self.port))
        self.tcp.listen(64)
        self.tcp.settimeout(0.05)
        self.udp.settimeout(0.05)

    def visits(self):
        found = 0
        for look in (self.tcp.accept, lambda: self.udp.recvfrom(2048)):
            with contextlib.suppress(TimeoutError):
                while True:
                    came = look()
                    found += 1
                    if isinstance(came[0], socket.socket):
                        came[0].close()
        return found

    def close(self):
        self.tcp.close()
        self.udp.close()


def registrar(user, password, *, algorithm="MD5", realm="konsilium.test", qop=True, stale_first=False):
    """What a registrar says: a challenge, then yes or no after checking the digest by itself."""
    digest = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[algorithm]

    def hashed(*parts):
        return digest(":".join(parts).encode()).hexdigest()

    def talk(request, number):
        text = request.decode()
        given = dict(re.findall(r'(\w+)="?([^",\r]*)"?', text.partition("Authorization: Digest ")[2]))
        wanted = f'WWW-Authenticate: Digest realm="{realm}", nonce="n{number}", algorithm={algorithm}'
        wanted += ', qop="auth,auth-int"' if qop else ""
        if not given or (stale_first and number == 2):
            return [answer(request, "401 Unauthorized", extra=[wanted + (", stale=TRUE" if given else "")])]
        middle = [given["nc"], given["cnonce"], "auth"] if qop else []
        right = hashed(
            hashed(user, realm, password), given["nonce"], *middle, hashed("REGISTER", given["uri"])
        )
        good = given["response"] == right and given["username"] == user
        return [answer(request, "200 OK" if good else "401 Unauthorized", extra=[] if good else [wanted])]

    return talk


class Authority:
    """A certificate authority of the tests' own."""

    def __init__(self, folder):
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._made(
            "Tests' own authority", self.key, self.key.public_key(), is_authority=True
        )

    def trust(self):
        text = self.certificate.public_bytes(serialization.Encoding.PEM).decode()
        context = ssl.create_default_context()
        context.load_verify_locations(cadata=text)
        return context

    def server(self, name, *, expired=False, self_signed=False):
        """A server's side of TLS with a certificate for the name."""
        key = ec.generate_private_key(ec.SECP256R1())
        signer = key if self_signed else self.key
        issued = self._made(name, signer, key.public_key(), expired=expired, is_own=self_signed)
        path = self.folder / f"{name.replace(':', '_')}-{expired}-{self_signed}.pem"
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(secret + issued.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _made(self, name, signer, public, *, expired=False, is_authority=False, is_own=False):
        now = dt.datetime.now(dt.UTC)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = subject if is_authority or is_own else self.certificate.subject
        days = (-20, -10) if expired else (-1, 30)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + dt.timedelta(days=days[0]))
            .not_valid_after(now + dt.timedelta(days=days[1]))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        )
        if not is_authority:
            builder = builder.add_extension(x509.SubjectAlternativeName([_alternative(name)]), critical=False)
        return builder.sign(signer, hashes.SHA256())


def _alternative(name):
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
