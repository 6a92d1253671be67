"""A council's protocol is signed by its seats, the chair last, and then by the organisation."""

import pytest

from konsilium.actions import councils, signing
from konsilium.actions._files import store
from konsilium.actions.signing import OutOfOrder
from konsilium.models import Conclusion, PrintForm, Signature
from konsilium.models.access import acting, as_printer
from konsilium.workflow.machine import NotYours
from konsilium.workflow.signing import SignatureRole, Verdict
from tests.actions.test_councils import Sitting
from tests.signing_desk import AUTHOR, ORGANIZATION, PAPER, SigningDesk

pytestmark = pytest.mark.django_db


@pytest.fixture
def council(cast, tmp_path):
    """A protocol before its signers, its paper, and a certificate for each."""
    sitting = Sitting(cast).signing()
    own = SigningDesk(tmp_path)
    for name, person in (("chair", "Ершова Инна"), ("secretary", "Соколов Андрей"), ("member", "Юдин Марк")):
        own.authority.issue(name, f"/CN={person}")
    with acting(sitting.secretary):
        form = PrintForm.objects.get(kind="protocol")
    stored = store().receive([PAPER], len(PAPER))
    with as_printer(form.consultation_id):
        PrintForm.objects.filter(pk=form.pk).update(sha256=stored.sha256, size=stored.size)
    return sitting, own, form


def signed_by(own, form, sitting, *names):
    roles = {"chair": "CHAIRMAN", "secretary": "SECRETARY", "member": "COMMISSIONER"}
    for name in names:
        actor = getattr(sitting, name)
        assert own.verdict(form, own.sign(PAPER, name), actor, SignatureRole(roles[name])) == Verdict.VALID


def test_a_protocol_is_signed_by_its_seats_with_the_chair_last_and_then_the_organisation(council, cast):
    sitting, own, form = council
    seal = (form, own.sign(PAPER, "signatory"), cast.cniis_signatory, ORGANIZATION)
    signed_by(own, form, sitting, "member")
    for last in ((form, own.sign(PAPER, "chair"), sitting.chair, SignatureRole.CHAIRMAN), seal):
        with pytest.raises(OutOfOrder):
            own.bring(*last)
    signed_by(own, form, sitting, "secretary", "chair")
    with as_printer(form.consultation_id):
        assert PrintForm.objects.get(pk=form.pk).waits_since is not None
    own.bring(*seal)
    own.check()
    with acting(sitting.secretary):
        assert signing.is_signed(Conclusion.objects.get(pk=sitting.draft.pk))


def test_each_seat_signs_as_what_it_is(council):
    sitting, own, form = council
    data = own.sign(PAPER, "member")
    for role in (SignatureRole.CHAIRMAN, SignatureRole.SECRETARY, AUTHOR, ORGANIZATION):
        with pytest.raises(NotYours):
            own.bring(form, data, sitting.member, role)


def test_who_signed_on_paper_keeps_nobody_waiting(council):
    sitting, own, form = council
    for actor in (sitting.member, sitting.secretary):
        sitting.do(actor, councils.sign)
    signed_by(own, form, sitting, "chair")


def test_a_refusal_to_sign_voids_what_was_signed(council):
    sitting, own, form = council
    signed_by(own, form, sitting, "member", "secretary")
    sitting.do(sitting.chair, councils.refuse, "Не указан вывод.")
    with acting(sitting.secretary):
        assert not Signature.objects.filter(void_at=None).exists()
        assert Signature.objects.count() == 2
