# SPDX-License-Identifier: BSD-2-Clause
"""Bits of machines' sums beside MMA-Sim's and mmaemu's models of NVIDIA's and AMD's units.

Needs torch, mmasim and mmaemu in the environment (``pip install torch``, then ``pip install
--no-deps mmasim mmaemu``); none is a dependency of macaw. Every profile of ``macaw units dot`` but
``rvbna``, with all pairs of its operands and all results, on codes of every kind of :data:`KINDS`.
Not compared: the code of a NaN of CDNA3, of which MMA-Sim says nothing, and an addend of its FP8
that is not finite, which MMA-Sim leaves out as if it were small. Exit code 1 if a bit differs, 2 if
a package is missing.

Example: python -m benchmarks.studies.machine_models --vectors 2000
"""

import argparse
import importlib
import itertools
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np

from macaw import format, unit
from macaw.golden.arithmetic.accumulation import MACHINES, MachineSum, Scheme
from macaw.golden.formats import Float

from .. import positive

KINDS = ("codes", "near", "small", "zeros", "cancelling", "special")
"""Codes drawn evenly; of normal numbers; of the least ones; with many zeros; with sums that cancel;
with infinities and NaNs."""
TORCH = {
    "fp32": "float32",
    "tf32": "float32",
    "fp16": "float16",
    "bf16": "bfloat16",
    "e4m3": "float8_e4m3fn",
    "ue4m3": "float8_e4m3fn",
    "e5m2": "float8_e5m2",
    "e4m3fnuz": "float8_e4m3fnuz",
    "e5m2fnuz": "float8_e5m2fnuz",
    "e8m0": "float8_e8m0fnu",
}
"""Formats that torch has; codes of others are bytes."""
PTX = {"fp16": "f16", "fp32": "f32", "e8m0": "ue8m0"}
"""Names in NVIDIA's instructions, where they are not macaw's."""
AMD = {"fp16": "f16", "tf32": "xf32", "e4m3fnuz": "fp8", "e5m2fnuz": "bf8"}
"""Names in AMD's instructions."""
OTHERS = {"tensor-core(ada)": "ada", "tensor-core(hopper)": "hopper"}
"""Profiles of FP8 that mmaemu has."""
Codes = dict[str, np.ndarray]
Judge = Callable[[Codes], np.ndarray]


def drawn(fmt: Float, shape: tuple[int, ...], kind: str, rng: np.random.Generator) -> np.ndarray:
    """Codes of ``fmt``, finite but of the kind ``special``."""
    codes = rng.integers(0, 1 << fmt.width, shape)
    if kind == "near":
        x = rng.standard_normal(shape)
        codes = fmt.encode(x if fmt.signed else np.abs(x)).astype(int)
    sign = 1 << (fmt.width - 1) if fmt.signed else 0
    if kind == "small":
        codes = (codes & sign) | rng.integers(0, 5 << fmt.mantissa, shape)
    if kind == "zeros" and fmt.zero:
        codes[rng.random(shape) < 0.6] &= sign
    if kind != "special":
        codes[~np.isfinite(fmt.decode(codes))] = fmt.encode(1.0)
    return codes


def operands(
    rule: MachineSum, spec: Any, kind: str, vectors: int, rng: np.random.Generator
) -> Codes:
    """Codes of all inputs."""
    codes = {}
    for name, port in spec.ports.inputs.items():
        shape = (vectors, port.lanes) if port.lanes else (vectors,)
        finite = name == "c" and rule.scheme is Scheme.HALVES
        codes[name] = drawn(port.format, shape, "codes" if finite else kind, rng)
    if kind == "cancelling":
        half = codes["a"].shape[1] // 2
        if spec.a == spec.b and half:
            codes["a"][:, half : 2 * half] = codes["b"][:, :half]
            codes["b"][:, half : 2 * half] = codes["a"][:, :half]
            codes["b"][:, half : 2 * half] ^= 1 << (spec.ports.inputs["a"].format.width - 1)
    return codes


def nan(codes: np.ndarray, fmt: Float) -> np.ndarray:
    """Which codes are none."""
    return np.isnan(fmt.decode(codes))


def tensor(torch: ModuleType, codes: np.ndarray, fmt: Float) -> Any:
    """The numbers of the codes as torch has them."""
    if fmt.name == "tf32":
        codes = codes << 13
    width = max(8, 32 if fmt.name == "tf32" else fmt.width)
    array = torch.from_numpy(codes.astype(f"u{width // 8}"))
    return array if fmt.name not in TORCH else array.view(getattr(torch, TORCH[fmt.name]))


