# SPDX-License-Identifier: BSD-2-Clause
"""Scalar reference for blocks in and out, and the Hadamard transform, in fractions.

A beat is a dict of the codes of a unit's operands; those with lanes are lists.
"""

from .arithmetic import groups
from .arithmetic.block_scales import quantize
from .arithmetic.scalar import (
    TWO,
    direction,
    field_exponent,
    integer,
    is_fixed,
    opposite,
    product,
    project,
    total,
    value,
)
from .arithmetic.statistics import of_block, told
from .dots import aligned

KINDS = ("block-quantize", "block-dequantize", "hadamard")


def block_quantize(spec, beat):
    """Elements, scale and zero point; docs/quantisation.md. Without a tensor's scales that can be
    used, the scale is a NaN and the elements are zero. And which saturate, if any is rounded."""
    rounding, words = direction(spec, beat)
    if spec.out.zero_point is not None:
        r, scale, zero = groups.quantize(
            [value(code, spec.a) for code in beat["a"]],
            spec.out,
            rounding=rounding,
            order=str(spec.order),
            min_scale=str(spec.min_scale),
            words=words or None,
            bits=spec.random_bits,
        )
        return {"r": r, "scale": scale, "zero": zero}, []
    tensor = (1, 1)
    if spec.out.second_scale is not None:
        fp32 = spec.ports.inputs["encode"].format
        tensor = [value(beat[name], fp32) for name in ("encode", "decode")]
        if any(isinstance(x, str) or x <= 0 for x in tensor):
            scale = project("nan", spec.out.scale, "rne", "nonfinite")[0]
            return {"r": [0] * spec.size, "scale": scale}, []
    over = []
    r, scale = quantize(
        [value(code, spec.a) for code in beat["a"]],
        spec.out,
        rounding=rounding,
        scale_rule=str(spec.scale_rule),
        order=str(spec.order),
        min_scale=str(spec.min_scale),
        tensor=tensor,
        words=words or None,
        bits=spec.random_bits,
        least=value(0, spec.a),
        over=over,
    )
    return {"r": r, "scale": scale}, over


def results(spec, beat, values):
    """Each value rounded once, with a word of its own."""
    rounding, words = direction(spec, beat)
    overflow = spec.overflow and str(spec.overflow)
    return [
        project(x, spec.out, rounding, overflow, word, spec.random_bits)[0]
        for x, word in zip(values, words or [0] * len(values), strict=True)
    ]


def block_dequantize(spec, beat):
    """Elements, less a zero point, times their scale. OCP MX 1.0, 5; ONNX DequantizeLinear. One
    that is a float is a term beside the product, with the scale or, a minimum, without."""
    scale = value(beat["a_scale"], spec.a.scale)
    elements = [value(code, spec.a.element) for code in beat["a"]]
    if "a_zero" in beat and not is_fixed(spec.a.zero_point):
        term = value(beat["a_zero"], spec.a.zero_point)
        term = term if spec.a.minimum else product(opposite(term), scale)[0]
        down = str(spec.rounding) == "rdn"
        values = [total([product(x, scale)[0], term], down)[0] for x in elements]
        return {"r": results(spec, beat, values)}
    if "a_zero" in beat:
        zero, fmt = integer(beat["a_zero"], spec.a.zero_point), spec.a.element
        elements = [(integer(code, fmt) - zero) / TWO**fmt.fraction for code in beat["a"]]
    values = [product(x, scale)[0] for x in elements]
    return {"r": results(spec, beat, values)}


def hadamard(spec, beat):
    """Sylvester's matrix, row by row; halves of the exponent of its size are left to a scale."""
    values = [value(code, spec.a) for code in beat["a"]]
    values = [opposite(x) if spec.signs >> j & 1 else x for j, x in enumerate(values)]
    exponents = [field_exponent(code, spec.a) for code in beat["a"]]
    down = str(spec.rounding) == "rdn"
    factor = TWO ** -((spec.size.bit_length() - 1) // 2)
    sums = []
    for i in range(spec.size):
        terms = [opposite(x) if (i & j).bit_count() % 2 else x for j, x in enumerate(values)]
        if spec.accumulation == "exact":
            x = total(terms, down)[0]
        else:
            bits = int(spec.accumulation.removeprefix("aligned(").removesuffix(")"))
            x = aligned(terms, exponents, bits, down)
        sums.append(product(x, factor)[0])
    return {"r": results(spec, beat, sums)}


def quantized(spec, beats):
    """The results of each block, with statistics where they are wanted."""
    found = [block_quantize(spec, beat) for beat in beats]
    if not spec.statistics:
        return [result for result, _ in found]
    elements = []
    for beat, (result, over) in zip(beats, found, strict=True):
        values = [value(code, spec.a) for code in beat["a"]]
        # Of a block of zeros and of what is no number, no other element is rounded.
        over = over if len(over) == len(values) else [False] * len(values)
        elements.append(list(of_block(spec, values, result["r"], result["scale"], over)))
    counts = told(spec, elements, [beat["end"] for beat in beats])
    return [result | each for (result, _), each in zip(found, counts, strict=True)]


def evaluate(spec, beats):
    """The results of each beat, by name."""
    if spec.kind == "block-quantize":
        return quantized(spec, beats)
    unit = {"block-dequantize": block_dequantize, "hadamard": hadamard}[spec.kind]
    return [unit(spec, beat) for beat in beats]
