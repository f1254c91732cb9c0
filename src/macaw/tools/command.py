# SPDX-License-Identifier: BSD-2-Clause
"""How a command of macaw ends: one line where something is wrong, and an exit code."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import unicodedata
import warnings
from collections.abc import Sequence

import click

from macaw.golden.errors import MacawError

from . import processes

PASSED, FAILED, BAD_INPUT, DEFECT = 0, 1, 2, 3
INTERRUPTED, UNREAD = 130, 141
"""128 and the number of SIGINT and of SIGPIPE, as a shell says it of any program."""


def printable(text: str) -> str:
    """Names come from files: what would steer a terminal is shown as its escape."""
    steers = ("Cc", "Cf", "Cs")
    return "".join(ascii(c)[1:-1] if unicodedata.category(c) in steers else c for c in text)


def complain(message: object) -> None:
    """Say what is wrong in a line on stderr, if anybody listens there."""
    with contextlib.suppress(OSError):
        click.echo(f"macaw: {printable(' '.join(str(message).split()))}", err=True)


def run(command: click.Command, arguments: Sequence[str] | None = None, name: str = "") -> int:
    """Run ``command`` and return its exit code; nothing but that code leaves here.

    Without ``arguments`` it is this process's command: its arguments are taken, and signals
    end it (:func:`macaw.tools.processes.start`).
    """
    if arguments is None:
        processes.start()
        if not sys.warnoptions:
            warnings.simplefilter("ignore")  # Python's warnings are for those who write Python
    try:
        code = command.main(args=arguments, prog_name=name or None, standalone_mode=False)
        sys.stdout.flush()
    except SystemExit as error:
        if isinstance(error.__context__, OSError) and error.__context__.errno == errno.EPIPE:
            return _unread()  # click's own exit code for it would be ours of a failed proof
        return error.code if isinstance(error.code, int) else BAD_INPUT
    except (click.exceptions.Abort, KeyboardInterrupt):
        complain("interrupted")
        return INTERRUPTED
    except click.ClickException as error:
        complain(error.format_message())
        return BAD_INPUT
    except MacawError as error:
        complain(error)
        return BAD_INPUT
    except BrokenPipeError:
        return _unread()
    except OSError as error:
        complain(f"{error.filename or 'output'}: {error.strerror or error}")
        return BAD_INPUT
    except Exception as error:
        if os.environ.get("MACAW_TRACEBACK"):
            raise
        complain(
            f"this is a defect of macaw: {type(error).__name__}: {error}"
            " (MACAW_TRACEBACK=1 shows where)"
        )
        return DEFECT
    return code if isinstance(code, int) else PASSED


def _unread() -> int:
    """The reader has seen enough (`| head`): Python must not flush into the pipe again."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return UNREAD


def start(command: click.Command) -> None:
    """Run ``command`` as this process, and leave with its exit code."""
    sys.exit(run(command))
