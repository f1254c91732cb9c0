# SPDX-License-Identifier: BSD-2-Clause
"""Public units as they are read from checkouts of their own projects: files, and how they are used.

A checkout is a folder that the command line names. Files are looked for by name, so that they may
move between releases. The ports are those of macaw's unit of the same function, so that the same
vectors judge both; what a project has besides is tied or left open.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from macaw.golden.errors import SpecError
from macaw.golden.formats import FORMATS, Float
from macaw.golden.formats.block import Block, format
from macaw.synth.flow import TIMEOUT, Source, from_verilog
from macaw.tools import files, processes
from macaw.tools import yosys as tools

TOP = "public_unit"


@dataclass(frozen=True, kw_only=True, slots=True)
class Public:
    """A public unit.

    Attributes
    ----------
    project : str
    name : str
        Of the row.
    unit : str
        Macaw's unit of the same function, as the command line spells it.
    stages : int
        Registers that it is asked for.
    files : dict of str to tuple of str
        By checkout: names of files, in the order in which they are read.
    includes : dict of str to tuple of str
        By checkout: folders for included files, relative to it.
    top : str
        SystemVerilog of a module :data:`TOP` with the ports of macaw's unit.
    note : str
        What is not the same.
    """

    project: str
    name: str
    unit: str
    top: str
    files: dict[str, tuple[str, ...]]
    includes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    stages: int = 0
    note: str = ""


FLAGS = " rounding=dynamic flags=true"
"""What macaw's units have besides for all rounding modes and flags."""
_CVFPU_FORMATS = {"fp32": "FP32", "fp16": "FP16", "bf16": "FP16ALT", "e5m2": "FP8"}
_CVFPU = {
    "common_cells": ("cf_math_pkg.sv", "cc_pkg.sv", "cc_lzc.sv", "lzc.sv"),
    "cvfpu": ("fpnew_pkg.sv", "fpnew_classifier.sv", "fpnew_rounding.sv", "fpnew_fma.sv"),
}
_HARDFLOAT = {
    "basejump_stl": (
        *("bsg_dff.sv", "bsg_dff_chain.sv", "bsg_scan.sv", "bsg_encode_one_hot.sv"),
        *("bsg_priority_encode_one_hot_out.sv", "bsg_priority_encode.sv"),
        *("bsg_counting_leading_zeros.sv", "bsg_mul_add_unsigned.sv"),
    ),
    "hardfloat": (
        *("HardFloat_primitives.v", "HardFloat_rawFN.v", "fNToRecFN.v", "recFNToFN.v"),
        *("mulAddRecFN.v", "isSigNaNRecFN.v", "RISCV/HardFloat_specialize.v"),
    ),
}
_MX_DOTP = {"mxfp4": 4, "mxfp8-e4m3": 0, "mxint8": 5}
"""What mx-dotp calls formats."""


REQUANTISERS = (("tflite_double", 31), ("tflite_single", 31), ("tflite_single", 16))
"""Profiles and bits of multipliers."""


def _ports(fmt: Float, every: bool, stages: int) -> str:
    """The ports of macaw's fma."""
    width = f"[{fmt.width - 1}:0]"
    clock = "input clk, input rst, " if stages else ""
    modes = ", input [2:0] i_rm" if every else ""
    flags = ", output [3:0] o_flags" if every else ""
    return f"{clock}input {width} i_a, i_b, i_c{modes}, output {width} o_r{flags}"


def _wired(pins: dict[str, str]) -> str:
    """The connections of an instance."""
    return ", ".join(f".{pin}({to})" for pin, to in pins.items())


