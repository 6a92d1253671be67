"""Signatures come in the right order, from the right people, over the paper as it is; nothing else counts."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from konsilium.actions import concluding, documents, keeping, signing
from konsilium.actions._files import store
from konsilium.actions.signing import NoSignature, OutOfOrder
from konsilium.adapters.signatures.pades import prepare
from konsilium.models import Document, Event, Notice, PrintForm, Signature, SignatureCheck
from konsilium.models.access import acting, as_printer
from konsilium.notifications import deliver
from konsilium.workflow.machine import Missing, NotNow, NotYours
from konsilium.workflow.signing import COUNTING, SignatureRole, Verdict
from konsilium.workflow.words import CONCLUSION_SCAN
from tests.authority import NOW, Authority
from tests.signing_desk import (
    AUTHOR,
    NOBODY_CHECKS,
    ORGANIZATION,
    PAPER,
    SigningDesk,
    draft_of,
    drafted,
    look,
    pdf,
    printed,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A desk that no test spoils."""
    return SigningDesk(tmp_path_factory.mktemp("signing"))


@pytest.fixture
def own(tmp_path):
    """A desk whose authority a test may spoil."""
    return SigningDesk(tmp_path)


@pytest.fixture
def paper(cast):
    return drafted(cast)


def is_signed(way):
    draft = draft_of(way)
    with acting(way.consultant):
        return signing.is_signed(draft)


def waits(form):
    with as_printer(form.consultation_id):
        return PrintForm.objects.get(pk=form.pk).waits_since is not None


def test_author_then_organisation_make_a_signed_conclusion(shared, paper, cast):
    way, form = paper
    signature = shared.bring(form, shared.sign(PAPER), way.consultant)
    assert signature.verdict == Verdict.WAITING
    assert (is_signed(way), waits(form)) == (False, False)
    assert shared.check() == 1
    assert (look(signature, way.consultant).verdict, is_signed(way), waits(form)) == ("valid", False, True)
    seal = shared.bring(form, shared.sign(PAPER, "signatory"), cast.cniis_signatory, ORGANIZATION)
    assert not waits(form)
    assert shared.check() == 1
    assert look(seal, cast.cniis_signatory).verdict == Verdict.VALID
    assert is_signed(way)


def test_what_was_brought_is_kept_bit_for_bit_with_what_it_was_checked_with(shared, paper):
    way, form = paper
    data = shared.sign(PAPER, form="PEM")
    signature = shared.bring(form, data, way.consultant)
    shared.check()
    assert b"".join(store().open_range(signature.sha256)) == data
    with acting(way.consultant):
        check = SignatureCheck.objects.get(signature=signature)
        kept = Signature.objects.get(pk=signature.pk)
    material = b"".join(store().open_range(check.material_sha256))
    assert (material.count(b"BEGIN CERTIFICATE"), material.count(b"BEGIN X509 CRL")) == (2, 1)
    assert (check.verifier, check.verdict, kept.certificate["family"]) == ("openssl", "valid", "Соколов")
    assert kept.signed_at is not None
    assert "snils" not in kept.certificate


def test_the_organisation_signs_after_the_author_and_only_after_a_good_signature(shared, paper, cast):
    way, form = paper
    data = shared.sign(PAPER, "signatory")
    seal = (form, data, cast.cniis_signatory, ORGANIZATION)
    with pytest.raises(OutOfOrder):
        shared.bring(*seal)
    shared.bring(form, shared.sign(PAPER), way.consultant)
    with pytest.raises(OutOfOrder):
        shared.bring(*seal)
    shared.check()
    shared.bring(*seal)


def test_nobody_signs_for_somebody_else(shared, paper, cast):
    way, form = paper
    data = shared.sign(PAPER)
    for who, role in (
        (cast.cniis_signatory, AUTHOR),
        (way.consultant, ORGANIZATION),
        (way.consultant, SignatureRole.CHAIRMAN),
        (cast.cniis_dispatcher, AUTHOR),
    ):
        with pytest.raises(NotYours):
            shared.bring(form, data, who, role)
    for stranger in (cast.nmic_signatory, cast.omsk_doctor, cast.cniis_consultant2):
        with pytest.raises(PrintForm.DoesNotExist):
            shared.bring(form, data, stranger)


