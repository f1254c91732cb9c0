# SPDX-License-Identifier: BSD-2-Clause
"""What others call number formats: names that mean one of ours, and names that lead to ours."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..errors import FormatError, did_you_mean
from .texts import whole

_DTYPES_ELSEWHERE = {
    "float64": "fp64",
    "float32": "fp32",
    "float16": "fp16",
    "bfloat16": "bf16",
    "float8_e5m2": "e5m2",
    "float8_e4m3fn": "e4m3",
    "float8_e3m4": "e3m4",
    "float8_e5m2fnuz": "e5m2fnuz",
    "float8_e4m3fnuz": "e4m3fnuz",
    "float8_e4m3b11fnuz": "e4m3b11fnuz",
    "float8_e8m0fnu": "e8m0",
    "float6_e3m2fn": "e3m2",
    "float6_e2m3fn": "e2m3",
    "float4_e2m1fn": "e2m1",
}
# As numpy, ml_dtypes and torch write them; ONNX leaves out the underscore, MLIR and XLA say f.

ALIASES: dict[str, str] = {
    **_DTYPES_ELSEWHERE,
    **{
        spelled: fmt
        for name, fmt in _DTYPES_ELSEWHERE.items()
        for spelled in (name.replace("_", ""), name.replace("_", "").replace("float", "f"))
        if spelled != fmt
    },
    # ml_dtypes' dtype without fn has IEEE's infinities.
    "float8_e4m3": "e4m3ieee",
    "float8e4m3": "e4m3ieee",
    # ONNX
    "float8e8m0": "e8m0",
    "float4e2m1": "e2m1",
    # safetensors
    "f8_e5m2": "e5m2",
    "f8_e8m0": "e8m0",
    "f6_e3m2": "e3m2",
    "f6_e2m3": "e2m3",
    # C and IEEE 754
    "half": "fp16",
    "single": "fp32",
    "float": "fp32",
    "double": "fp64",
    "binary16": "fp16",
    "binary32": "fp32",
    "binary64": "fp64",
    # vendors and projects; CVFPU's fp8alt has infinities
    "bfloat": "bf16",
    "fp16alt": "bf16",
    "fp8alt": "e4m3ieee",
    "tfloat32": "tf32",
    "tensorfloat32": "tf32",
    "dlfloat": "dlfloat16",
    "fp8_e4m3": "e4m3",
    "fp8_e5m2": "e5m2",
    "fp8_e4m3fn": "e4m3",
    "fp8_e4m3fnuz": "e4m3fnuz",
    "fp8_e5m2fnuz": "e5m2fnuz",
    "fp6_e3m2": "e3m2",
    "fp6_e2m3": "e2m3",
    "fp4_e2m1": "e2m1",
    "e8m0fnu": "e8m0",
    "ue8m0": "e8m0",
    # blocks
    "mxfp8_e4m3": "mxfp8-e4m3",
    "mxfp8_e5m2": "mxfp8-e5m2",
    "mxfp6_e3m2": "mxfp6-e3m2",
    "mxfp6_e2m3": "mxfp6-e2m3",
    "mxfp4-e2m1": "mxfp4",
    "mxfp4_e2m1": "mxfp4",
    "flexpoint": "flex16+5",
    # ggml; its q8_0 is a name that others have for other scales
    "q4_1": "uint4-k32-fp16-mfp16",
    "q5_1": "uint5-k32-fp16-mfp16",
    # IEEE P3109; the grammar has all of them (:func:`canonical`)
    "binary8p3sf": "e5m2fnuz",
    "binary8p4sf": "e4m3fnuz",
}
"""What others call a format that is here, code for code, and its name here.

