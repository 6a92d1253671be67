"""Receiving files: streamed to disk, cut at the cap, nothing left of what broke off."""

from io import BytesIO

import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http.multipartparser import MultiPartParserError

from konsilium.web.documents import uploads

HEAD = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.pdf"\r\nContent-Type: application/pdf\r\n\r\n'
END = b"\r\n--b--\r\n"


def arriving(body, length=None):
    return WSGIRequest(
        {
            "REQUEST_METHOD": "POST",
            "wsgi.input": BytesIO(body),
            "CONTENT_TYPE": "multipart/form-data; boundary=b",
            "CONTENT_LENGTH": str(length or len(body)),
        }
    )


def left_behind():
    return list((settings.DATA / "incoming").glob("*"))


def test_a_file_stands_on_disk_while_it_is_received():
    request = arriving(HEAD + b"%PDF" * 200_000 + END)
    file = request.FILES["files"]
    assert (file.name, file.size) == ("a.pdf", 800_000)
    assert b"".join(file.chunks()) == b"%PDF" * 200_000
    file.close()
    assert left_behind() == []


def test_a_file_over_the_cap_is_left_out_and_named(monkeypatch):
    monkeypatch.setattr(uploads, "MAX_BYTES", 300_000)
    request = arriving(HEAD + b"x" * 400_000 + END)
    assert not request.FILES
    assert request.left_out == [("a.pdf", "too_large")]
    assert left_behind() == []


def test_an_upload_that_broke_off_is_no_document():
    body = HEAD + b"%PDF" * 200_000 + END
    with pytest.raises(MultiPartParserError):
        arriving(body[:500_000], len(body)).FILES  # noqa: B018  reading it receives the body
    assert left_behind() == []
