"""What a log line may hold: where it happened and what kind of trouble, never an address, a form or a patient."""

import logging
import traceback

SAFE_LOGGERS = ("konsilium",)


class WithoutContent(logging.Filter):
    """Replace the message of a failed request by the names of its frames and of the exception's class.

    Exception texts quote values (a database's error names the row), and request lines hold addresses.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place; always keep it."""
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            record.msg, record.args = _where(error), ()
        elif not record.name.startswith(SAFE_LOGGERS):
            record.msg, record.args = str(getattr(record, "status_code", "") or record.levelname.lower()), ()
        record.exc_info, record.exc_text = None, None
        return True


def _where(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    places = " < ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in reversed(frames[-6:]))
    return f"{type(error).__module__}.{type(error).__name__} at {places}"