def _cvfpu(name: str, every: bool, stages: int) -> Public:
    fmt = FORMATS[name]
    assert isinstance(fmt, Float)
    mode = "fpnew_pkg::roundmode_e'(i_rm)" if every else "fpnew_pkg::RNE"
    clock, reset = ("clk", "~rst") if stages else ("1'b0", "1'b1")
    pins = {
        "clk_i": clock, "rst_ni": reset, "operands_i": "{i_c, i_b, i_a}", "is_boxed_i": "3'b111",
        "rnd_mode_i": mode, "op_i": "fpnew_pkg::FMADD", "op_mod_i": "1'b0", "tag_i": "1'b0",
        "mask_i": "1'b1", "aux_i": "1'b0", "in_valid_i": "1'b1", "in_ready_o": "",
        "flush_i": "1'b0",
        "result_o": "o_r", "status_o": "status", "extension_bit_o": "", "tag_o": "", "mask_o": "",
        "aux_o": "", "out_valid_o": "", "out_ready_i": "1'b1", "busy_o": "", "reg_ena_i": "'0",
    }  # fmt: skip
    parameters = (
        f".FpFormat(fpnew_pkg::{_CVFPU_FORMATS[name]}), .NumPipeRegs({stages}), "
        ".PipeConfig(fpnew_pkg::DISTRIBUTED)"
    )
    flags = "assign o_flags = {status.NV, status.OF, status.UF, status.NX};" if every else ""
    return Public(
        project="CVFPU",
        name=name,
        unit=f"fma a={name} out={name}" + (FLAGS if every else ""),
        stages=stages,
        files=_CVFPU,
        includes={"common_cells": ("include",)},
        top=f"module {TOP}({_ports(fmt, every, stages)});\n"
        f"fpnew_pkg::status_t status;\nfpnew_fma #({parameters}) fma({_wired(pins)});\n"
        f"{flags}\nendmodule\n",
    )


def _hardfloat(name: str, every: bool) -> Public:
    fmt = FORMATS[name]
    assert isinstance(fmt, Float)
    sizes = f"#({fmt.exponent}, {fmt.precision})"
    wide = f"[{fmt.width}:0]"
    lines = [f"module {TOP}({_ports(fmt, every, 0)});", f"wire {wide} a, b, c, r;"]
    lines += [f"fNToRecFN {sizes} recode_{x}(i_{x}, {x});" for x in "abc"]
    pins = {
        "clock": "1'b0", "control": "1'b1", "op": "2'b00", "a": "a", "b": "b", "c": "c",
        "roundingMode": "i_rm" if every else "3'b000", "out": "r", "exceptionFlags": "flags",
        "out_imul": "",
    }  # fmt: skip
    lines += [
        "wire [4:0] flags;",
        f"mulAddRecFN #(.expWidth({fmt.exponent}), .sigWidth({fmt.precision}), .imulEn(1'b0)) "
        f"fma({_wired(pins)});",
        f"recFNToFN {sizes} decode(r, o_r);",
        "assign o_flags = {flags[4], flags[2:0]};" if every else "",
        "endmodule",
    ]
    return Public(
        project="HardFloat",
        name=name,
        unit=f"fma a={name} out={name}" + (FLAGS if every else ""),
        files=_HARDFLOAT,
        includes={"basejump_stl": ("bsg_misc",), "hardfloat": ("source", "source/RISCV")},
        top="\n".join(lines) + "\n",
    )


def _plain_mac() -> Public:
    """What a designer writes without a generator."""
    return Public(
        project="plain Verilog",
        name="int8 MAC",
        unit="int-mac a=int8 lanes=1 bias=false wrap=true",
        files={},
        top=f"module {TOP}(input clk, first, input signed [7:0] a, b,\n"
        "output reg signed [31:0] r);\n"
        "always @(posedge clk) r <= (first ? 0 : r) + a * b;\nendmodule\n",
        note="the first of a sequence is told, where macaw is told the last",
    )


