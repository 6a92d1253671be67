"""Pictures of a series: the pack holds every value, the previews show the right side, and only a volume is cut."""

import json

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from konsilium.adapters.imaging.pixels import EXPLICIT_LITTLE_ENDIAN, HTJ2K
from konsilium.adapters.imaging.rendering import render_series
from tests import phantom


def render(tmp_path, packed_files):
    given = []
    for number, data in enumerate(packed_files):
        path = tmp_path / f"{number}.dcm"
        path.write_bytes(data)
        given.append({"sop_uid": str(number), "path": str(path), "offset": 0, "length": len(data)})
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return render_series(scratch, instances=given), scratch


def unpacked(said, scratch):
    pack = (scratch / said["pack"]).read_bytes()
    planes = []
    for one in said["instances"]:
        for offset, length in one["ranges"]:
            planes.append(imagecodecs.htj2k_decode(pack[offset : offset + length]))
    return np.stack(planes)


@pytest.mark.parametrize("syntax", phantom.SYNTAXES)
def test_every_value_of_every_syntax_is_in_the_pack(tmp_path, syntax):
    values = phantom.volume(slices=4)
    said, scratch = render(tmp_path, [data for _, data in phantom.files(values, phantom.SYNTAXES[syntax])])
    assert said["transfer_syntax"] == HTJ2K
    assert np.array_equal(unpacked(said, scratch).astype(int) - 1024, values)


def test_slices_are_put_in_the_order_of_their_places_not_of_their_numbers(tmp_path):
    packed_files = [data for _, data in phantom.files()]
    mixed = [packed_files[number] for number in (7, 0, 3, *range(8, 24), 1, 2, 4, 5, 6)]
    said, scratch = render(tmp_path, mixed)
    assert np.array_equal(unpacked(said, scratch).astype(int) - 1024, phantom.volume())
    assert (said["is_volume"], said["why_not"]) == (True, "")
    assert said["facts"]["spacing"] == [0.5, 0.5, pytest.approx(0.8)]


def test_the_previews_have_the_marker_where_the_patient_has_it(tmp_path):
    said, scratch = render(tmp_path, [data for _, data in phantom.files()])
    layout = said["layout"]
    sheet = np.array(Image.open(scratch / said["previews"]["mosaic_bone"]["file"]).convert("L")).astype(int)
    tile = layout["slices"].index(phantom.MARKER_AT[0])
    down, across = divmod(tile, layout["columns"])
    picture = sheet[down * layout["height"] :, across * layout["width"] :][
        : layout["height"], : layout["width"]
    ]
    row, column = (part // 3 for part in phantom.MARKER_AT[1:])
    assert picture[row, column] > 240 > picture[row, layout["width"] - 1 - column]
    # Cut across, the head is up and the patient's right on the left of the picture.
    coronal = np.array(Image.open(scratch / said["previews"]["coronal"]["file"]).convert("L"))
    assert coronal.shape[1] == phantom.SIZE
    assert coronal.shape[0] == round(phantom.SLICES * phantom.STEP / phantom.SPACING)
    assert set(said["previews"]) == {"thumbnail", "coronal", "sagittal", "mosaic_bone", "mosaic_soft"}


def tilted():
    for number, given in enumerate(phantom.slices()):
        given.ImagePositionPatient = [-20.0, -30.0 + 0.4 * number, 100 + 0.8 * number]
        yield given


def uneven():
    for number, given in enumerate(phantom.slices()):
        given.ImagePositionPatient = [-20.0, -30.0, 100 + 0.8 * number + (3 if number > 11 else 0)]
        yield given


def turned():
    for number, given in enumerate(phantom.slices()):
        given.ImageOrientationPatient = [1, 0, 0, 0, 1, 0] if number else [0, 1, 0, 0, 0, -1]
        yield given


def nowhere():
    for given in phantom.slices():
        del given.ImagePositionPatient
        yield given


def of_two_sizes():
    yield from phantom.slices()
    yield from phantom.slices(phantom.volume(3, 48), step=0.8)


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (uneven, "uneven_spacing"),
        (tilted, "gantry_tilt"),
        (turned, "mixed_orientation"),
        (nowhere, "no_position"),
        (of_two_sizes, "mixed_sizes"),
        (lambda: list(phantom.slices())[:2], "few_slices"),
    ],
)
def test_a_stack_that_would_lie_when_cut_is_no_volume_and_says_why(tmp_path, made, why):
    said, _ = render(tmp_path, [phantom.as_bytes(given) for given in made()])
    assert (said["is_volume"], said["why_not"]) == (False, why)
    assert "coronal" not in said["previews"]


