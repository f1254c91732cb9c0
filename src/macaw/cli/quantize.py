# SPDX-License-Identifier: BSD-2-Clause
"""``macaw quantize``: tensors of a file in a format, and what is lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import macaw
from macaw.golden.errors import MacawError, SpecError
from macaw.tools.command import printable

from .options import AS_JSON
from .output import Progress, print_json, print_table

if TYPE_CHECKING:
    from macaw.golden.formats.block import AnyFormat
    from macaw.tensors.quantize import Loss

_LOSS = (
    "tensor",
    "elements",
    "scale",
    "SQNR dB",
    "max error",
    "max relative",
    "saturated",
    "underflowed",
    "lost",
    "inf/NaN",
    "replaced",
)


_BLOCK_OPTIONS = (
    "scale_rule",
    "grid",
    "centred",
    "order",
    "min_scale",
    "axis",
    "rotation",
    "packing",
)
_SCALAR_OPTIONS = ("overflow", "scale")


@click.command()
@click.argument("file")
@click.option("--format", "name", required=True, help="Format to encode to.")
@click.option("--rounding", default="rne", show_default=True, help="rne rna rtz rup rdn rod sr.")
@click.option(
    "--overflow",
    help="What becomes of values out of range: saturate, wrap …  [default: the format's]",
)
@click.option("--scale", help="Divide by this power of two; max.  [default: 1]")
@click.option("--axis", type=int, help="Blocks: the axis along which they lie.  [default: -1]")
@click.option(
    "--scale-rule", help="floor ceil rceil even of powers of two; mean median mse of others."
)
@click.option(
    "--grid", help="Of mse: linear(a,b,n), geometric(a,b,n).  [default: linear(1,0.21,79)]"
)
@click.option(
    "--centred", is_flag=True, default=None, help="Of mean, median: less the block's mean."
)
@click.option("--order", help="Other scales: paper te torchao ct exact.  [default: paper]")
@click.option("--min-scale", help="Other scales: none modelopt torchao ct.  [default: none]")
@click.option("--hadamard", "rotation", type=int, help="Blocks: rotate groups of this size first.")
@click.option("--packing", help="Blocks: write words of gptq gptq_v2 awq i2_s bnb4.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the words for sr.")
@click.option("--dtype", help="Format of arrays of raw bytes (V1, f1, V2) and of their size.")
@click.option("--include", multiple=True, help="Only tensors named so, as *.weight. Repeatable.")
@click.option("--exclude", multiple=True, help="No tensors named so. Repeatable.")
@click.option("--decode", "--dequantize", is_flag=True, help="FILE holds codes: back to values.")
@click.option("-o", "--output", help="Write codes (with --decode: values) to this file.")
@AS_JSON
def quantize(
    file: str,
    name: str,
    rounding: str,
    seed: int,
    decode: bool,
    output: str | None,
    as_json: bool,
    dtype: str | None,
    packing: str | None,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    **options: Any,
) -> None:
    """Encode the tensors of FILE and report the error.

    FILE is .npy, .npz, .safetensors, .onnx (pip install 'macaw[onnx]'), or .pt or .pth of PyTorch,
    of which no code is run. Tensors that cannot be encoded are named with the reason, and skipped.

    Nothing is written without -o. Codes are unsigned integers, in the tensors' shapes. Of a block
    format a tensor W becomes W.elements, W.scales and, if it has them, W.second_scale and W.zeros
    (zero points); to decode them give the same --axis and --hadamard. With --packing it becomes
    what a deployment stores of it, as W.qweight, W.qzeros, W.scales and W.g_idx.

    \b
    Examples:
      macaw quantize weights.npy --format e4m3
      macaw quantize weights.npy --format int8 --scale max -o codes.npz
      macaw quantize model.safetensors --format mxfp4 --include '*.weight' --exclude 'head.*'
      macaw quantize model.onnx --format e2m1 -o codes.safetensors
      macaw quantize model.pt --format nvfp4 --json
      macaw quantize bfloat16.npy --dtype bf16 --format e4m3
      macaw quantize codes.npz --format int8 --decode -o back.npz
      macaw quantize weights.npy --format nvfp4 --hadamard 16 -o blocks.npz
      macaw quantize blocks.npz --format nvfp4 --hadamard 16 --dequantize -o back.npz
      macaw quantize weights.npy --format uint4-k128-fp16-zuint4 --packing gptq -o gptq.npz
    """
    from macaw import tensors
    from macaw.golden.formats.block import Block
    from macaw.golden.formats.choices import Overflow, Rounding
    from macaw.golden.tensors.packing import packing as find_packing
    from macaw.tensors.quantize import array_of, arrays_of, decoded, quantize_blocks
    from macaw.tensors.quantize import quantize as encode

    fmt = macaw.format(name)
    Rounding.parse(rounding, "rounding")
    given = {key: value for key, value in options.items() if value is not None}
    _check_kind(fmt, given if packing is None else {**given, "packing": packing})
    if "overflow" in given:
        Overflow.parse(given["overflow"], "overflow")
    if seed < 0:
        raise SpecError(f"seed={seed}: must be an integer from 0 on")
    if output is not None:
        tensors.check_writable(Path(output))
    elif decode:
        raise SpecError("--decode needs a file to write the values to: -o FILE")
    elif packing is not None:
        raise SpecError("--packing needs a file to write the words to: -o FILE")
    if packing is not None:
        find_packing(packing)
    path = Path(file)
    written, losses, skipped = {}, {}, {}
    with Progress(f"quantize {file}") as progress:
        if decode:
            kept = {key: given[key] for key in ("scale", "axis", "rotation") if key in given}
            if dtype is not None:
                raise SpecError("--dtype is for values, and --decode takes codes")
            parts = (
                (part, codes)
                for part, codes in tensors.read(path)
                if tensors.chosen(array_of(part, fmt, packing), include, exclude)
            )
            if packing is not None:
                kept["packing"] = packing
            written |= decoded(file, parts, fmt, **kept)
            found = ()
        else:
            found = tensors.entries(path, dtype=dtype, include=include, exclude=exclude)
        for tensor, load in found:
            progress(printable(tensor)) if progress.live else None
            options = {"rounding": rounding, "seed": seed, **given}
            try:
                array = load()
                if isinstance(fmt, Block):
                    blocks, loss = quantize_blocks(array, fmt, **options)
                    codes = arrays_of(tensor, blocks, packing)
                else:
                    plain, loss = encode(array, fmt, **options)
                    codes = {tensor: plain}
            except SpecError as error:  # the same for every tensor
                raise SpecError(f"{file}: {tensor}: {error}") from None
            except MacawError as error:
                skipped[tensor] = str(error)
            except MemoryError:
                skipped[tensor] = "is too large for the memory that is there"
            else:
                losses[tensor] = loss
                if output is not None:
                    written |= codes
    if not (written or losses):
        tensor, why = next(iter(skipped.items()), ("", "none of its tensors is chosen"))
        others = f" ({len(skipped) - 1} more were skipped)" if len(skipped) > 1 else ""
        raise tensors.FileError(": ".join(filter(None, (file, tensor, why))) + others)
    if output is not None:
        scales = {f"macaw.scale.{tensor}": loss.scale for tensor, loss in losses.items()}
        metadata = {"macaw.format": fmt.name} | {key: repr(s) for key, s in scales.items()}
        if isinstance(fmt, Block):
            metadata |= {f"macaw.{key}": str(value) for key, value in given.items()}
            metadata |= {"macaw.packing": packing} if packing is not None else {}
        tensors.write(Path(output), written, {} if decode else metadata)
    if as_json:
        report = {tensor: loss.to_json() for tensor, loss in losses.items()}
        print_json({"format": fmt.name, "file": output, "tensors": report, "skipped": skipped})
        return
    if losses:
        _print_losses(losses)
    if skipped:
        click.echo()
        rows = [(printable(tensor), printable(why)) for tensor, why in skipped.items()]
        print_table(("skipped", "reason"), rows, left=2)
    if output is not None:
        click.echo(f"wrote {output}")


def _check_kind(fmt: AnyFormat, given: Iterable[str]) -> None:
    """SpecError for an option that goes with the other kind of formats."""
    from macaw.golden.formats.block import Block

    for key in _SCALAR_OPTIONS if isinstance(fmt, Block) else _BLOCK_OPTIONS:
        if key in given:
            kind = "scalar" if isinstance(fmt, Block) else "block"
            option = "hadamard" if key == "rotation" else key.replace("_", "-")
            raise SpecError(f"--{option} is for {kind} formats, and {fmt.name} is none")


def _print_losses(losses: Mapping[str, Loss]) -> None:
    from . import catalogue

    print_table(
        _LOSS,
        [
            (
                printable(tensor),
                f"{loss.elements:,}",
                catalogue.number(loss.scale),
                "exact" if loss.exact else _decibels(loss.sqnr_db),
                f"{loss.max_abs_error:.4g}",
                f"{loss.max_rel_error:.4g}",
                f"{loss.saturated:,}",
                f"{loss.underflowed:,}",
                f"{loss.lost:,}",
                f"{loss.nonfinite:,}",
                f"{loss.replaced:,}",
            )
            for tensor, loss in losses.items()
        ],
    )


def _decibels(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