def _plain_requantizer(profile: str, bits: int) -> Public:
    """What a designer writes without a generator: shifters that keep a bit below the result, so
    that what is rounded is as narrow as the result; and between two roundings a word of 32 bits,
    which may saturate early, since whatever does saturates in the end.
    """
    lines = [
        f"module {TOP}(input signed [31:0] i_x, input [{bits - 1}:0] i_multiplier,",
        "input signed [7:0] i_shift, output [7:0] o_r);",
        "wire signed [5:0] shift = i_shift < -32 ? -32 : i_shift > 31 ? 31 : i_shift[5:0];",
        f"wire signed [{31 + bits}:0] product = i_x * $signed({{1'b0, i_multiplier}});",
    ]
    if profile == "tflite_double":
        top = 33
        lines += [
            "wire [4:0] left = shift[5] ? 0 : shift[4:0];",
            "wire [5:0] right = shift[5] ? -shift : 0;",
            "wire signed [63:0] first = $signed({product, 1'b0}) >>> (5'd31 - left);",
            "wire in_word = &first[63:32] | ~|first[63:32];",
            "wire [32:0] word = in_word ? first[32:0] : {first[63], {32{~first[63]}}};",
            # Ties that are to go down are made less than ties by a count.
            "wire down = word[32] & shift[5];",
            "wire [32:0] step = down ? {33{~word[0]}} : {32'b0, word[0]};",
            "wire signed [32:0] high = $signed(word[32:1]) + $signed(step);",
            "wire signed [33:0] halves = $signed({high, 1'b0}) >>> right;",
        ]
    else:
        top = 63
        lines += [
            "wire [5:0] right = 31 - shift;",
            f"wire signed [63:0] halves = $signed({{product, {32 - bits}'b0}}) >>> right;",
        ]
    lines += [
        f"wire fits = &halves[{top}:8] | ~|halves[{top}:8];",
        "wire [8:0] rounded = {halves[8], halves[8:1]} + halves[0];",
        f"assign o_r = !fits ? {{halves[{top}], {{7{{~halves[{top}]}}}}}}",
        "  : rounded[8:7] == 2'b01 ? 127 : rounded[7:0];",
        "endmodule",
    ]
    return Public(
        project="plain Verilog",
        name=f"requantisation, {profile}, 32 x {bits}",
        unit=f"requantize profile={profile} bits={bits}",
        files={},
        top="\n".join(lines) + "\n",
    )


def _nvdla() -> Public:
    """The converter at the end of NVDLA's single data processor: four registers, one a clock."""
    pins = {
        "cfg_mode_eql": "1'b0", "cfg_offset": "32'b0", "cfg_out_precision": "2'b0",
        "cfg_scale": "{1'b0, i_multiplier}", "cfg_truncate": "i_right", "cvt_data_in": "i_x",
        "cvt_in_pvld": "1'b1", "cvt_out_prdy": "1'b1", "nvdla_core_clk": "clk",
        "nvdla_core_rstn": "~rst", "cvt_data_out": "r", "cvt_in_prdy": "", "cvt_out_pvld": "",
        "cvt_sat_out": "",
    }  # fmt: skip
    return Public(
        project="NVDLA",
        name="SDP converter, 32 x 15",
        unit="requantize profile=half_away bits=15",
        stages=4,
        files={
            "nvdla": (
                *("NV_NVDLA_HLS_shiftrightsatsu.v", "NV_NVDLA_HLS_saturate.v"),
                "NV_NVDLA_SDP_HLS_C_int.v",
            )
        },
        top=f"module {TOP}(input clk, rst, input [31:0] i_x, input [14:0] i_multiplier,\n"
        "input [5:0] i_right, output [7:0] o_r);\nwire [15:0] r;\nassign o_r = r[7:0];\n"
        f"NV_NVDLA_SDP_HLS_C_int converter({_wired(pins)});\nendmodule\n",
        note="right shifts alone; scale and shift are settings, which no register carries along; "
        "its offset is tied to zero, and its handshake to always",
    )


def _ku_leuven() -> Public:
    """Sums of scaled products into a float, of formats that are chosen at run time."""
    ports = [f"{side}_mant{n}" for side in "ab" for n in range(4)]
    exponents = [f"{side}_exp_in{n}" for side in "ab" for n in range(4)]
    signs = [f"{side}_sign_in{n}" for side in "ab" for n in range(4)]
    scales = ["shared_exps0", "shared_exps1"]
    inputs = {**dict.fromkeys((*ports, *scales), 8), **dict.fromkeys(exponents, 10),
              **dict.fromkeys(signs, 4), **dict.fromkeys(("prec_mode", "FP_mode"), 2)}  # fmt: skip
    pins = {name: name for name in inputs} | {
        "clk_i": "clk", "rstn": "~rst", "rnd_mode_i": "fpnew_pkg::RNE",
        "dst_fmt_i": "fpnew_pkg::FP32", "MAC_mant_out": "r[22:0]", "MAC_exp_out": "r[30:23]",
        "MAC_sign_out": "r[31]",
    }  # fmt: skip
    given = ", ".join(f"input [{width - 1}:0] {name}" for name, width in inputs.items())
    names = ("cf_math_pkg", "fpnew_pkg", "lzc", "lfsr_sr", "fpnew_classifier", "fpnew_rounding",
             "mul_2bit", "L1_FP4_impr", "Add_tree_full_INT_FP4_impr", "ST_mul_pipelined",
             "MX_MAC")  # fmt: skip
    folder = "Long_integer_addition_approach"
    return Public(
        project="KU Leuven",
        name="MX MAC of 8 FP8",
        unit="block-mac a=mxfp8-e4m3 out=fp32 acc=fp32 lanes=8",
        files={"precision-scalable-mx": tuple(f"{folder}/{name}.sv" for name in names)},
        includes={"precision-scalable-mx": (f"MAC_designs/{folder}",)},
        top=f"module {TOP}(input clk, rst, {given}, output [31:0] r);\n"
        f"MX_MAC mac({_wired(pins)});\nendmodule\n",
        note="4 products of INT8, 8 of FP8 or FP6, or 16 of FP4 a clock, as is told at run time",
    )