def test_a_multi_frame_file_has_a_range_for_each_frame(tmp_path):
    given = phantom.header(ImagePositionPatient=[0, 0, 0], ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
    phantom.put_pixels(given, phantom.volume(5))
    said, scratch = render(tmp_path, [phantom.as_bytes(given)])
    assert len(said["instances"][0]["ranges"]) == 5
    assert np.array_equal(unpacked(said, scratch).astype(int) - 1024, phantom.volume(5))


def test_colour_is_packed_plain_and_described_as_it_is(tmp_path):
    given = phantom.header(Modality="XC")
    colours = np.random.default_rng(3).integers(0, 255, (40, 50, 3), dtype=np.uint8)
    given.Rows, given.Columns, given.SamplesPerPixel, given.PlanarConfiguration = 40, 50, 3, 1
    given.PhotometricInterpretation, given.PixelRepresentation = "RGB", 0
    given.BitsAllocated, given.BitsStored, given.HighBit = 8, 8, 7
    given.PixelData = colours.transpose(2, 0, 1).tobytes()
    said, scratch = render(tmp_path, [phantom.as_bytes(given)])
    pack = (scratch / said["pack"]).read_bytes()
    (metadata,) = json.loads((scratch / said["metadata"]).read_text())
    assert said["transfer_syntax"] == EXPLICIT_LITTLE_ENDIAN
    assert pack == colours.tobytes()
    assert metadata["00280006"]["Value"] == [0]


def test_metadata_is_what_the_header_says_without_pixels_and_in_the_order_shown(tmp_path):
    said, scratch = render(tmp_path, [data for _, data in reversed(list(phantom.files()))])
    metadata = json.loads((scratch / said["metadata"]).read_text())
    assert [one["00200013"]["Value"][0] for one in metadata] == list(range(1, 25))
    assert metadata[0]["00100010"]["Value"][0]["Alphabetic"] == "Зайцева^Ольга^Петровна"
    assert "7FE00010" not in metadata[0]


def test_signed_values_to_both_ends_are_packed_bit_for_bit(tmp_path):
    values = np.random.default_rng(5).integers(-32768, 32767, (40, 50)).astype("<i2")
    values[0, :2] = -32768, 32767
    given = next(phantom.slices(phantom.volume(1)))
    given.Rows, given.Columns, given.PixelRepresentation, given.PixelData = 40, 50, 1, values.tobytes()
    said, scratch = render(tmp_path, [phantom.as_bytes(given)])
    assert np.array_equal(unpacked(said, scratch)[0].astype(np.int16), values)


def test_a_picture_that_cannot_be_decoded_is_left_out_by_name_and_the_others_are_shown(tmp_path):
    values = phantom.volume(6)
    files = [data for _, data in phantom.files(values, phantom.SYNTAXES["JPEG 2000"])]
    begin = files[3].index(b"\xff\x4f\xff\x51")
    files[3] = files[3][:begin] + bytes(len(files[3]) - begin - 8) + files[3][-8:]
    said, scratch = render(tmp_path, files)
    assert said["left_out"] == ["3"]
    assert np.array_equal(unpacked(said, scratch).astype(int) - 1024, np.delete(values, 3, axis=0))
    # A slice is missing now: cutting across would lie.
    assert (said["is_volume"], said["why_not"]) == (False, "uneven_spacing")