def test_the_database_takes_no_signature_in_anothers_name_and_no_verdict(shared, paper, cast):
    way, form = paper
    signature = shared.bring(form, shared.sign(PAPER), way.consultant)
    shared.check()
    values = {
        "form_id": form.pk,
        "consultation_id": form.consultation_id,
        "role": AUTHOR,
        "at": NOW,
        "size": 1,
    }
    for wrong in ({"person_id": cast.cniis_signatory.person_id}, {"verdict": "valid"}):
        mine = Signature(**values, **({"person_id": way.consultant.person_id, "format": "cms"} | wrong))
        with pytest.raises(DatabaseError), acting(way.consultant), transaction.atomic():
            mine.save(force_insert=True)
    with pytest.raises(DatabaseError), acting(way.consultant), transaction.atomic():
        Signature.objects.filter(pk=signature.pk).update(verdict="valid")


def test_the_same_form_is_not_signed_twice_but_a_bad_signature_gives_way(shared, paper):
    way, form = paper
    bad = shared.bring(form, shared.sign(b"%PDF- something else"), way.consultant)
    with pytest.raises(NotNow):
        shared.bring(form, shared.sign(PAPER), way.consultant)
    shared.check()
    assert look(bad, way.consultant).verdict == Verdict.CHANGED
    good = shared.bring(form, shared.sign(PAPER), way.consultant)
    shared.check()
    assert look(bad, way.consultant).void_at is not None
    assert look(good, way.consultant).verdict == Verdict.VALID
    with pytest.raises(NotNow):
        shared.bring(form, shared.sign(PAPER), way.consultant)


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"PK\x03\x04 a zip", b"\x30" + b"\x00" * signing.LARGEST_CMS, "подпись".encode()]
)
def test_what_can_be_no_signature_is_refused_in_words(shared, paper, data):
    way, form = paper
    with pytest.raises(NoSignature):
        shared.bring(form, data, way.consultant)
    with pytest.raises(NoSignature):
        shared.bring(form, b"%PDF-" + b"x" * (signing.LARGEST_CMS + form.size), way.consultant, kind="pades")
    with pytest.raises(NoSignature):
        shared.bring(form, shared.sign(PAPER), way.consultant, kind="xml")


def test_rubbish_that_looks_like_a_signature_is_called_unreadable(shared, paper):
    way, form = paper
    assert shared.verdict(form, b"\x30\x80rubbish", way.consultant) == Verdict.UNREADABLE
    assert not is_signed(way)


def test_a_signed_pdf_counts_and_one_with_something_behind_it_doesnt(shared, paper):
    way, form = paper
    prepared = prepare(PAPER, name="AUTHOR", at=NOW)
    whole = prepared.filled(shared.sign(prepared.content))
    assert shared.verdict(form, whole + b"\n%more\n", way.consultant, kind="pades") not in COUNTING
    assert shared.verdict(form, whole, way.consultant, kind="pades") == Verdict.VALID


def test_without_a_verifier_the_word_is_unchecked(shared, paper):
    way, form = paper
    signature = shared.bring(form, shared.sign(PAPER), way.consultant)
    shared.check(verifier=NOBODY_CHECKS)
    assert look(signature, way.consultant).verdict == Verdict.UNCHECKED


def test_a_written_text_is_signed_anew(shared, paper):
    way, form = paper
    shared.signed_by_author(form, way)
    draft = draft_of(way)
    with acting(way.consultant):
        concluding.save_draft(
            draft, {"text": "Иначе."}, {}, actor=way.consultant, at=way.at + timedelta(hours=1)
        )
    with pytest.raises(NotNow):
        shared.bring(form, shared.sign(PAPER, "signatory"), way.cast.cniis_signatory, ORGANIZATION)
    words = pdf("Inache")
    second = printed(draft_of(way), words, actor=way.consultant)
    shared.bring(second, shared.sign(words), way.consultant)
    with acting(way.consultant):
        first = Signature.objects.get(form=form)
        assert first.void_at is not None
    assert not waits(form)
    shared.check()
    assert waits(second)


def test_both_signatures_over_an_earlier_text_dont_make_it_signed(shared, paper):
    way, form = paper
    shared.signed(form, way)
    assert is_signed(way)
    with acting(way.consultant):
        concluding.save_draft(
            draft_of(way), {"text": "Иначе."}, {}, actor=way.consultant, at=way.at + timedelta(hours=1)
        )
    assert not is_signed(way)


def test_another_consultants_signature_is_not_the_authors(shared, paper):
    way, form = paper
    shared.signed(form, way)
    draft = draft_of(way)
    with acting(way.consultant):
        draft.author_id = way.cast.cniis_consultant2.person_id
        assert not signing.is_signed(draft)


