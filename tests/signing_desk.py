"""Papers to sign and people who sign them: an authority with a certificate for each, print forms as the printer leaves
them, and the worker's check."""

from konsilium.actions import signing, verifying
from konsilium.actions._files import store
from konsilium.adapters.signatures import NullVerifier, OpenSSLVerifier, Trust
from konsilium.models import Conclusion, PrintForm, Signature
from konsilium.models.access import acting, as_printer
from konsilium.workflow.signing import SignatureRole
from tests.adapters.signatures.test_pades import form as pdf
from tests.authority import NOW as SIGNED
from tests.authority import Authority
from tests.factories import Way

AUTHOR, ORGANIZATION = SignatureRole.AUTHOR, SignatureRole.ORGANIZATION
SUBJECTS = {
    "doctor": "/CN=Соколов Андрей/SN=Соколов/GN=Андрей",
    "signatory": "/CN=Лунин Фёдор/SN=Лунин/GN=Фёдор/OGRN=1027700132195",
}
# The files of a test's own form; each has other words.
PAPER = pdf("Zakljuchenie")


class SigningDesk:
    """An authority whose root and list are trusted; `sign` makes, `bring` attaches, `check` is the worker's round."""

    def __init__(self, folder, algorithm="rsa"):
        self.folder = folder
        self.trust = folder / "trust"
        self.authority = Authority(folder / "authority", algorithm)
        for name, subject in SUBJECTS.items():
            self.authority.issue(name, subject)
        self.authority.publish(self.trust)
        self.verifier = OpenSSLVerifier(Trust(self.trust))
        self.made = 0

    def sign(self, content, name="doctor", authority=None, form="DER"):
        """A detached signature over the bytes, as bytes."""
        self.made += 1
        place = self.folder / f"paper-{self.made}.pdf"
        place.write_bytes(content)
        return (authority or self.authority).sign(place, name, form).read_bytes()

    def bring(self, form, data, actor, role=AUTHOR, kind="cms", at=SIGNED):
        with acting(actor):
            found = PrintForm.objects.select_related("consultation").get(pk=form.pk)
            return signing.attach(found, data, role=role, kind=kind, actor=actor, at=at)

    def check(self, *, at=SIGNED, verifier=None):
        return verifying.check_waiting(verifier or self.verifier, at=at)

    def verdict(self, form, data, actor, role=AUTHOR, **more):
        """Bring a signature and say what the worker thinks of it."""
        signature = self.bring(form, data, actor, role, **more)
        assert self.check() == 1
        return look(signature, actor).verdict

    def signed_by_author(self, form, way, content=PAPER):
        signature = self.bring(form, self.sign(content), way.consultant)
        self.check()
        return signature

    def signed(self, form, way, content=PAPER):
        """Signed by the author and by the organisation."""
        first = self.signed_by_author(form, way, content)
        data = self.sign(content, "signatory")
        second = self.bring(form, data, way.cast.actor_of(f"{way.centre}_signatory"), ORGANIZATION)
        self.check()
        return first, second


NOBODY_CHECKS = NullVerifier()


def look(signature, actor):
    with acting(actor):
        return Signature.objects.get(pk=signature.pk)


def draft_of(way):
    with acting(way.consultant):
        return (
            Conclusion.objects.select_related("consultation").filter(consultation=way.row).latest("edition")
        )


def printed(subject, content=PAPER, *, kind="conclusion", asked_at=None, actor=None):
    """A form that the printer has made of a conclusion."""
    stored = store().receive([content], len(content))
    form = PrintForm(
        consultation_id=subject.consultation_id,
        kind=kind,
        subject_id=subject.pk,
        edition=subject.edition,
        side="consulting",
        content_sha256=stored.sha256,
        asked_at=asked_at or subject.updated_at,
    )
    with acting(actor):
        form.save(force_insert=True)
    made = {
        "state": "ready",
        "sha256": stored.sha256,
        "size": stored.size,
        "pages": 1,
        "done_at": form.asked_at,
    }
    with as_printer(subject.consultation_id):
        PrintForm.objects.filter(pk=form.pk).update(**made)
        return PrintForm.objects.get(pk=form.pk)


def drafted(cast):
    """A drafted conclusion and its form, ready to be signed."""
    way = Way(cast).drafted()
    return way, printed(draft_of(way), actor=way.consultant)
