"""Orthanc or any other PACS, through DICOMweb: send objects to it, fetch a study from it.

For commands and children only: the client parses what the PACS sends, and a page never does. What is fetched goes the
way of every upload: into quarantine, and is looked at in the sandbox.
"""

import io
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote, urlsplit, urlunsplit

if TYPE_CHECKING:
    from dicomweb_client.api import DICOMwebClient

# Seconds to connect, and between two bytes: a PACS may have to ask its own archive first.
TIMEOUT = (10, 120)
ANY_SYNTAX = (("application/dicom", "*"),)


class NoPacs(Exception):
    """No PACS is configured; the text says how."""

    def __init__(self) -> None:
        super().__init__("No PACS is configured. Set KONSILIUM_PACS_URL to the address of its DICOMweb.")


class PacsUnavailable(Exception):
    """The PACS can't be reached, or broke off; trying later may help."""


class PacsRefused(Exception):
    """The PACS answered, and said no."""


class Pacs(Protocol):
    """Keeps studies elsewhere. `tests/adapters/test_pacs.py` is the contract.

    Each method raises NoPacs, PacsUnavailable or PacsRefused.
    """

    def count(self, study_uid: str) -> int:
        """Return how many instances of the study it has."""

    def send(self, objects: Iterable[bytes]) -> int:
        """Store DICOM objects there, one after the other. Returns how many it took; the first refusal ends it."""

    def fetch(self, study_uid: str) -> Iterator[tuple[str, bytes]]:
        """Yield the study's objects as files with their SOP instance UIDs, in the syntax they are kept in there."""


class NullPacs:
    """No PACS: everything is refused by its name."""

    def count(self, study_uid: str) -> int:
        """See `Pacs`."""
        raise NoPacs

    def send(self, objects: Iterable[bytes]) -> int:
        """See `Pacs`."""
        raise NoPacs

    def fetch(self, study_uid: str) -> Iterator[tuple[str, bytes]]:
        """See `Pacs`."""
        raise NoPacs


class DicomwebPacs:
    """A PACS at the root of its DICOMweb, like http://orthanc:8042/dicom-web."""

    def __init__(self, url: str, *, user: str = "", password: str = "", token: str = "") -> None:
        """Remember where it is; nothing is asked yet. A user goes by HTTP Basic, a token as Bearer."""
        self._url, self._user, self._password = url, user, password
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def count(self, study_uid: str) -> int:
        """See `Pacs`."""
        with _said():
            return len(self._client().search_for_instances(study_uid, get_remaining=True))

    def send(self, objects: Iterable[bytes]) -> int:
        """See `Pacs`."""
        from pydicom import dcmread  # noqa: PLC0415  no parser in a page's process

        client, taken = self._client(), 0
        for content in objects:
            with _said():
                answer = client.store_instances([dcmread(io.BytesIO(content))])
            # (0008,1198) lists what failed, also inside an answer that succeeds.
            if answer and "FailedSOPSequence" in answer and answer.FailedSOPSequence:
                raise PacsRefused(f"The PACS did not take an object; {taken} were taken before it.")
            taken += 1
        return taken

    def fetch(self, study_uid: str) -> Iterator[tuple[str, bytes]]:
        """See `Pacs`."""
        with _said():
            for data in self._client().iter_study(study_uid, media_types=ANY_SYNTAX):
                file = io.BytesIO()
                data.save_as(file, enforce_file_format=True)
                yield str(data.SOPInstanceUID), file.getvalue()

    def _client(self) -> "DICOMwebClient":
        import requests  # noqa: PLC0415
        from dicomweb_client.api import DICOMwebClient  # noqa: PLC0415

        # The client names addresses, which hold what identifies a study, in its log.
        logging.getLogger("dicomweb_client").setLevel(logging.CRITICAL)
        session = requests.Session()
        # Neither proxies nor passwords of the surroundings: patients' pictures go where the setting says.
        session.trust_env = False
        session.auth = (self._user, self._password) if self._user else None
        client = DICOMwebClient(self._url, session=session, headers=self._headers, timeout=TIMEOUT)
        client.set_http_retry_params(retry=False)
        return client


@contextmanager
def _said() -> Iterator[None]:
    """Say the client's troubles as ours."""
    import requests  # noqa: PLC0415

    try:
        yield
    except requests.HTTPError as trouble:
        code: Any = trouble.response.status_code if trouble.response is not None else "?"
        raise PacsRefused(f"The PACS answered {code}.") from trouble
    except requests.RequestException as trouble:
        raise PacsUnavailable("The PACS can't be reached, or broke off. Try again later.") from trouble


def pacs(url: str) -> Pacs:
    """Return the PACS a setting names: http(s)://user:password@host/path, or none for an empty one.

    Raises ValueError for anything else.
    """
    if not url:
        return NullPacs()
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        msg = "KONSILIUM_PACS_URL looks like https://user:password@host:8042/dicom-web."
        raise ValueError(msg)
    host = parts.netloc.rpartition("@")[2]
    bare = urlunsplit((parts.scheme, host, parts.path, "", ""))
    return DicomwebPacs(bare, user=unquote(parts.username or ""), password=unquote(parts.password or ""))
