# SPDX-License-Identifier: BSD-2-Clause
"""Running a command of this package: an error is one line, and exit code 2."""

import sys

import click

from macaw.golden.errors import MacawError

__all__ = ["start"]


def start(command: click.Command) -> None:
    """Run ``command`` with the process's arguments, and leave with its exit code."""
    try:
        command.main(standalone_mode=False)
    except (MacawError, click.ClickException) as error:
        text = error.format_message() if isinstance(error, click.ClickException) else error
        click.echo(f"macaw: {text}", err=True)
        sys.exit(2)
    except click.Abort:
        click.echo("macaw: interrupted", err=True)
        sys.exit(130)
