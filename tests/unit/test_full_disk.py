"""A full disk: one line that names the folder, whoever met it first."""

from __future__ import annotations

import errno
import logging
import sqlite3
import subprocess
import sys

import duckdb
import pytest
import sqlalchemy.exc

from orchestration import cli
from orchestration.full_disk import is_full_disk
from orchestration.settings import REPO

FULL = [
    OSError(errno.ENOSPC, "No space left on device"),
    OSError(errno.EROFS, "Read-only file system"),
    sqlite3.OperationalError("database or disk is full"),
    sqlalchemy.exc.OperationalError("insert", {}, sqlite3.OperationalError("disk I/O error")),
    duckdb.IOException('IO Error: Could not write file "warehouse.duckdb": No space left on device'),
    duckdb.TransactionException("TransactionContext Error: Failed to commit: Could not write file: No space left on device"),
]
OTHER = [
    OSError(errno.ENOENT, "No such file or directory"),
    sqlite3.OperationalError("database is locked"),
    duckdb.IOException("IO Error: Could not set lock on file"),
    ValueError("a customer wrote: No space left on device"),
]


@pytest.mark.parametrize("error", FULL, ids=repr)
def test_a_full_disk_is_one_line(error, monkeypatch, capsys, tmp_path):
    def app():
        try:
            raise error
        except Exception as inner:
            raise RuntimeError("Dagster wraps what it meets") from inner

    monkeypatch.setenv("CSW_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(cli, "app", app)
    monkeypatch.setattr(logging, "raiseExceptions", True)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == f"the disk of {tmp_path} is full or cannot be written: free space and run again\n"


@pytest.mark.parametrize("error", OTHER, ids=repr)
def test_another_error_is_not_called_a_full_disk(error):
    assert not is_full_disk(error)


def test_log_lines_that_cannot_be_written_leave_no_tracebacks():
    code = "import logging; from orchestration.full_disk import keep_logging_quiet as k; k(); logging.FileHandler('/dev/full').handle"
    code += "(logging.LogRecord('x', 20, '', 0, 'line', None, None))"
    ran = subprocess.run([sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True)
    assert "Traceback" not in ran.stderr.partition("Exception ignored")[0]
    assert "Logging error" not in ran.stderr