def mma_sim(torch: ModuleType, profile: str, rule: MachineSum, spec: Any) -> Judge:
    """What MMA-Sim says of one step or several."""
    nvidia = importlib.import_module("mmasim.nv_ptx")
    ports = spec.ports.inputs
    names = [ports[name].format.name for name in "abc"]
    a, b, c = (PTX.get(name, name) for name in names)
    chip = profile.removeprefix("tensor-core(").removesuffix(")")
    if profile == "cdna3":
        amd = importlib.import_module("mmasim.amd")
        a, b = (AMD.get(name, name) for name in names[:2])
        shape = {"fp16": "32x32x8", "bf16": "32x32x8", "tf32": "16x16x8"}.get(names[0], "16x16x32")
        pair = f"{a}_{b}" if shape == "16x16x32" else a
        model = amd.MFMA("CDNA3", f"f32_{shape}_{pair}")
    elif rule.scales:
        scale = ports["a_scale"].format.name
        size = spec.size // ports["a_scale"].lanes if ports["a_scale"].lanes else spec.size
        kind = "mxf8f6f4" if rule.products == 32 else "mxf4" if size == 32 else "mxf4nvf4"
        text = (
            f"m128n8k{rule.products}.kind::{kind}.block{size}.f32.{a}.{b}.{PTX.get(scale, scale)}"
        )
        model = nvidia.TCGen05MMABlockScale("Blackwell", text)
    elif chip == "blackwell":
        kind = {"tf32": "tf32", "fp16": "f16", "bf16": "f16"}.get(names[0], "f8f6f4")
        depth = {"tf32": 8, "f16": 16, "f8f6f4": 32}[kind]
        model = nvidia.TCGen05MMA("Blackwell", f"m64n8k{depth}.kind::{kind}.{c}.{a}.{b}")
    elif chip == "hopper":
        depth = {"tf32": 8, "fp16": 16, "bf16": 16}.get(names[0], 32)
        model = nvidia.WGMMA("Hopper", f"m64n8k{depth}.{c}.{a}.{b}")
    else:
        shape = {
            ("volta", "fp16"): "m8n8k4",
            ("turing", "fp16"): "m16n8k8",
            (chip, "tf32"): "m16n8k8",
        }.get((chip, names[0]), "m16n8k32" if ports["a"].format.width == 8 else "m16n8k16")
        architecture = {"ada": "Ada Lovelace"}.get(chip, chip.capitalize())
        model = nvidia.MMA(architecture, f"{shape}.{c}.{a}.{b}.{c}")

    def judge(codes: Codes) -> np.ndarray:
        given = {}
        for name, array in codes.items():
            fmt = ports[name].format
            if fmt.name == "e2m1":
                packed = rule.products == 64
                array = array[:, ::2] << 4 | array[:, 1::2] if packed else array << 2
            given[name] = tensor(torch, array, fmt)
            if name.endswith("_scale") and array.ndim == 1:
                given[name] = given[name][:, None]
        scales = [given[name] for name in ("a_scale", "b_scale") if name in given]
        found = model.dpa(given["a"], given["b"], given["c"], *scales)
        return found.view(torch.int16 if c == "f16" else torch.int32).numpy()

    return judge


def mma_emu(torch: ModuleType, preset: str, spec: Any) -> Judge:
    """What mmaemu says of one step or several of FP8."""
    chain = importlib.import_module("mmaemu.model.chain")

    def judge(codes: Codes) -> np.ndarray:
        a, b, c = (tensor(torch, codes[name], spec.ports.inputs[name].format) for name in "abc")
        return chain.dot(a, b, c, preset=preset).view(torch.int32).numpy()

    return judge


def cases() -> Iterator[tuple[str, MachineSum, Any]]:
    """Profiles, what they add, and a unit of each pair of operands, of two steps if it may be."""
    for profile, kinds in MACHINES.items():
        for rule in kinds if profile != "rvbna" else ():
            pairs = list(itertools.product(rule.operands, repeat=2))
            for scale, (a, b), out in itertools.product(rule.scales or [None], pairs, rule.results):
                count = 1 if rule.scheme is Scheme.HALVES else 2
                steps = {"lanes": count * rule.products}
                if scale is not None:
                    a, b = (f"{x}-k{scale[1]}-{scale[0]}" for x in (a, b))
                    steps = {"size": rule.products}
                # Of FP4 with scales the first kind that takes them is meant.
                if next(kind for kind in kinds if kind.takes(format(a), format(b))) is rule:
                    parameters = {"a": a, "b": b, "c": out, "out": out, "accumulation": profile}
                    name = "dot" if scale is None else "block-dot"
                    yield profile, rule, unit(name, **parameters, **steps)


def main() -> int:
    """Compare, print a line for each case, and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--vectors", type=positive, default=20_000, help="of each kind and unit")
    arguments = parser.parse_args()
    try:
        torch = importlib.import_module("torch")
        importlib.import_module("mmasim")
        importlib.import_module("mmaemu.model.chain")
    except ImportError as error:
        print(f"a model is not here, nothing was compared: {error}", file=sys.stderr)
        return 2
    total = differing = 0
    for number, (profile, rule, spec) in enumerate(cases()):
        judges = {"MMA-Sim": mma_sim(torch, profile, rule, spec)}
        if profile in OTHERS and rule.kept and spec.out.name == "fp32":
            judges["mmaemu"] = mma_emu(torch, OTHERS[profile], spec)
        for kind in KINDS:
            codes = operands(rule, spec, kind, arguments.vectors, np.random.default_rng(number))
            got = spec.evaluate(**codes)["r"]
            for name, judge in judges.items():
                want = judge(codes).view(got.dtype)
                differs = got != want
                if profile == "cdna3":
                    differs &= ~(nan(got, spec.out) & nan(want, spec.out))
                wrong = np.flatnonzero(differs)
                total += len(got)
                differing += len(wrong)
                if len(wrong):
                    print(f"{spec.name}, {kind}: {len(wrong)} of {len(got)} differ from {name}")
                    where = {key: array[wrong[0]].tolist() for key, array in codes.items()}
                    print(f"  {where}: {got[wrong[0]]:#x}, expected {want[wrong[0]]:#x}")
    print(f"{differing} differences in {total} sums")
    return int(differing > 0)


if __name__ == "__main__":
    sys.exit(main())
