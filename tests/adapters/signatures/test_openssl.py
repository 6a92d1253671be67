"""A signature is called good only when it is over this very document, by a certificate that was worth something then."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from konsilium.adapters.signatures import BadChoice, NullVerifier, OpenSSLVerifier, Paper, Trust, read_choice
from konsilium.adapters.signatures.openssl import gost_engine
from konsilium.workflow.signing import Verdict
from tests.authority import NOW, Authority

needs_engine = pytest.mark.skipif(
    not gost_engine(), reason="the GOST engine (libengine-gost-openssl) isn't here"
)
ALGORITHMS = [
    pytest.param("gost256", marks=needs_engine),
    pytest.param("gost512", marks=needs_engine),
    "rsa",
    "ec",
]
TEXT = "Заключение: рекомендована операция.\n".encode() * 50


class Desk:
    """An authority, its trust folder, a signed document, and a verifier that looks at them."""

    def __init__(self, folder, algorithm):
        self.folder = folder
        self.authority = Authority(folder / "authority", algorithm)
        self.authority.issue()
        self.trust = folder / "trust"
        self.authority.publish(self.trust)
        self.document = folder / "form.pdf"
        self.document.write_bytes(TEXT)
        self.verifier = OpenSSLVerifier(Trust(self.trust))
        self.rounds = 0

    def verdict(self, signature, *, document=None, others=(), at=NOW, kind="cms"):
        return self.checked(signature, document=document, others=others, at=at, kind=kind).verdict

    def checked(self, signature, *, document=None, others=(), at=NOW, kind="cms"):
        self.rounds += 1
        scratch = self.folder / f"round-{self.rounds}"
        scratch.mkdir()
        paper = Paper(document or self.document, others)
        return self.verifier.verify(paper, signature, kind=kind, at=at, scratch=scratch)

    def other(self, content, name="other.pdf"):
        place = self.folder / name
        place.write_bytes(content)
        return place


@pytest.fixture(scope="module", params=ALGORITHMS)
def desk(request, tmp_path_factory):
    return Desk(tmp_path_factory.mktemp("desk"), request.param)


@pytest.fixture
def own_desk(tmp_path):
    """A desk whose authority a test may spoil."""
    return Desk(tmp_path / "desk", "rsa") if (tmp_path / "desk").mkdir() is None else None


def test_a_good_signature_is_valid_and_says_whose_it_is(desk):
    found = desk.checked(desk.authority.sign(desk.document))
    assert found.verdict == Verdict.VALID
    assert (found.certificate["family"], found.certificate["given"]) == ("Соколов", "Андрей Петрович")
    assert abs(found.signed_at - NOW) < timedelta(hours=2)
    assert len(found.material) == 3


@pytest.mark.parametrize("form", ["DER", "PEM"])
def test_a_signature_may_come_in_either_writing(desk, form):
    assert desk.verdict(desk.authority.sign(desk.document, form=form)) == Verdict.VALID


def test_one_changed_byte_anywhere_is_told(desk):
    signature = desk.authority.sign(desk.document)

    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    @given(place=st.integers(0, len(TEXT) - 1), flip=st.integers(1, 255))
    def look(place, flip):
        changed = TEXT[:place] + bytes([TEXT[place] ^ flip]) + TEXT[place + 1 :]
        assert desk.verdict(signature, document=desk.other(changed)) == Verdict.CHANGED

    look()


def test_bytes_put_behind_or_cut_off_are_told(desk):
    signature = desk.authority.sign(desk.document)
    assert desk.verdict(signature, document=desk.other(TEXT + b"\n")) == Verdict.CHANGED
    assert desk.verdict(signature, document=desk.other(TEXT[:-1])) == Verdict.CHANGED


def test_the_signature_of_another_edition_is_named_as_such(desk):
    second = desk.other(TEXT + b"second edition", "second.pdf")
    signature = desk.authority.sign(desk.document)
    assert desk.verdict(signature, document=second, others=[desk.document]) == Verdict.OTHER_DOCUMENT


def test_a_changed_byte_of_the_signed_value_is_never_valid(desk):
    whole = desk.authority.sign(desk.document).read_bytes()

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(place=st.integers(len(whole) - 60, len(whole) - 1), flip=st.integers(1, 255))
    def look(place, flip):
        changed = desk.other(whole[:place] + bytes([whole[place] ^ flip]) + whole[place + 1 :], "changed.p7s")
        assert desk.verdict(changed) != Verdict.VALID

    look()


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"\x30\x80", b"-----BEGIN CMS-----\nAAAA\n-----END CMS-----\n"]
)
def test_what_is_no_signature_is_called_unreadable(own_desk, content):
    assert own_desk.verdict(own_desk.other(content, "no.p7s")) == Verdict.UNREADABLE


def test_another_authoritys_certificate_is_unknown_also_under_the_same_name(own_desk):
    stranger = Authority(own_desk.folder / "stranger", "rsa")
    stranger.issue()
    assert own_desk.verdict(stranger.sign(own_desk.document)) == Verdict.UNKNOWN_ISSUER


def test_a_certificate_that_was_over_or_had_not_begun_is_told(own_desk):
    day = timedelta(days=1)
    own_desk.authority.issue("over", since=NOW - 30 * day, until=NOW - day)
    own_desk.authority.issue("early", since=NOW + day, until=NOW + 30 * day)
    for name in ("over", "early"):
        assert own_desk.verdict(own_desk.authority.sign(own_desk.document, name)) == Verdict.EXPIRED
    over = own_desk.authority.sign(own_desk.document, "over")
    assert own_desk.verdict(over, at=NOW - 2 * day) == Verdict.VALID


def test_a_revoked_certificate_is_told_and_what_was_signed_before_stays_good(own_desk):
    signature = own_desk.authority.sign(own_desk.document)
    own_desk.authority.revoke("doctor", NOW - timedelta(hours=1))
    own_desk.authority.publish(own_desk.trust)
    assert own_desk.verdict(signature) == Verdict.REVOKED
    assert own_desk.verdict(signature, at=NOW - timedelta(hours=2)) == Verdict.VALID


def test_without_a_fresh_list_nothing_is_called_good(own_desk):
    signature = own_desk.authority.sign(own_desk.document)
    own_desk.authority.publish(own_desk.trust, since=NOW - timedelta(days=9), until=NOW - timedelta(days=2))
    assert own_desk.verdict(signature) == Verdict.NO_REVOCATION_LIST
    (own_desk.trust / "crls" / "authority.crl").unlink()
    assert own_desk.verdict(signature) == Verdict.NO_REVOCATION_LIST


def test_a_list_that_somebody_else_wrote_in_the_authoritys_name_doesnt_count(own_desk):
    signature = own_desk.authority.sign(own_desk.document)
    stranger = Authority(own_desk.folder / "stranger", "rsa")
    stranger.publish(own_desk.folder / "elsewhere")
    forged = (own_desk.folder / "elsewhere" / "crls" / "stranger.crl").read_bytes()
    (own_desk.trust / "crls" / "authority.crl").write_bytes(forged)
    assert own_desk.verdict(signature) == Verdict.NO_REVOCATION_LIST


def test_without_a_verifier_the_word_is_that_nothing_was_checked(own_desk):
    own_desk.verifier = read_choice({}, own_desk.folder).made()
    assert isinstance(own_desk.verifier, NullVerifier)
    assert own_desk.verdict(own_desk.authority.sign(own_desk.document)) == Verdict.UNCHECKED


def test_the_settings_name_a_verifier_or_are_refused(own_desk):
    environ = {"KONSILIUM_SIGNATURES": "openssl", "KONSILIUM_SIGNATURES_TRUST": str(own_desk.trust)}
    own_desk.verifier = read_choice(environ, own_desk.folder).made()
    assert own_desk.verdict(own_desk.authority.sign(own_desk.document)) == Verdict.VALID
    for name, wrong in (("KONSILIUM_SIGNATURES", "magic"), ("KONSILIUM_SIGNATURES_TRUST", "trust")):
        with pytest.raises(BadChoice, match=name):
            read_choice({**environ, name: wrong}, own_desk.folder)


def test_the_operator_is_told_what_a_check_lacks(own_desk):
    assert "not checked" in read_choice({}, own_desk.folder).trouble()[0]
    bare = read_choice(
        {"KONSILIUM_SIGNATURES": "openssl", "KONSILIUM_SIGNATURES_PROGRAM": "nope"}, own_desk.folder / "x"
    )
    assert [word for word in ("nope", "roots", "crls") if any(word in said for said in bare.trouble())] == [
        "nope",
        "roots",
        "crls",
    ]


def test_a_file_laid_down_wrongly_spoils_no_check(own_desk):
    (own_desk.trust / "roots" / "notes.pem").write_text("no certificate")
    (own_desk.trust / "crls" / "notes.crl").write_text("no list")
    assert own_desk.verdict(own_desk.authority.sign(own_desk.document)) == Verdict.VALID


def test_a_signature_with_a_hash_that_can_be_forged_is_called_weak(own_desk):
    for digest, word in (("sha1", Verdict.WEAK), ("md5", Verdict.WEAK), ("sha256", Verdict.VALID)):
        assert own_desk.verdict(own_desk.authority.sign(own_desk.document, digest=digest)) == word


def test_a_doctors_certificate_issues_no_other(own_desk):
    authority = own_desk.authority
    authority.issue("forged", "/CN=Главный Врач")
    authority.run(
        "x509", "-req", "-in", "forged.csr", "-CA", "doctor.pem", "-CAkey", "doctor.key", "-set_serial", "7",
        "-days", "90", "-out", "forged.pem",
    )  # fmt: skip
    signature = authority.sign(own_desk.document, "forged", beside="doctor.pem")
    found = own_desk.checked(signature)
    assert found.certificate["name"] == "Главный Врач"
    assert found.verdict == Verdict.UNKNOWN_ISSUER