def _mx_for_fpga(name: str, width: int, result: int, module: str, files: tuple[str, ...]) -> Public:
    """A sum of 32 products of elements of ``width`` bits, by a module with its parameters."""
    lanes = 32
    return Public(
        project="MX-for-FPGA",
        name=f"{name} dot of {lanes}",
        unit=f"block-dot a={name} out=fp32",
        files={"mx-for-fpga": files},
        top=f"module {TOP}(input [{lanes * width - 1}:0] a, b, output [{result - 1}:0] r);\n"
        f"logic signed [{width - 1}:0] x [{lanes}], y [{lanes}];\n"
        f"always_comb for (int i = 0; i < {lanes}; i++) begin x[i] = a[i*{width} +: {width}]; "
        f"y[i] = b[i*{width} +: {width}]; end\n"
        f"{module}, .k({lanes})) dot(.i_vec_a(x), .i_vec_b(y), .o_dp(r));\nendmodule\n",
        note="integer sum alone: no scales, no addend, no rounding",
    )


def _mx_for_fpga_floats(name: str, exponent: int, mantissa: int) -> Public:
    result = 2 * ((1 << exponent) + mantissa) + 5
    module = f"dot_fp #(.exp_width({exponent}), .man_width({mantissa})"
    files = ("mul_int.sv", "mul_fp.sv", "vec_mul_fp.sv", "vec_sum_int.sv", "dot_fp.sv")
    return _mx_for_fpga(name, 1 + exponent + mantissa, result, module, files)


def _mx_for_fpga_integers(width: int) -> Public:
    files = ("mul_int.sv", "vec_mul_int.sv", "vec_sum_int.sv", "dot_int.sv")
    module = f"dot_int #(.bit_width({width})"
    return _mx_for_fpga(f"mxint{width}", width, 2 * width + 5, module, files)


def _mx_dotp(name: str, stages: int) -> Public:
    """A block, both scales, an addend in fp32, one rounding: the very function of a block-dot."""
    block = format(name)
    assert isinstance(block, Block)
    wide = f"[{32 * block.element.width - 1}:0]"
    clock = "input clk, rst, " if stages else ""
    pins = {
        "clk": "clk" if stages else "1'b0", "rst_n": "~rst" if stages else "1'b1",
        "in_valid": "1'b1", "a": "i_a", "b": "i_b", "xa": "i_a_scale", "xb": "i_b_scale",
        "c": "i_c", "out_valid": "", "r": "o_r",
    }  # fmt: skip
    return Public(
        project="mx-dotp",
        name=f"{name} dot of 32",
        unit=f"block-dot a={name} out=fp32",
        stages=stages,
        files={"mx-dotp": ("mx_dec.v", "mx_lzc.v", "mx_pipe.v", "mx_dotp.v")},
        top=f"module {TOP}({clock}input {wide} i_a, i_b, input [7:0] i_a_scale, i_b_scale,\n"
        "input [31:0] i_c, output [31:0] o_r);\n"
        f"mx_dotp #(.FMT_A({_MX_DOTP[name]}), .FMT_B({_MX_DOTP[name]}), .K(32), "
        f".PIPE(4'd{(1 << stages) - 1})) dot({_wired(pins)});\nendmodule\n",
    )


