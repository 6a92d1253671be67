"""Photographs of paper: the sheet found and straightened, its code read, turned upright, joined to one PDF."""

import numpy as np
import pypdfium2
import pytest
from PIL import Image

from konsilium.adapters import sandbox
from konsilium.adapters.inspection.verdict import inspect
from konsilium.adapters.scanned_paper.edges import corners
from konsilium.adapters.scanned_paper.joining import join
from tests.paper import SIZE, as_jpeg, photographed, sheet

SAID = "https://konsilium.example/papers/0b6a2d0e-3f57-4a0e-9d0b-2f6f1f0c0e11/#0123456789ab"
LIES = ((420, 300), (2050, 480), (1930, 2700), (250, 2560))


@pytest.fixture
def photo(tmp_path):
    def written(name, picture):
        path = tmp_path / name
        path.write_bytes(as_jpeg(picture))
        return str(path)

    return written


@pytest.fixture
def scratch(tmp_path):
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def test_a_sheets_corners_are_found_in_perspective_and_half_in_shadow():
    found = corners(photographed(sheet(SAID), LIES))
    far = max(np.hypot(x - u, y - v) for (x, y), (u, v) in zip(found, LIES, strict=True))
    assert far < 30


@pytest.mark.parametrize(
    "picture", [Image.new("RGB", (800, 1000), "white"), Image.new("RGB", (800, 1000), (60, 50, 40))]
)
def test_where_no_edge_shows_no_sheet_is_invented(picture):
    assert corners(picture) is None


def test_two_blots_on_a_table_are_no_sheet():
    table = Image.new("RGB", (800, 1000), (60, 50, 40))
    table.paste("white", (50, 50, 700, 300))
    table.paste("white", (50, 290, 200, 900))
    assert corners(table) is None


def test_photographs_become_one_pdf_in_their_order_with_what_the_code_says(photo, scratch):
    second = photographed(sheet(""), ((200, 150), (1900, 120), (2000, 2500), (180, 2600)))
    paths = [photo("1.jpg", photographed(sheet(SAID), LIES)), photo("2.jpg", second)]
    said = join(scratch, paths, [0, 0])
    assert (said["pages"], said["found"], said["codes"]) == (2, 2, [SAID])
    with pypdfium2.PdfDocument(scratch / said["file"]) as pdf:
        page = np.asarray(pdf[0].render(scale=1).to_pil().convert("L"))
        assert abs(page.shape[1] / page.shape[0] - SIZE[0] / SIZE[1]) < 0.01
        assert pdf.get_metadata_value("Title") == "Скан бумажного оригинала"
    # The table is gone, and the shadow is lifted off the paper's edges.
    edges = np.concatenate([page[5:60, 20:-20].ravel(), page[200:-200, 12:40].ravel()])
    assert np.median(edges) > 240
    # Ink stays ink.
    assert page.min() < 90


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_sheet_that_was_taken_lying_or_head_down_stands_upright_by_its_code(photo, scratch, quarters):
    turned = photographed(sheet(SAID), LIES).rotate(90 * quarters, expand=True)
    said = join(scratch, [photo("1.jpg", turned)], [0])
    assert said["codes"] == [SAID]
    with pypdfium2.PdfDocument(scratch / said["file"]) as pdf:
        page = np.asarray(pdf[0].render(scale=1).to_pil().convert("L"))
    height, width = page.shape
    assert height > width
    # The code stands at the lower left, and nothing at the upper right.
    assert page[int(height * 0.88) : int(height * 0.94), int(width * 0.11) : int(width * 0.18)].mean() < 200
    assert page[: int(height * 0.06), int(width * 0.8) :].mean() > 230


def test_a_persons_quarter_turns_hold_where_no_code_is_read(photo, scratch):
    said = join(scratch, [photo("1.jpg", photographed(sheet("")).rotate(90, expand=True))], [1])
    with pypdfium2.PdfDocument(scratch / said["file"]) as pdf:
        assert pdf[0].get_height() > pdf[0].get_width()


def test_what_is_no_photograph_is_refused_by_its_number(photo, scratch, tmp_path):
    (tmp_path / "2.jpg").write_bytes(b"%PDF-1.7 nothing")
    said = join(scratch, [photo("1.jpg", photographed(sheet(SAID))), str(tmp_path / "2.jpg")], [0, 0])
    assert said["number"] == 2
    assert said["refused"]


def test_in_the_sandbox_it_makes_a_file_that_the_inspector_takes_and_whose_code_is_read_again(photo, scratch):
    arguments = {"paths": [photo("1.jpg", photographed(sheet(SAID), LIES))], "turns": [0]}
    used = []
    said = sandbox.run("join_paper", arguments, scratch=scratch, on_usage=used.append)
    path = str(scratch / said["file"])
    assert inspect(scratch, path, "joined.pdf")["verdict"] == "ok"
    again = sandbox.run("read_codes", {"path": path, "media_type": "application/pdf"}, scratch=scratch)
    assert again == {"codes": [SAID]}
    assert used[0].cpu_seconds < 20
