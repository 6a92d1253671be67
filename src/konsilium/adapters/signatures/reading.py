"""The inside of the sandbox: what stands in a signature, a PDF's signatures, and revocation lists.

Nothing here says that a signature is good. It only lays out what a program then verifies.
"""

import base64
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from asn1crypto import cms, core, crl, pem, x509

SNILS, OGRN, INN = "1.2.643.100.3", "1.2.643.100.1", "1.2.643.3.131.1.1"
_SUBJECT = {
    "common_name": "name",
    "surname": "family",
    "given_name": "given",
    "organization_name": "organization",
    "title": "position",
    SNILS: "snils",
    OGRN: "ogrn",
    INN: "inn",
    "1.2.643.100.4": "inn",
}
_ALGORITHMS = {
    "1.2.643.7.1.1.1.1": "ГОСТ Р 34.10-2012, 256 бит",
    "1.2.643.7.1.1.1.2": "ГОСТ Р 34.10-2012, 512 бит",
    "1.2.840.113549.1.1.1": "RSA",
    "1.2.840.10045.2.1": "ECDSA",
}
MOST_SIGNATURES = 20
# Hashes for which two documents with one signature can be made, and the Russian one that was taken out of use.
WEAK_DIGESTS = {"md2", "md4", "md5", "sha1", "1.2.643.2.2.9"}


def read_cms(
    scratch: Path, *, signature: str, roots: list[str], intermediates: list[str], lists: list[str]
) -> dict[str, Any]:
    """Lay out a detached CMS signature and the chain of its certificate.

    Gives {"is_readable": False}, or the certificate's words, the time it says it was signed, and the chain's files
    (the signer's first, each followed by its issuer) with what the revocation lists say of each. Writes the
    signature in DER and each certificate in PEM below `scratch`.
    """
    try:
        content = _signed_data(Path(signature).read_bytes())
        signer = _signer(content)
        leaf = _leaf(content, signer)
    except (ValueError, TypeError, KeyError, IndexError):
        return {"is_readable": False}
    plain = scratch / "signature.der"
    plain.write_bytes(_der(Path(signature).read_bytes()))
    known = [*_carried(content), *_certificates(intermediates), *_certificates(roots)]
    chain = _chain(leaf, known)
    return {
        "is_readable": True,
        "signature": str(plain),
        "certificate": described(leaf),
        "signed_at": _signing_time(signer),
        "is_weak": signer["digest_algorithm"]["algorithm"].native in WEAK_DIGESTS,
        "chain": [_written(scratch, number, one) for number, one in enumerate(chain)],
        "revocations": [_revocation(one, lists) for one in chain[:-1] or chain],
    }


def read_pdf(scratch: Path, *, document: str) -> dict[str, Any]:
    """Lay out a PDF's signatures: for each the CMS, the bytes it is over, and whether these are all bytes but itself.

    The last signature has to reach the file's end: what was appended after it is not signed.
    """
    from pyhanko.pdf_utils.reader import PdfFileReader  # noqa: PLC0415  only this task needs it

    data = Path(document).read_bytes()
    found = []
    try:
        with Path(document).open("rb") as file:
            for number, one in enumerate(PdfFileReader(file, strict=False).embedded_signatures):
                if number >= MOST_SIGNATURES:
                    break
                found.append(_embedded(scratch, number, data, [int(part) for part in one.byte_range]))
    except Exception:  # noqa: BLE001  whatever a broken PDF makes a parser raise
        return {"signatures": []}
    return {"signatures": found}


def _embedded(scratch: Path, number: int, data: bytes, ranges: list[int]) -> dict[str, Any]:
    """Write one signature's parts. Its range must be two pieces around its own hexadecimal value, up to the end."""
    begin, first, second, length = ranges
    hole = data[begin + first : second]
    is_whole = (
        begin == 0
        and hole[:1] == b"<"
        and hole[-1:] == b">"
        and second + length == len(data)
        and set(hole[1:-1].upper()) <= set(b"0123456789ABCDEF")
    )
    content, signature = scratch / f"signed-{number}.bin", scratch / f"signature-{number}.der"
    content.write_bytes(data[begin : begin + first] + data[second : second + length])
    signature.write_bytes(_unpadded(bytes.fromhex(hole[1:-1].decode("ascii", "replace"))))
    return {"content": str(content), "signature": str(signature), "is_whole": is_whole}


def _unpadded(value: bytes) -> bytes:
    """Return the CMS without the zeros that fill its place in the PDF."""
    return bytes(cms.ContentInfo.load(value).dump())


def _signed_data(data: bytes) -> cms.SignedData:
    info = cms.ContentInfo.load(_der(data), strict=True)
    if info["content_type"].native != "signed_data":
        raise ValueError
    return info["content"]


