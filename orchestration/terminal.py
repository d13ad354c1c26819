"""How `csw` speaks: what it answers, the one line of an error, and the progress of a run."""

from __future__ import annotations

import logging
import os
from functools import cache
from typing import NoReturn

import typer
from rich.console import Console
from rich.logging import RichHandler


@cache
def console(*, stderr: bool = False) -> Console:
    """Where answers go, or errors. A name is shown as it is, also one with :wave: in it."""
    if not os.environ.get("COLUMNS", "1").strip("0"):  # terminals without a size say so, and nothing would be shown in that width
        del os.environ["COLUMNS"]
    return Console(stderr=stderr, emoji=False)


def say_error(message: str, style: str = "bold red") -> None:
    """One line on standard error, as it is: without markup, and broken by nobody."""
    console(stderr=True).print(message, markup=False, highlight=False, style=style, soft_wrap=True)


def fail(message: str, code: int = 1) -> NoReturn:
    """Say why, and end with this exit code."""
    say_error(message)
    raise typer.Exit(code)


def show_progress() -> None:
    """Let the product's log be seen, line by line with the time of day."""
    handler = RichHandler(console=console(), show_path=False, show_level=False, log_time_format="%H:%M:%S", markup=False, highlighter=None)
    logger = logging.getLogger("csw")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.handlers = [handler]
