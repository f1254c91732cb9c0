# SPDX-License-Identifier: BSD-2-Clause
"""``python -m macaw.synth.pack``: registers of products into ECP5's multipliers, in any netlist."""

import json
from pathlib import Path

import click

from macaw.golden.errors import MacawError
from macaw.tools import files
from macaw.tools.command import start

from .mapping.dsp_registers import absorb


@click.command()
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("result", type=click.Path(dir_okay=False, path_type=Path))
def main(source: Path, result: Path) -> None:
    """Rewrite the netlist SOURCE, of Yosys' write_json after synth_ecp5, to RESULT.

    \b
    Example:
      yosys -p "read_verilog top.v; synth_ecp5 -top top -json top.json"
      python -m macaw.synth.pack top.json packed.json
      nextpnr-ecp5 --25k --json packed.json
    """
    try:
        netlist = json.loads(source.read_text(encoding="utf-8"))
        gone = absorb(netlist)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MacawError(f"{source}: not a netlist of Yosys' write_json ({error!r})") from None
    files.write(result, json.dumps(netlist))
    click.echo(f"{result}: {gone} flip-flops are in multipliers now")


if __name__ == "__main__":
    start(main)
