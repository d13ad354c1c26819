"""Whether an error means that the disk takes no more, whoever met it first: Dagster's history (SQLite), DuckDB, dbt or we.

Here belongs recognising it; what is said then is cli.py's.
"""

from __future__ import annotations

import errno
import logging

_ERRNOS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}
# SQLite and DuckDB have kinds of errors too wide for it (a locked database is the same one), so their words tell.
_WORDS = ("no space left on device", "disk quota exceeded", "read-only file system", "disk is full", "disk i/o error", "readonly database")
_WRITERS = ("sqlite3", "sqlalchemy", "duckdb", "_duckdb")


def is_told_in(text: str) -> bool:
    """Whether the words of an error say it, after it came through dbt or a step of Dagster's."""
    return any(words in text.lower() for words in _WORDS)


def is_full_disk(error: BaseException | None) -> bool:
    """Whether this error, or one that it came from, is of that kind."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _ERRNOS:
            return True
        if type(error).__module__.partition(".")[0] in _WRITERS and is_told_in(str(error)):
            return True
        error = error.__cause__ or error.__context__
    return False


def keep_logging_quiet() -> None:
    """A log line that cannot be written is lost without a traceback for each: on a full disk they would hide the one line that matters."""
    logging.raiseExceptions = False
