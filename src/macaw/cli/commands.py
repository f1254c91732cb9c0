# SPDX-License-Identifier: BSD-2-Clause
"""The ``macaw`` command. Each verb reads its arguments, calls one function, and prints.

Exit codes: 0 done; 1 a proof failed; 2 bad input or a missing tool; 3 a defect of macaw; 141 the
reader of the output went away; 130, 143, 129 ended by SIGINT, SIGTERM, SIGHUP.
"""

from __future__ import annotations

from collections.abc import Sequence

import click

import macaw
from macaw.tools.command import run

from .choose import choose
from .compare import compare
from .doctor import doctor
from .formats import formats
from .generate import generate
from .quantize import quantize
from .sweep import sweep
from .synth import synth
from .units import units
from .verify import verify


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(macaw.__version__, message="macaw %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """Arithmetic datapaths in any number format: defined, built, proven and priced.

    \b
    Start with
      macaw formats
      macaw generate fma a=e4m3 out=fp16 --stages 3 -o build
      macaw verify fma a=e4m3 out=fp16 --stages 3
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for verb in (formats, units, generate, verify, synth, compare, sweep, choose, quantize, doctor):
    cli.add_command(verb)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; nothing but that code leaves here."""
    return run(cli, arguments, "macaw")