def test_is_signed_asks_once(shared, paper, django_assert_num_queries):
    way, form = paper
    shared.signed(form, way)
    draft = draft_of(way)
    with acting(way.consultant), django_assert_num_queries(1):
        signing.is_signed(draft)


def test_the_requesting_side_sees_signatures_once_the_form_is_placed(shared, paper):
    way, form = paper
    signature, _ = shared.signed(form, way)
    with acting(way.doctor):
        assert not Signature.objects.exists()
    draft = draft_of(way)
    with acting(way.consultant):
        assert signing.publish(draft, at=way.at) == 1
    with acting(way.doctor):
        assert Signature.objects.visible_to(way.doctor).count() == 2
        assert SignatureCheck.objects.filter(signature=signature).exists()


def test_a_bad_signature_and_the_organisations_turn_are_told_inside_the_centre(shared, paper):
    way, form = paper
    shared.verdict(form, shared.sign(b"%PDF- else"), way.consultant)
    shared.verdict(form, shared.sign(PAPER), way.consultant)
    with acting(way.consultant):
        kinds = list(
            Event.objects.filter(kind__startswith="signature").order_by("id").values_list("kind", "audience")
        )
    assert kinds == [
        ("signature_brought", "centre"),
        ("signature_bad", "centre"),
        ("signature_brought", "centre"),
        ("signature_waits", "centre"),
    ]


def test_a_signature_can_be_checked_again_and_the_first_word_stays_readable(own, paper):
    way, form = paper
    signature = own.signed_by_author(form, way)
    own.authority.revoke("doctor", NOW - timedelta(hours=1))
    own.authority.publish(own.trust)
    with acting(way.consultant):
        found = Signature.objects.select_related("consultation").get(pk=signature.pk)
        signing.recheck(found, actor=way.consultant, at=NOW)
    assert look(signature, way.consultant).verdict == Verdict.WAITING
    assert not waits(form)
    own.check()
    assert look(signature, way.consultant).verdict == Verdict.REVOKED
    with acting(way.consultant):
        words = list(SignatureCheck.objects.order_by("id").values_list("verdict", flat=True))
    assert words == ["valid", "revoked"]


def test_a_check_that_cannot_be_made_waits_and_lets_the_others_through(shared, cast):
    first, broken = drafted(cast)
    second, form = drafted(cast)
    bad = shared.bring(broken, shared.sign(PAPER), first.consultant)
    with as_printer(broken.consultation_id):
        PrintForm.objects.filter(pk=broken.pk).update(sha256="0" * 64)
    good = shared.bring(form, shared.sign(PAPER), second.consultant)
    assert shared.check() == 1
    assert look(good, second.consultant).verdict == Verdict.VALID
    assert look(bad, first.consultant).verdict == Verdict.WAITING


# What may go wrong, each with the word it must get. `bring` returns what is brought instead of the good signature.


def test_one_changed_byte_of_the_paper_is_told_wherever_it_is(shared, paper):
    way, form = paper

    @settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
    @given(place=st.integers(0, len(PAPER) - 1), flip=st.integers(1, 255))
    def look_at(place, flip):
        changed = PAPER[:place] + bytes([PAPER[place] ^ flip]) + PAPER[place + 1 :]
        assert shared.verdict(form, shared.sign(changed), way.consultant) == Verdict.CHANGED
        assert (is_signed(way), waits(form)) == (False, False)

    look_at()


def test_one_changed_byte_of_the_signature_never_counts(shared, paper):
    way, form = paper
    whole = shared.sign(PAPER)

    @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
    @given(place=st.integers(len(whole) - 200, len(whole) - 1), flip=st.integers(1, 255))
    def look_at(place, flip):
        changed = whole[:place] + bytes([whole[place] ^ flip]) + whole[place + 1 :]
        assert shared.verdict(form, changed, way.consultant) not in COUNTING
        assert not is_signed(way)

    look_at()


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(more=st.binary(min_size=1, max_size=40))
def test_bytes_put_behind_the_paper_are_told(shared, paper, more):
    way, form = paper
    assert shared.verdict(form, shared.sign(PAPER + more), way.consultant) == Verdict.CHANGED
    assert not is_signed(way)


def test_a_signature_over_another_edition_is_named_as_such(shared, cast):
    way, form = drafted(cast)
    words = pdf("Drugaja redakcija")
    other = printed(draft_of(way), words, actor=way.consultant)
    assert shared.verdict(form, shared.sign(words), way.consultant) == Verdict.OTHER_DOCUMENT
    data = shared.sign(PAPER)
    assert shared.verdict(form, data, way.consultant) == Verdict.VALID
    with pytest.raises(NoSignature):
        shared.bring(other, data, way.consultant)


