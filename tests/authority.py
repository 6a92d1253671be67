"""A certification authority of the tests' own: keys, certificates, revocation lists and signatures, made by `openssl`."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from konsilium.adapters.signatures.openssl import gost_engine

KEYS = {
    "gost256": ("-newkey", "gost2012_256", "-pkeyopt", "paramset:A"),
    "gost512": ("-newkey", "gost2012_512", "-pkeyopt", "paramset:A"),
    "rsa": ("-newkey", "rsa:2048"),
    "ec": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
}
DIGESTS = {"gost256": "md_gost12_256", "gost512": "md_gost12_512", "rsa": "sha256", "ec": "sha256"}
NOW = datetime.now(UTC).replace(microsecond=0)

_CONFIGURATION = """openssl_conf = all
[all]
{engines}
[engines]
gost = gost
[gost]
engine_id = gost
dynamic_path = {engine}
default_algorithms = ALL
[req]
distinguished_name = names
string_mask = utf8only
[names]
[ca]
default_ca = authority
[authority]
dir = {folder}
database = {folder}/index.txt
serial = {folder}/serial
new_certs_dir = {folder}
certificate = {folder}/ca.pem
private_key = {folder}/ca.key
default_md = {digest}
policy = anything
unique_subject = no
copy_extensions = none
default_crl_days = 30
[anything]
commonName = supplied
surname = optional
givenName = optional
organizationName = optional
title = optional
SNILS = optional
OGRN = optional
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = CA:FALSE
keyUsage = digitalSignature,nonRepudiation
subjectKeyIdentifier = hash
"""
DOCTOR = "/CN=Соколов Андрей Петрович/SN=Соколов/GN=Андрей Петрович/title=Врач"


def zulu(moment):
    return moment.strftime("%Y%m%d%H%M%SZ")


class Authority:
    """Issues, revokes, publishes lists, and signs with what it has issued. `algorithm` is one of KEYS."""

    def __init__(self, folder: Path, algorithm="rsa", name="Test authority"):
        folder.mkdir(parents=True)
        self.folder, self.algorithm = folder, algorithm
        engine = gost_engine()
        (folder / "openssl.cnf").write_text(
            _CONFIGURATION.format(
                engines="engines = engines" if engine else "",
                engine=engine,
                folder=folder,
                digest=DIGESTS[algorithm],
            )
        )
        (folder / "index.txt").write_text("")
        (folder / "serial").write_text("1000\n")
        self.run(
            "req",
            *KEYS[algorithm],
            "-nodes",
            "-keyout",
            "ca.key",
            "-out",
            "ca.csr",
            "-utf8",
            "-subj",
            f"/CN={name}",
        )
        year = timedelta(days=365)
        self.run(
            "ca", "-batch", "-selfsign", "-notext", "-in", "ca.csr", "-out", "ca.pem", "-utf8", "-extensions", "root",
            "-startdate", zulu(NOW - year), "-enddate", zulu(NOW + year),
        )  # fmt: skip

    def run(self, *arguments):
        said = subprocess.run(
            ["openssl", *arguments],
            cwd=self.folder,
            env={"OPENSSL_CONF": str(self.folder / "openssl.cnf"), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            check=False,
        )
        assert said.returncode == 0, said.stderr.decode()
        return said.stdout

    def issue(
        self,
        name="doctor",
        subject=DOCTOR,
        *,
        since=NOW - timedelta(days=30),
        until=NOW + timedelta(days=300),
    ):
        """Make a key and its certificate; both are called `name`."""
        self.run(
            "req", *KEYS[self.algorithm], "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-utf8",
            "-subj", subject,
        )  # fmt: skip
        self.run(
            "ca", "-batch", "-notext", "-in", f"{name}.csr", "-out", f"{name}.pem", "-utf8",
            "-startdate", zulu(since), "-enddate", zulu(until), "-extensions", "leaf",
        )  # fmt: skip
        return self.folder / f"{name}.pem"

    def revoke(self, name, at):
        """Write into the list's source that a certificate was revoked at a time."""
        self.run("ca", "-revoke", f"{name}.pem")
        index = self.folder / "index.txt"
        lines = []
        for line in index.read_text().splitlines():
            parts = line.split("\t")
            if parts[0] == "R":
                parts[2] = at.strftime("%y%m%d%H%M%SZ")
            lines.append("\t".join(parts))
        index.write_text("\n".join(lines) + "\n")

    def publish(self, folder: Path, *, since=NOW - timedelta(days=1), until=NOW + timedelta(days=30)):
        """Lay root and revocation list into a trust folder."""
        for name in ("roots", "intermediates", "crls"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        stem = self.folder.name
        (folder / "roots" / f"{stem}.pem").write_bytes((self.folder / "ca.pem").read_bytes())
        self.run(
            "ca", "-gencrl", "-crl_lastupdate", zulu(since), "-crl_nextupdate", zulu(until), "-out", "list.crl"
        )  # fmt: skip
        (folder / "crls" / f"{stem}.crl").write_bytes((self.folder / "list.crl").read_bytes())

    def sign(self, document: Path, name="doctor", form="DER", digest="", beside=""):
        """Return the place of a detached signature over the document; `beside` names another certificate it carries."""
        place = document.with_suffix(f".{name}.p7s")
        self.run(
            "cms", "-sign", "-binary", "-in", str(document), "-signer", f"{name}.pem", "-inkey", f"{name}.key",
            "-outform", form, "-out", str(place), "-md", digest or DIGESTS[self.algorithm], *(["-certfile", beside] if beside else []),
        )  # fmt: skip
        return place
