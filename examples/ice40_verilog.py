# SPDX-License-Identifier: BSD-2-Clause
"""A fused multiply-add on an iCE40 board: its Verilog, a top module round it, and the pins.

``python examples/ice40_verilog.py [FOLDER]`` writes what an iCE40-HX8K breakout board needs into
build/ice40, and prints how the module is instantiated, how large it is and which clock it reaches
after place and route. A counter drives the operand ``a``; the LEDs show ``a * 1.5 + 1``.
"""

import sys
from pathlib import Path

import macaw
from macaw.hdl import Design

FREQUENCY = 36.0  # MHz: three times the oscillator of the board, for a PLL
LEDS = ["B5", "B4", "A2", "A1", "C5", "C4", "B3", "C3"]
CONSTANTS = {"b": "8'h3c", "c": "16'h3c00"}  # 1.5 in e4m3, 1 in fp16

TOP = """\
module top(input clk, output reg [7:0] led);
  reg [27:0] count = 0;
  wire [15:0] r;
{instance}
  always @(posedge clk) begin
    count <= count + 1;
    led <= r[15:8];
  end
endmodule
"""
BUILD = """\
yosys -p 'synth_ice40 -top top -json top.json' top.v {name}.v
nextpnr-ice40 --hx8k --package ct256 --pcf top.pcf --json top.json --asc top.asc
icepack top.asc top.bin && iceprog -S top.bin
"""


def instance(design: Design) -> str:
    """The module with its ports connected, in the order that the JSON beside it lists them."""
    wires = {"clk": "clk", "rst": "1'b0", "i_a": "count[27:20]", "o_r": "r"}
    wires |= {f"i_{name}": value for name, value in CONSTANTS.items()}
    ports = [f"    .{p['name']}({wires[p['name']]})" for p in design.metadata["ports"]]
    return f"  {design.name} unit (\n" + ",\n".join(ports) + "\n  );"


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "build/ice40")
    fma = macaw.unit("fma", a="e4m3", out="fp16")
    design = macaw.generate(fma, frequency=FREQUENCY, target="ice40")
    design.write(folder)
    (folder / "top.v").write_text(TOP.format(instance=instance(design)))
    pins = ["set_io clk J3", *(f"set_io led[{n}] {pin}" for n, pin in enumerate(LEDS))]
    (folder / "top.pcf").write_text("\n".join(pins) + "\n")

    print(instance(design))
    result = macaw.synthesize(design, target="ice40")
    print(f"\n{result.luts} logic cells, {result.ffs} registers, {result.fmax_mhz:.0f} MHz")
    print(f"\nIn {folder}, with {', '.join(sorted(p.name for p in folder.iterdir()))}:\n")
    print(BUILD.format(name=design.name))


if __name__ == "__main__":
    main()