def _xtramac() -> Public:
    """A multiplication that is cut off and an addition behind it, of which 4 clocks are asked."""
    return Public(
        project="XtraMAC",
        name="fp16 MAC",
        unit="fma a=e5m10ftz out=e5m10ftz",
        stages=4,
        files={"xtramac": ("fp16_mul.v", "fp16_add.v", "fp16_mac.v")},
        top="module dsp_usage(input clk, input [26:0] a, input [17:0] b, output [44:0] product);\n"
        "assign product = a * b;\nendmodule\n"
        f"module {TOP}(input clk, input [15:0] a, b, c, output [15:0] r);\n"
        "fp16_mac mac(.clk(clk), .a16(a), .b16(b), .c16(c), .result(r));\nendmodule\n",
        note="its product is cut off, not rounded, and of the lesser addend one bit more is kept",
    )


UNITS = (
    *(_cvfpu(name, True, 0) for name in _CVFPU_FORMATS),
    *(_cvfpu(name, False, 0) for name in _CVFPU_FORMATS),
    *(_cvfpu(name, True, 3) for name in ("fp32", "fp16")),
    *(_hardfloat(name, True) for name in ("fp32", "fp16", "bf16")),
    _plain_mac(),
    *(_plain_requantizer(*each) for each in REQUANTISERS),
    _nvdla(),
    _xtramac(),
    *(_mx_dotp(name, 0) for name in _MX_DOTP),
    _mx_dotp("mxfp4", 3),
    _mx_for_fpga_floats("mxfp4", 2, 1),
    _mx_for_fpga_floats("mxfp6-e3m2", 3, 2),
    _mx_for_fpga_integers(8),
    _ku_leuven(),
)


def row(unit: Public) -> str:
    """The name of a row, each its own."""
    modes = ", all modes" if FLAGS in unit.unit else ""
    stages = f", {unit.stages} stages" if unit.stages else ""
    return f"{unit.project} {unit.name}{modes}{stages}"


def metadata(read: Source) -> dict[str, Any]:
    """Ports of a unit that is not macaw's function, as they stand in its module."""
    with processes.temporary_folder() as work:
        files.write(work / "unit.v", read.verilog)
        return from_verilog(work / "unit.v", TOP).metadata


def found(checkout: Path, name: str) -> Path:
    """The file of a checkout that has a name, the least deep one; SpecError where there is none."""
    every = sorted(checkout.rglob(name), key=lambda path: (len(path.parts), path))
    if not every:
        raise SpecError(f"{checkout}: has no {name}")
    return every[0]


def source(public: Public, checkouts: dict[str, Path]) -> Source:
    """The unit as one module in plain Verilog, by Yosys' reader of SystemVerilog.

    Raises
    ------
    SpecError
        A checkout has no such file.
    ToolError
        Yosys does not read what is there.
    """
    with processes.temporary_folder() as work:
        names: list[str] = []
        for checkout, wanted in public.files.items():
            for name in wanted:
                path = found(checkouts[checkout], name)
                names.append(f"{len(names)}_{path.name}")
                shutil.copyfile(path, work / names[-1])
        include = work / "include"
        include.mkdir()
        for checkout, folders in public.includes.items():
            for folder in folders:
                if not (checkouts[checkout] / folder).is_dir():
                    raise SpecError(f"{checkouts[checkout]}: has no {folder}")
                shutil.copytree(checkouts[checkout] / folder, include, dirs_exist_ok=True)
        files.write(work / "top.sv", public.top)
        script = (
            f"read_slang --threads 1 --top {TOP} -I include {' '.join(names)} top.sv\n"
            f"hierarchy -check -top {TOP}\nproc\nflatten\nopt_clean\n"
            "write_verilog -noattr plain.v\n"
        )
        files.write(work / "read.ys", script)
        yosys = tools.find("yosys", prefer="yowasp")
        tools.call(yosys, ("-q", "-s", "read.ys"), folder=work, timeout=TIMEOUT, what=public.name)
        verilog = (work / "plain.v").read_text(encoding="utf-8")
    return Source(name=TOP, verilog=verilog, metadata={})