def test_another_authority_a_revoked_and_an_expired_certificate_are_told(own, paper):
    way, form = paper
    day = timedelta(days=1)
    stranger = Authority(own.folder / "stranger")
    stranger.issue("doctor", "/CN=Соколов Андрей")
    own.authority.issue("over", "/CN=Соколов Андрей", since=NOW - 30 * day, until=NOW - day)
    own.authority.issue("gone", "/CN=Соколов Андрей")
    own.authority.revoke("gone", NOW - day)
    own.authority.publish(own.trust)
    for data, word in (
        (own.sign(PAPER, authority=stranger), Verdict.UNKNOWN_ISSUER),
        (own.sign(PAPER, "over"), Verdict.EXPIRED),
        (own.sign(PAPER, "gone"), Verdict.REVOKED),
        (own.sign(PAPER, "signatory"), Verdict.WRONG_PERSON),
    ):
        assert own.verdict(form, data, way.consultant) == word
        assert (is_signed(way), waits(form)) == (False, False)
    own.trust.joinpath("crls", "authority.crl").unlink()
    assert own.verdict(form, own.sign(PAPER), way.consultant) == Verdict.NO_REVOCATION_LIST
    assert not is_signed(way)


def test_the_centres_signatory_is_told_that_their_turn_has_come(shared, paper, cast):
    way, form = paper
    shared.signed_by_author(form, way)
    deliver.tell_pending(at=NOW + timedelta(days=365))
    with acting(cast.cniis_signatory):
        told = Notice.objects.filter(person_id=cast.cniis_signatory.person_id)
        assert list(told.values_list("kind", "path", "needs_action")) == [
            ("signature_waits", "/signing/", True)
        ]


def test_no_file_of_a_signature_is_swept_or_left_unread(shared, paper):
    way, form = paper
    signature = shared.signed_by_author(form, way)
    with acting(way.consultant):
        material = SignatureCheck.objects.get().material_sha256
    files = {form.sha256, signature.sha256, material}
    documents.sweep_orphans(at=NOW + timedelta(days=365))
    assert all(store().exists(address) for address in files)
    assert files <= set(keeping.named_after("", 1000))


def without_scan(cast):
    way, form = drafted(cast)
    with acting(way.consultant):
        documents.remove(Document.objects.get(kind=CONCLUSION_SCAN), actor=way.consultant, at=way.at)
    return way, form


def test_a_conclusion_signed_electronically_is_placed_without_a_scan(shared, cast):
    way, form = without_scan(cast)
    with pytest.raises(Missing):
        way.do(way.consultant, concluding.place)
    shared.signed_by_author(form, way)
    with pytest.raises(Missing):
        way.do(way.consultant, concluding.place)
    shared.bring(form, shared.sign(PAPER, "signatory"), cast.cniis_signatory, ORGANIZATION)
    with pytest.raises(Missing):
        way.do(way.consultant, concluding.place)
    shared.check()
    draft = draft_of(way)
    # The page of the conclusion saves before it places.
    with acting(way.consultant):
        concluding.save_draft(
            draft, {"text": draft.text}, {}, actor=way.consultant, at=way.at + timedelta(hours=1)
        )
    way.do(way.consultant, concluding.place)
    with acting(way.doctor):
        assert PrintForm.objects.visible_to(way.doctor).get(pk=form.pk).placed_at == way.at
        assert Signature.objects.visible_to(way.doctor).count() == 2


def test_a_bad_signature_of_the_organisation_places_nothing(shared, cast):
    way, form = without_scan(cast)
    shared.signed_by_author(form, way)
    data = shared.sign(PAPER + b"x", "signatory")
    shared.bring(form, data, cast.cniis_signatory, ORGANIZATION)
    shared.check()
    with pytest.raises(Missing):
        way.do(way.consultant, concluding.place)
    assert waits(form)


def test_one_written_letter_takes_the_signatures_worth_away(shared, cast):
    way, form = without_scan(cast)
    shared.signed(form, way)
    draft = draft_of(way)
    with acting(way.consultant):
        question = draft.answers.values_list("question_id", flat=True)[0]
        concluding.save_draft(
            draft, {}, {question: "Нет."}, actor=way.consultant, at=way.at + timedelta(hours=1)
        )
    with pytest.raises(Missing):
        way.do(way.consultant, concluding.place)
