"""Files of every kind, good ones and such as an attacker would make; nothing here was found anywhere."""

import base64
import io
import struct
import zipfile
import zlib

import numpy as np
import pikepdf
import pydicom
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

from konsilium.adapters import kinds

SEFT = b"SEFT"
# 96 by 64 points, held turned, made in Moscow: no decoder's wheel brings an encoder of this kind.
HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAaFtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAA"
    "AAAAADRpbG9jAAAAAERAAAIAAQAAAAABxQABAAAAAAAAAF8AAgAAAAACJAABAAAAAAAAAHgAAAA4aWluZgAAAAAAAgAAABVp"
    "bmZlAgAAAAABAABodmMxAAAAABVpbmZlAgAAAQACAABFeGlmAAAAAA5waXRtAAAAAAABAAAA4GlwcnAAAADAaXBjbwAAAHho"
    "dmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQArQgEBA3AAAAMAkAAA"
    "AwAAAwAeoDCBBZbqSSmubgIaDAgAAAMAyAAAAwAIQGIAAQAHRAHBcrAiQAAAABNjb2xybmNseAABAA0ABoAAAAAUaXNwZQAA"
    "AAAAAABgAAAAQAAAABBwaXhpAAAAAAMICAgAAAAJaXJvdAMAAAAYaXBtYQAAAAAAAAABAAEFgQIDBIUAAAAaaXJlZgAAAAAA"
    "AAAOY2RzYwACAAEAAQAAAN9tZGF0AAAAWygBrxOAeSRFyL//+rxRX/osav+RUTwSwX8eqP/5D2ZfiM/8BVh95XwEpBfyntKF"
    "WBxnyRZBJ7Fe9KCQ2pQd7TF4J203jJIYVN2Bth+zcuP+hZMv8d/j/Hrbg3gAAAAGRXhpZgAATU0AKgAAAAgAAwEPAAIAAAAG"
    "AAAAMgESAAMAAAABAAYAAIglAAQAAAABAAAAOAAAAABNYWtlcgAAAgABAAIAAAACTgAAAAACAAUAAAADAAAAVgAAAAAAAAA3"
    "AAAAAQAAAC0AAAABAAAAAAAAAAE="
)

# Five bytes changed: on this the decoder of the day fell with a segmentation fault.
CRASHING_HEIC = HEIC[:179] + b"\x8a" + HEIC[180:466] + b"\x01\x00\x00\x00" + HEIC[470:]

# --- Pictures


