"""Receiving files: streamed to disk as they come, cut at the cap, never held in memory."""

import errno
import tempfile
from typing import Any, NoReturn

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http.multipartparser import MultiPartParserError

from konsilium.workflow.document import MAX_BYTES

# A form's worth of files; more come in several forms.
MOST_BYTES = 4 * MAX_BYTES


class CappedUploadHandler(FileUploadHandler):
    """Write each file to the disk of the store; what is too large or finds no room is left out and named.

    `request.left_out` lists (name, why) for the page to say; why is "too_large" or "no_room".
    """

    chunk_size = 256 * 1024

    def handle_raw_input(self, input_data: Any, *args: Any, **kwargs: Any) -> None:
        """Remember how long the body was said to be."""
        self._said = int(args[1] if len(args) > 1 else kwargs["content_length"])

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin a file."""
        super().new_file(*args, **kwargs)
        folder = settings.DATA / "incoming"
        folder.mkdir(exist_ok=True)
        self._received = 0
        raw = tempfile.NamedTemporaryFile(dir=folder, suffix=".part")  # noqa: SIM115  closed with the upload
        self._file = TemporaryUploadedFile.__new__(TemporaryUploadedFile)
        name, kind = self.file_name or "", self.content_type or ""
        super(TemporaryUploadedFile, self._file).__init__(
            raw, name, kind, 0, self.charset, self.content_type_extra
        )

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Write the next bytes, unless there are too many."""
        self._received += len(raw_data)
        if self._received > MAX_BYTES:
            self._leave_out("too_large")
        try:
            self._file.write(raw_data)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            self._leave_out("no_room")

    def file_complete(self, file_size: int) -> TemporaryUploadedFile:
        """Hand the whole file over."""
        self._file.seek(0)
        self._file.size = file_size
        return self._file

    def upload_complete(self) -> None:
        """Refuse a body that broke off: the parser takes its last file for whole. Raises MultiPartParserError."""
        request: Any = self.request
        arrived = getattr(getattr(request, "_stream", None), "_pos", self._said)
        if arrived < self._said:
            self.upload_interrupted()
            raise MultiPartParserError("The body is shorter than it was said to be.")

    def upload_interrupted(self) -> None:
        """Leave nothing of a cut upload behind."""
        if hasattr(self, "_file"):
            self._file.close()

    def _leave_out(self, why: str) -> NoReturn:
        request: Any = self.request
        request.left_out = [*getattr(request, "left_out", []), (self.file_name or "", why)]
        self._file.close()
        raise SkipFile