def _der(data: bytes) -> bytes:
    """Return DER out of DER, PEM or bare Base64, in which browser plug-ins hand signatures over."""
    text = data.strip()
    if pem.detect(text):
        return bytes(pem.unarmor(text)[2])
    if text[:2] == b"MI":
        return base64.b64decode(text)
    return data


def _signer(content: cms.SignedData) -> cms.SignerInfo:
    """Return the only signer: whose several signatures one file holds can't be told from each other's roles."""
    (signer,) = content["signer_infos"]
    return signer


def _carried(content: cms.SignedData) -> list[x509.Certificate]:
    return [one.chosen for one in content["certificates"] or [] if isinstance(one.chosen, x509.Certificate)]


def _leaf(content: cms.SignedData, signer: cms.SignerInfo) -> x509.Certificate:
    named = signer["sid"].chosen
    for one in _carried(content):
        if isinstance(named, cms.IssuerAndSerialNumber):
            if (one.issuer, one.serial_number) == (named["issuer"], named["serial_number"].native):
                return one
        elif one.key_identifier == named.native:
            return one
    raise ValueError


def _signing_time(signer: cms.SignerInfo) -> str:
    for attribute in signer["signed_attrs"] or []:
        if attribute["type"].native == "signing_time":
            moment: datetime = attribute["values"][0].native
            return moment.isoformat()
    return ""


def described(certificate: x509.Certificate) -> dict[str, Any]:
    """Return a certificate in words: whose, from whom, which key, from when until when."""
    subject = certificate.subject.native
    named = {_SUBJECT[name]: _one(value) for name, value in subject.items() if name in _SUBJECT}
    return {
        **named,
        "issuer": _one(certificate.issuer.native.get("common_name", "")),
        "serial": f"{certificate.serial_number:x}",
        "from": certificate.not_valid_before.isoformat(),
        "until": certificate.not_valid_after.isoformat(),
        "algorithm": _algorithm(certificate),
    }


def _algorithm(certificate: x509.Certificate) -> str:
    """Return the key's algorithm in words. Read past the library's types, which don't know the Russian ones."""
    key = core.SequenceOf.load(
        certificate["tbs_certificate"]["subject_public_key_info"].dump(), spec=core.Any
    )
    number = core.SequenceOf.load(key[0].dump(), spec=core.Any)[0]
    dotted = str(core.ObjectIdentifier.load(number.dump()).dotted)
    return _ALGORITHMS.get(dotted, dotted)


def _one(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def _certificates(paths: Iterable[str]) -> list[x509.Certificate]:
    found = []
    for path in paths:
        data = Path(path).read_bytes()
        # One file that the operator laid down wrongly must not spoil every check.
        with suppress(ValueError, TypeError):
            parts = [part for _, _, part in pem.unarmor(data, multiple=True)] if pem.detect(data) else [data]
            found += [one for one in map(x509.Certificate.load, parts) if one.subject is not None]
    return found


def _chain(leaf: x509.Certificate, known: list[x509.Certificate]) -> list[x509.Certificate]:
    """Return the signer's certificate and its issuers by name; that each signed the one before, a program finds out."""
    chain = [leaf]
    while chain[-1].subject != chain[-1].issuer and len(chain) <= len(known):
        issuer = next((one for one in known if one.subject == chain[-1].issuer and one not in chain), None)
        if issuer is None:
            break
        chain.append(issuer)
    return chain


def _written(scratch: Path, number: int, certificate: x509.Certificate) -> str:
    path = scratch / f"certificate-{number}.pem"
    path.write_bytes(pem.armor("CERTIFICATE", certificate.dump()))
    return str(path)


def _revocation(certificate: x509.Certificate, lists: list[str]) -> dict[str, Any]:
    """Return the newest list of the certificate's issuer, its term, and when it says the certificate was revoked."""
    newest: tuple[datetime, str, crl.CertificateList] | None = None
    for path in lists:
        one = _list(path)
        if one is not None and one.issuer == certificate.issuer:
            issued = one["tbs_cert_list"]["this_update"].native
            if newest is None or issued > newest[0]:
                newest = (issued, path, one)
    if newest is None:
        return {}
    issued, path, one = newest
    until = one["tbs_cert_list"]["next_update"].native
    return {
        "list": path,
        "from": issued.isoformat(),
        "until": until.isoformat() if until else "",
        "revoked_at": _revoked_at(one, certificate.serial_number),
    }


def _list(path: str) -> crl.CertificateList | None:
    data = Path(path).read_bytes()
    try:
        found = crl.CertificateList.load(pem.unarmor(data)[2] if pem.detect(data) else data)
        _ = found.issuer
    except (ValueError, TypeError):
        return None
    return found


def _revoked_at(one: crl.CertificateList, serial: int) -> str:
    for entry in one["tbs_cert_list"]["revoked_certificates"] or []:
        if entry["user_certificate"].native == serial:
            moment: datetime = entry["revocation_date"].native
            return moment.isoformat()
    return ""