def picture(width=120, height=80, mode="RGB"):
    drawn = Image.new(mode, (width, height), "white")
    drawn.paste(Image.new(mode, (width // 2, height // 2)), (0, 0))
    return drawn


def saved(drawn, form, **options):
    buffer = io.BytesIO()
    drawn.save(buffer, form, **options)
    return buffer.getvalue()


def exif(turn=6):
    """Say how the camera was held, by what, and where."""
    notes = Image.Exif()
    notes[0x0112], notes[0x010F] = turn, "Maker of cameras"
    notes.get_ifd(0x8825).update({1: "N", 2: (55.0, 45.0, 0.0), 3: "E", 4: (37.0, 36.0, 0.0)})
    return notes.tobytes()


def jpeg(**options):
    return saved(picture(), "JPEG", **options)


def png(**options):
    return saved(picture(), "PNG", **options)


def tiff(pages=1):
    return saved(picture(), "TIFF", save_all=True, append_images=[picture()] * (pages - 1))


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_bomb(side):
    """Return a picture of a few kilobytes that unpacks to side times side points."""
    packer, packed = zlib.compressobj(9), bytearray()
    for _ in range(side):
        packed += packer.compress(bytes(side // 8 + 1))
    packed += packer.flush()
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", bytes(packed)) + chunk(b"IEND", b"")


def png_text_bomb(size):
    """Return a small picture with a comment that unpacks to `size` bytes."""
    whole = png()
    note = chunk(b"zTXt", b"Comment\x00\x00" + zlib.compress(bytes(size), 9))
    return whole[:33] + note + whole[33:]


def samsung(inside=b"an image note"):
    """Return what a Samsung telephone puts behind its pictures."""
    head = b"SEFH" + struct.pack("<II", 107, 1) + struct.pack("<HHII", 0, 2561, len(inside), len(inside))
    return inside + head + struct.pack("<I", len(head)) + SEFT


# --- Films


def box(kind, *content):
    whole = b"".join(content)
    return struct.pack(">I", len(whole) + 8) + kind + whole


def handler(kind):
    return box(b"hdlr", bytes(8), kind, bytes(13))


def mp4(handled=b"vide", behind=b"", brand=b"isom"):
    head = box(b"tkhd", bytes(76), struct.pack(">II", 640 << 16, 480 << 16))
    times = box(b"mdhd", bytes(12), struct.pack(">II", 1000, 12500), bytes(4))
    described = box(b"stsd", bytes(8), box(b"avc1", bytes(78)))
    media = box(b"mdia", times, handler(handled), box(b"minf", box(b"stbl", described)))
    movie = box(b"moov", box(b"mvhd", bytes(100)), box(b"trak", head, media))
    return box(b"ftyp", brand, bytes(4), b"isomavc1") + movie + box(b"mdat", bytes(500)) + behind


# --- PDF


def pdf(change=lambda document: None, pages=1, **options):
    document = pikepdf.Pdf.new()
    for _ in range(pages):
        document.add_blank_page(page_size=(300, 400))
    change(document)
    buffer = io.BytesIO()
    document.save(buffer, **options)
    return buffer.getvalue()


def action(kind, **keys):
    def change(document):
        document.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name(kind), **keys)

    return change


def hidden_script(document):
    """Put a script at the bottom of a page's annotation, in an object of its own."""
    script = document.make_indirect(
        pikepdf.Dictionary(S=pikepdf.Name("/JavaScript"), JS=pikepdf.String("app.alert(1)"))
    )
    document.pages[0].Annots = pikepdf.Array(
        [
            pikepdf.Dictionary(
                Type=pikepdf.Name.Annot,
                Subtype=pikepdf.Name.Link,
                Rect=[0, 0, 9, 9],
                AA=pikepdf.Dictionary(E=script),
            )
        ]
    )


def attachment(document):
    document.attachments["setup.exe"] = b"MZ" + bytes(100)


def dynamic_form(document):
    document.Root.AcroForm = pikepdf.Dictionary(
        Fields=pikepdf.Array(), XFA=document.make_stream(b"<xdp:xdp/>")
    )


def rich_media(document):
    document.pages[0].Annots = pikepdf.Array(
        [pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.RichMedia, Rect=[0, 0, 9, 9])]
    )


def harmless(document):
    """Name things as if they acted, where they can't: a font called EF, a title that speaks of scripts."""
    document.docinfo["/Title"] = "About /JavaScript and /Launch"
    document.pages[0].Resources = pikepdf.Dictionary(
        Font=pikepdf.Dictionary(EF=pikepdf.Dictionary(Type=pikepdf.Name.Font, BaseFont=pikepdf.Name.Courier))
    )
    document.pages[0].Annots = pikepdf.Array(
        [
            pikepdf.Dictionary(
                Type=pikepdf.Name.Annot,
                Subtype=pikepdf.Name.Link,
                Rect=[0, 0, 9, 9],
                A=pikepdf.Dictionary(S=pikepdf.Name.URI, URI=pikepdf.String("https://example.org")),
            )
        ]
    )


def deep(document):
    """Put a script below more brackets than anybody needs."""
    inner = pikepdf.Dictionary(S=pikepdf.Name("/Launch"))
    for _ in range(60):
        inner = pikepdf.Array([inner])
    document.Root.Odd = inner


def disguised_script():
    """Spell the script's name with a number for a letter, as readers allow."""
    return pdf(action("/JavaScript", JS=pikepdf.String("1"))).replace(b"/JavaScript", b"/J#61vaScript")


# --- DICOM


def dicom(syntax=ExplicitVRLittleEndian, sop_class="1.2.840.10008.5.1.4.1.1.2", preamble=bytes(128)):
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, "1.2.3.4"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3", "1.2.3.1"
    dataset.PatientName, dataset.Modality = "Test^Patient", "CT"
    inner = Dataset()
    inner.CodeValue = "1"
    dataset.ProcedureCodeSequence = [inner]
    dataset["ProcedureCodeSequence"].is_undefined_length = True
    dataset.NumberOfFrames = 1
    dataset.Rows = dataset.Columns = 16
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    dataset.SamplesPerPixel, dataset.PixelRepresentation = 1, 0
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PixelData = bytes(512)
    dataset["PixelData"].VR = "OW"
    if syntax == RLELossless:
        dataset.PixelData = encapsulate([bytes(64) + b"\x81\x00" * 8])
        dataset["PixelData"].is_undefined_length = True
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = sop_class
    dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    dataset.preamble = preamble
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def nested(depth):
    """Return DICOM with sequences in sequences, none of which says how long it is."""
    begin = b"\x08\x00\x15\x11SQ\x00\x00\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    end = b"\xfe\xff\x0d\xe0\x00\x00\x00\x00" + b"\xfe\xff\xdd\xe0\x00\x00\x00\x00"
    return dicom() + begin * depth + end * depth


def dicom_without_form():
    """Return DICOM that doesn't say in which form its elements are."""
    return dicom().replace(b"\x02\x00\x10\x00UI", b"\x02\x00\x11\x00UI", 1)


FRAGMENT = b"\xfe\xff\x00\xe0"


def open_fragment():
    """Return DICOM whose last piece of packed pixels doesn't say how long it is."""
    whole = bytearray(dicom(RLELossless))
    place = whole.rfind(FRAGMENT) + 4
    whole[place:] = b"\xff\xff\xff\xff" + b"\xfe\xff\xdd\xe0\x00\x00\x00\x00"
    return bytes(whole)


# --- Archives


def archive(*entries, method=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, content in entries:
            file.writestr(name, content)
    return buffer.getvalue()


def study(*others):
    return archive(("DICOM/IM1", dicom()), ("DICOM/IM2", dicom()), *others)


def named(raw):
    """Return an archive whose second name is these bytes, with no word of their alphabet."""
    whole = archive(("IM1", dicom()), ("x" * len(raw), dicom()))
    return whole.replace(b"x" * len(raw), raw)


def encrypted():
    whole = bytearray(study())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = whole.rfind(mark)
        whole[place + at] |= 1
    return bytes(whole)


def overlapping(count):
    """Return an archive all of whose entries are the same bytes: small, and unpacking to very much."""
    content = zlib.compress(dicom() + bytes(20 * 1024**2), 9)[2:-4]
    unpacked = len(dicom()) + 20 * 1024**2
    check = zlib.crc32(dicom() + bytes(20 * 1024**2))
    table, local = b"", b""
    local = (
        struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 8, 0, 33, check, len(content), unpacked, 3, 0)
        + b"IM0"
        + content
    )
    for number in range(count):
        name = f"I{number:02}".encode()
        table += (
            struct.pack(
                "<4s6H3L5H2L",
                b"PK\x01\x02",
                20,
                20,
                0,
                8,
                0,
                33,
                check,
                len(content),
                unpacked,
                3,
                0,
                0,
                0,
                0,
                0,
                0,
            )
            + name
        )
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(table), len(local), 0)
    return local + table + end


def bomb(megabytes):
    """Return an archive that unpacks to a thousand times its size."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        file.writestr("IM1", dicom())
        with file.open("IM2", "w", force_zip64=True) as entry:
            for _ in range(megabytes):
                entry.write(bytes(1024**2))
    return buffer.getvalue()


def hidden():
    """Return an archive with something between its last entry and its table of contents."""
    whole = study()
    table = whole.find(b"PK\x01\x02")
    end = whole.rfind(b"PK\x05\x06")
    between = bytes(9000)
    place = struct.pack("<I", table + len(between))
    return whole[:table] + between + whole[table : end + 16] + place + whole[end + 20 :]


def told(at, form, number):
    """Return an archive whose end record tells another number."""
    whole = bytearray(study())
    struct.pack_into(form, whole, whole.rfind(b"PK\x05\x06") + at, number)
    return bytes(whole)


def lying(megabytes):
    """Return a bomb whose table of contents says that it unpacks to ten bytes."""
    whole = bytearray(archive(("IM1", bytes(megabytes * 1024**2))))
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = whole.find(mark)
        whole[place + at : place + at + 4] = struct.pack("<I", 10)
    return bytes(whole)


def linked():
    link = zipfile.ZipInfo("DICOM/passwd")
    link.external_attr = 0o120777 << 16
    return study((link, "/etc/passwd"))


# --- Office

TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.'
    'wordprocessingml.document.main+xml"/></Types>'
)
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def relationship(kind, target, mode="External"):
    return (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="r1" Type="{RELATIONS}/{kind}" Target="{target}" TargetMode="{mode}"/></Relationships>'
    )


def document(body=""):
    return f'<w:document xmlns:w="{WORD}"><w:body>{body}<w:p><w:r><w:t>Выписка</w:t></w:r></w:p></w:body></w:document>'


def docx(*others, body="", types=TYPES, main=None):
    return archive(("[Content_Types].xml", types), ("word/document.xml", main or document(body)), *others)


def field(*pieces):
    return "".join(f"<w:r><w:instrText>{piece}</w:instrText></w:r>" for piece in pieces)


def xlsx(*others):
    return archive(
        ("[Content_Types].xml", TYPES.replace("word", "xl")), ("xl/workbook.xml", "<workbook/>"), *others
    )


OFFICE = "urn:oasis:names:tc:opendocument:xmlns"


def odt(*others, body="", manifest=""):
    content = (
        f'<office:document-content xmlns:office="{OFFICE}:office:1.0" xmlns:script="{OFFICE}:script:1.0" '
        f'xmlns:draw="{OFFICE}:drawing:1.0" xmlns:text="{OFFICE}:text:1.0" '
        f'xmlns:xlink="http://www.w3.org/1999/xlink">{body}</office:document-content>'
    )
    listed = f'<manifest:manifest xmlns:manifest="{OFFICE}:manifest:1.0">{manifest}</manifest:manifest>'
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("mimetype", kinds.ODT, zipfile.ZIP_STORED)
        file.writestr("content.xml", content)
        file.writestr("META-INF/manifest.xml", listed)
        for name, inside in others:
            file.writestr(name, inside)
    return buffer.getvalue()


LAUGHS = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>' + document("&b;")

# --- Surfaces

CORNERS = np.array([[[0, 0, 0], [1, 0, 0], [0, 2, 0]], [[0, 0, 0], [1, 0, 0], [0, 0, 3]]], "<f4")


def stl(corners=CORNERS):
    rows = b"".join(bytes(12) + triangle.tobytes() + bytes(2) for triangle in corners)
    return b"made here".ljust(80) + struct.pack("<I", len(corners)) + rows


def stl_text(end="endsolid jaw\n"):
    facets = ""
    for triangle in CORNERS:
        corners = "".join(f"      vertex {x} {y:e} {z}\n" for x, y, z in triangle)
        facets += f"  facet normal 0 0 1\n    outer loop\n{corners}    endloop\n  endfacet\n"
    return f"solid jaw\n{facets}{end}".encode()


def ply(form="binary_little_endian", corners=(3, 3), count=None, behind=b""):
    order = ">" if "big" in form else "<"
    points = [(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 2.0, 0.0), (0.0, 0.0, 3.0)]
    head = (
        f"ply\nformat {form} 1.0\ncomment made here\nelement vertex {count or len(points)}\nproperty float x\n"
        f"property float y\nproperty float z\nelement face {len(corners)}\n"
        "property list uchar int vertex_indices\nend_header\n"
    ).encode()
    if form == "ascii":
        rows = "".join(f"{x} {y} {z}\n" for x, y, z in points)
        faces = "".join(f"{many} {' '.join(map(str, range(many)))}\n" for many in corners)
        return head + (rows + faces).encode() + behind
    rows = b"".join(struct.pack(f"{order}fff", *point) for point in points)
    faces = b"".join(struct.pack(f"{order}B{many}i", many, *range(many)) for many in corners)
    return head + rows + faces + behind


def textured():
    """Return a PLY whose faces have colours and places in a picture beside their corners, as scanners write."""
    head = (
        b"ply\nformat binary_little_endian 1.0\nelement vertex 3\nproperty float x\nproperty float y\n"
        b"property float z\nproperty uchar red\nelement face 2\nproperty uchar flag\n"
        b"property list uchar int vertex_indices\nproperty list uchar float texcoord\nend_header\n"
    )
    points = b"".join(struct.pack("<fffB", number, number, 0, 9) for number in range(3))
    face = struct.pack("<BB3iB6f", 1, 3, 0, 1, 2, 6, *[0.5] * 6)
    return head + points + face * 2


def ply_text(head, *rows):
    lines = ["ply", "format ascii 1.0", *head, "end_header", *rows]
    return "\n".join(lines).encode() + b"\n"


POINTS = ("element vertex 2", "property float x", "property float y", "property float z")

# --- Every kind of DICOM that is taken

SYNTAXES = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, RLELossless]