Module prefixes as in ``torch.float8_e4m3fn`` are left out (:data:`_MODULES`).
"""

_MODULES = ("torch", "ml_dtypes", "numpy", "np", "jax.numpy", "jnp", "tf", "onnx", "tensorproto")

LEADS: dict[str, str] = {
    "fp8": "is e4m3 or e5m2 (OCP; fp8 on AMD's CDNA3: e4m3fnuz or e5m2fnuz): say which",
    "float8": "is e4m3 or e5m2 (OCP), e4m3fnuz or e5m2fnuz: say which",
    "fp6": "is e3m2 or e2m3; with block scales mxfp6-e3m2 or mxfp6-e2m3: say which",
    "float6": "is e3m2 or e2m3: say which",
    "fp4": "is e2m1; with block scales mxfp4 or nvfp4; bitsandbytes' FP4 is a code book, fp4bnb: "
    "say which",
    "float4": "is e2m1; with block scales mxfp4 or nvfp4: say which",
    "hfp8": "is a pair: 1-4-3 forward with bias 11, here e4m3b11fnuz, and 1-5-2 backward, here "
    "e5m2: name the one that the operand has",
    "bf8": "is e5m2 (Intel; AMD's gfx950) or e5m2fnuz (AMD's CDNA3): say which",
    "hf8": "is e4m3 (Intel), or a half of hfp8, e4m3b11fnuz: say which",
    "f8_e4m3": "is e4m3 in safetensors, and e4m3ieee in MLIR and XLA: say which",
    "f8e4m3": "is e4m3ieee in MLIR and XLA, and e4m3 in safetensors: say which",
    "f8": "is fp64 in numpy, and e4m3 or e5m2 elsewhere: say which",
    "f4": "is fp32 in numpy, and e2m1 in safetensors: say which",
    "f2": "is fp16 in numpy: say fp16",
    "i8": "is int64 in numpy, and int8 in MLIR and safetensors: say which",
    "u8": "is uint64 in numpy, and uint8 in XLA and safetensors: say which",
    "i4": "is int32 in numpy, and int4 in MLIR: say which",
    "u4": "is uint32 in numpy, and uint4 in XLA: say which",
    "int": "has no width: say int8, int32 …",
    "uint": "has no width: say uint8, uint32 …",
    "bool": "is no number: uint1 is 0 and 1, binary is 1 and -1",
    "float4_e2m1fn_x2": "is two codes of e2m1 in a byte: say e2m1, and give one code an element",
    "mxfp8": "is mxfp8-e4m3 or mxfp8-e5m2: say which",
    "mxfp6": "is mxfp6-e3m2 or mxfp6-e2m3: say which",
    "mx": "is one of mxfp8-e4m3, mxfp8-e5m2, mxfp6-e3m2, mxfp6-e2m3, mxfp4, mxint8: say which",
    **dict.fromkeys(
        ("lns", *(f"lns{width}" for width in range(2, 9))),
        "has no fraction: say lns<width>.<fraction>, as lns8.3",
    ),
    "nupes": "has no width and power: say nupes<width>a<power>, as nupes4a1.5",
    **dict.fromkeys(
        (f"nupes{width}" for width in range(2, 9)),
        "has no power: say nupes<width>a<power>, as nupes4a1.5",
    ),
    "shift": "has no width: say shift2, shift3 or shift4",
    "power": "has no width: say power2, power3 or power4",
    "msfp12": "has sign and magnitude; near it is fx4.2sym-k16-e8m0, blocks of 16 whose elements "
    "are -1.75 to 1.75",
    "posit": "has no width: say posit8, posit16, posit32 …",
    "q4_0": "stores elements eight higher than they are: say int4-k32-fp16",
    "q5_0": "stores elements sixteen higher than they are: say int5-k32-fp16",
    **dict.fromkeys(
        ("fp128", "float128", "quad", "binary128", "longdouble"),
        "is too wide: fp64 is the widest",
    ),
}
"""What others say where it may be several formats, or none that is here: what it is in words.

An alias stands only for what is the same code for code; :func:`macaw.format` refuses these, and
says what to write.
"""

_P3109 = re.compile(r"binary(?P<width>\d+)p(?P<precision>\d+)(?P<sign>[su]?)(?P<domain>[ef]?)")


def _p3109(name: str, match: re.Match[str]) -> str:
    """What a format of IEEE P3109 (v4.0, 4.2), binary<K>p<P>[s|u][e|f], is in the grammar.

    Biases are ``2**(K-P-1)``, unsigned ``2**(K-P)``. What is left out is signed and extended, as
    in the first drafts.
    """
    width, precision = whole(match["width"]), whole(match["precision"])
    signed = match["sign"] != "u"
    exponent = width - precision + (not signed)
    if precision < 1 or exponent < 1:
        most = "less than its width" if signed else "its width"
        raise FormatError(f"{name}: this P3109 format needs a precision from 1 to {most}")
    stem = f"{'' if signed else 'u'}e{exponent}m{precision - 1}"
    if match["domain"] != "f":
        return f"{stem}ext"
    return f"{stem}fnuz" if signed else f"{stem}b{1 << (exponent - 1)}fn"


def canonical(name: str) -> str:
    """Return ``name`` in lower case, or what is its name here if it is one of :data:`ALIASES`.

    A name with a file's, of a code book, keeps its letters.

    FormatError with what to write for those of :data:`LEADS`.
    """
    key = name.strip().lower()
    if ".json" in key:
        return name.strip()
    module, dot, rest = key.rpartition(".")
    if dot and module.rpartition("onnx.")[2] in _MODULES:
        key = rest
    if lead := LEADS.get(key):
        raise FormatError(f"format {name!r}: {lead}")
    if match := _P3109.fullmatch(key):
        return _p3109(name, match)
    return ALIASES.get(key, key)


def unknown(name: str, known: Iterable[str]) -> FormatError:
    """The error for a name that is no format, with what is close among ``known`` and aliases."""
    key = name.strip().lower()
    if ".json" in key:
        return FormatError(
            f"unknown format {name!r}: a code book's file is <path>.json, of letters, digits and "
            "any of . / \\ _ ~ + - alone, blocks of it <path>.json-k64-fp32"
        )
    hint = did_you_mean(key, known, "see `macaw formats`", aliases=ALIASES, most=3, cutoff=0.5)
    return FormatError(f"unknown format {name!r}: {hint}")
