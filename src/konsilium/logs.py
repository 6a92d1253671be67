"""What a log line may hold: where it happened and what kind of trouble, never an address, a form or a patient."""

import logging
import traceback

SAFE_LOGGERS = ("konsilium",)
# "Not ready" is an answer, asked for again and again; it is no trouble of a page.
ASKED_OFTEN = ("readyz",)


class WithoutContent(logging.Filter):
    """Replace what others log by the request's method and route, the status, and the place of an exception.

    Exception texts quote values (a database's error names the row), and request lines hold addresses. Our own lines
    keep their words; they name no content.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place; drop it only when it says that we are not ready yet."""
        if _route(record) in ASKED_OFTEN:
            return False
        ours = record.name.split(".")[0] in SAFE_LOGGERS
        error = record.exc_info[1] if record.exc_info else None
        parts = [record.getMessage() if ours else _request(record), _where(error) if error else ""]
        record.msg, record.args = " ".join(part for part in parts if part), ()
        record.exc_info, record.exc_text = None, None
        return True


def _request(record: logging.LogRecord) -> str:
    method = getattr(getattr(record, "request", None), "method", "") or ""
    status = str(getattr(record, "status_code", "") or record.levelname.lower())
    return " ".join(part for part in (method, _route(record), status) if part)


def _route(record: logging.LogRecord) -> str:
    match = getattr(getattr(record, "request", None), "resolver_match", None)
    return str(getattr(match, "view_name", ""))


def _where(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    places = " < ".join(
        f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in reversed(frames[-6:])
    )
    return f"{type(error).__module__}.{type(error).__name__} at {places}"
