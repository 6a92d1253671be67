"""A signature laid into the PDF itself: a place is prepared in our own form, and what the doctor's side made is put there."""

from dataclasses import dataclass
from datetime import datetime
from io import BytesIO

from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, append_signature_field
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigObjSetup
from pyhanko.sign.signers.pdf_byterange import SignatureObject

# Room for a CMS with its chain; a longer one stays beside the PDF.
ROOM = 16 * 1024


class TooLong(Exception):
    """The signature doesn't fit into the place prepared for it."""


@dataclass(frozen=True)
class Prepared:
    """A form with an empty place for a signature: all of `data` but `begin`…`end` is what has to be signed."""

    data: bytes
    begin: int
    end: int

    @property
    def content(self) -> bytes:
        """The bytes that a detached signature has to be over."""
        return self.data[: self.begin] + self.data[self.end :]

    def filled(self, cms: bytes) -> bytes:
        """Return the signed PDF. Raises TooLong."""
        room = self.end - self.begin - 2
        value = cms.hex().encode()
        if len(value) > room:
            raise TooLong
        return self.data[: self.begin] + b"<" + value.ljust(room, b"0") + b">" + self.data[self.end :]


def prepare(form: bytes, *, name: str, at: datetime) -> Prepared:
    """Append an invisible signature field with an empty value to a form of ours; its own bytes stay as they are."""
    writer = IncrementalPdfFileWriter(BytesIO(form))
    append_signature_field(writer, SigFieldSpec(name))
    steps = PdfCMSEmbedder().write_cms(field_name=name, writer=writer)
    next(steps)
    steps.send(SigObjSetup(sig_placeholder=SignatureObject(bytes_reserved=2 * ROOM, timestamp=at)))
    digest, output = steps.send(SigIOSetup(md_algorithm="sha256", in_place=True))
    return Prepared(output.getvalue(), digest.reserved_region_start, digest.reserved_region_end)
