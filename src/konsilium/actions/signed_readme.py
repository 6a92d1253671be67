"""The README of a signed document's container: what stands in it, and how it is verified without us."""

from typing import Any

from konsilium.models import PrintForm
from konsilium.workflow.signing import VERDICT_LABELS, Verdict

HEAD = """Документ с электронными подписями / A document with electronic signatures

Запрос / request: {number}
SHA-256 document.pdf: {sha256}

document.pdf           подписанный документ / what was signed
signatures/            подписи, CMS (DER) / the signatures
certificates/          сертификаты подписавших и издателей (PEM) / certificates of signers and issuers
crls/                  списки отозванных сертификатов на момент проверки / revocation lists as they were
verdicts.json          что показала проверка, машиночитаемо / what the checks said

Как проверить / how to verify
-----------------------------
Нужна программа openssl; для ГОСТ Р 34.10-2012 - с модулем gost (Debian: libengine-gost-openssl).
The openssl program is needed; for GOST R 34.10-2012 with the gost engine: put "-engine gost" after "cms",
or switch the engine on in openssl.cnf.

ВАЖНО: корневой сертификат в этом архиве - не доказательство. Сравните его отпечаток с опубликованным удостоверяющим
центром или укажите в -CAfile собственный корень.
IMPORTANT: the root in this archive proves nothing by itself. Compare its fingerprint with what the authority publishes,
or name a root of your own in -CAfile.

"""
COMMANDS = """{stem}: {name}
  проверка здесь / the check here: {verdict}
    openssl cms -verify -binary -inform DER -in {file} -content document.pdf \\
      -CAfile certificates/{stem}-issuers.pem -purpose any -attime {seconds} -out /dev/null
    openssl x509 -in certificates/{stem}-signer.pem -noout -subject -issuer -dates
    openssl crl -in crls/{stem}.pem -CAfile certificates/{stem}-issuers.pem -noout -text
"""
INSIDE = """{stem}: {name}
  проверка здесь / the check here: {verdict}
  Подпись внутри файла / the signature stands inside the file: {file}
  Проверяется программой для PDF с поддержкой PAdES / verify it with a PDF program that knows PAdES
"""


def readme(form: PrintForm, signatures: list[dict[str, Any]]) -> str:
    """Return the README's text."""
    parts = [HEAD.format(number=form.consultation.number, sha256=form.sha256)]
    for one in signatures:
        template = INSIDE if one["format"] == "pades" else COMMANDS
        verdict = VERDICT_LABELS[Verdict(one["verdict"])]
        parts.append(template.format(**{**one, "verdict": f"{one['verdict']} ({verdict})"}))
    return "\n".join(parts)
