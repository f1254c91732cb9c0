# SPDX-License-Identifier: BSD-2-Clause
"""Operations of the floating-point unit against Berkeley SoftFloat, as RISC-V has it."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from macaw.golden.formats.choices import Rounding
from macaw.golden.units import Fpu, unit
from macaw.golden.units.fpu import FROM_INTEGER, FUSED, TO_INTEGER

from ...stimulus.draw import stimulus
from .check import Check, agree
from .scalars import softfloat_flags, softfloat_settings

WORDS = ("add", "sub", "mul", *FUSED, "div", "sqrt", "eq", "lt", "le", *TO_INTEGER, *FROM_INTEGER)
"""The operations that SoftFloat has."""
BATCH = 1 << 15

Number = Any
"""A code in SoftFloat's own type."""


def _numbers(sf: Any, kind: str, codes: np.ndarray, width: int) -> list[Number]:
    """Codes as SoftFloat takes them."""
    size = width // 8
    raw = codes.astype(f">u{size}").tobytes()
    make = getattr(sf, f"{kind}{width}").from_bytes
    return [make(raw[i : i + size]) for i in range(0, len(raw), size)]


def _call(sf: Any, spec: Fpu, word: str) -> Callable[..., Any]:
    """SoftFloat's function for an operation."""
    own, width = f"f{spec.a.width}", spec.integer.width
    whole = f"{'ui' if word.endswith('uint') else 'i'}{width}"
    if word in TO_INTEGER:
        return getattr(sf, f"{own}_to_{whole}")
    if word in FROM_INTEGER:
        return getattr(sf, f"{whole}_to_{own}")
    return getattr(sf, f"{own}_{'mul_add' if word in FUSED else word}")


def _judged(
    sf: Any, spec: Fpu, word: str, codes: dict[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Results and flags that SoftFloat has for one operation."""
    top = spec.a.code_dtype.type(1 << (spec.a.width - 1))
    turned = {"msub": "c", "nmsub": "a", "nmadd": "ac"}.get(word, "")
    if word in FROM_INTEGER:
        kind = "UInt" if word == "from-uint" else "Int"
        columns = [_numbers(sf, kind, codes["x"], spec.integer.width)]
    else:
        names = "abc" if word in FUSED else "a" if word in ("sqrt", *TO_INTEGER) else "ab"
        columns = [
            _numbers(sf, "Float", codes[n] ^ top if n in turned else codes[n], spec.a.width)
            for n in names
        ]
    call, found, flags = _call(sf, spec, word), [], []
    for row in zip(*columns, strict=True):
        sf.set_exception_flags(0)
        result = call(*row)
        holds = isinstance(result, bool)
        found.append(int(result) if holds else int.from_bytes(result.to_bytes(), "big"))
        flags.append(sf.get_exception_flags())
    return np.array(found, np.uint64), softfloat_flags(np.array(flags, np.uint8), sf)


def softfloat(name: str, integer: str, count: int) -> int:
    """All operations that SoftFloat has, with flags, all its directions and both kinds of tininess.

    A NaN is RISC-V's canonical one, bit for bit.
    """
    import softfloatpy as sf

    modes, when = softfloat_settings(sf)
    cases = 0
    share = -(-count // (len(modes) * len(when)))
    for number, (rounding, tininess) in enumerate(itertools.product(modes, when)):
        parameters = {"a": name, "integer": integer, "tininess": tininess}
        spec = unit("fpu", operations=WORDS, **parameters)
        assert isinstance(spec, Fpu)
        sf.set_rounding_mode(modes[rounding])
        sf.set_tininess_mode(when[tininess])
        for codes in stimulus(spec, vectors=share, seed=number, chunk=BATCH):
            codes["rm"][:] = Rounding.parse(rounding).code
            got = spec.evaluate(**codes)
            for word in WORDS:
                where = codes["op"] == spec.code(word)
                chosen = {port: array[where] for port, array in codes.items()}
                want, flags = _judged(sf, spec, word, chosen)
                have = got["rx" if word in ("eq", "lt", "le", *TO_INTEGER) else "r"][where]
                what = f"{word} of fpu {name} {integer} {rounding} {tininess}"
                agree(what, have, want, have == want, **chosen)
                raised = got["flags"][where]
                cases += agree(f"flags of {what}", raised, flags, raised == flags, **chosen)
    return cases


def checks() -> Iterator[Check]:
    """fp16 and fp32, with integers of 32 and of 64 bits."""
    for name, integer in itertools.product(("fp16", "fp32"), ("int32", "int64")):
        run = functools.partial(softfloat, name, integer, 2_000_000)
        yield Check(name=f"softfloat-fpu-{name}-{integer}", run=run, kind="fpu")
