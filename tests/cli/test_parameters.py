# SPDX-License-Identifier: BSD-2-Clause
"""What `macaw units NAME` prints against what the unit takes, for each kind and each parameter."""

import functools
import itertools
import re
from typing import Any

import numpy as np
import pytest

from macaw import hdl
from macaw.cli import main, parameters
from macaw.golden.errors import MacawError, SpecError
from macaw.golden.formats.block import format as any_format
from macaw.golden.formats.choices import Nan, Overflow, Rounding, Tininess
from macaw.golden.units import UNITS, Unit, unit
from macaw.hdl.units import DATAPATHS, limits

# Formats of an operand or result that this page thinks of, in place of those that help tries.
FORMATS = ("e2m1", "int4", "fx8.4", "ufx10.4", "e4m3", "int8", "uint8", "fx10.6", "mxfp4", "mxint8",
           "nvfp4", "flex10+4", "flex16+5", "fp16", "fp32")  # fmt: skip
# Of the parameters that are no formats, what makes a unit small, or opens another parameter.
MORE: dict[str, tuple[dict[str, Any], ...]] = {
    **dict.fromkeys(("mul", "add", "fma", "cast", "div", "sqrt", "relu"), ({}, {"flags": True})),
    "block-quantize": ({"size": 2},),
    "block-dequantize": ({"size": 2},),
    "block-dot": ({}, {"size": 2, "lanes": 2}, {"accumulation": "aligned(24)"}),
    "block-mac": ({}, {"acc": "exact"}),
    "mac": ({}, {"acc": "fp16"}, {"acc": "int24"}),
    "hadamard": ({"size": 2}, {"size": 16}),
    "int-gelu": ({}, {"scale": "1/20"}),
    "softmax": ({}, {"row": 1, "bits": 4, "gamma": "-0.03", "zeta": "1.003"}),
    "softmax-sum": ({}, {"row": 1, "bits": 4}),
    "rmsnorm": ({}, {"row": 1, "bits": 8, "eps": "1/1024"}, {"weight": "e4m3"}),
    "layernorm": ({}, {"row": 1, "bits": 8, "eps": "1/1024"}, {"weight": "e4m3", "bias": "fp16"}),
    "int-softmax-rows": ({}, {"row": 1, "lanes": 2, "scale": "1/20"}),
    "int-softmax": ({"lanes": 2}, {"lanes": 2, "scale": "1/20"}),
    "int-layernorm": ({"lanes": 2},),
    "residual-add": tuple({"form": form} for form in ("separate", "single", "tflite")),
    "flex-matmul": ({"rows": 1, "columns": 2},),
    "autoflex": ({"length": 2}, {"profile": "ngraph"}),
    "loss-scale": ({}, {"rule": "underflow"}, {"rule": "largest"}),
    "lfsr": ({}, {"width": 8}),
    "int-exp2": ({}, {"base": "e"}),
    "compare": ({}, {"flags": True}),
    "table": ({"function": "tanh"},),
    "function": ({"function": "tanh"},),
    "pipeline": (
        {"stages": "add(a=int8, out=int8) | clamp"},
        {"stages": "int-mac | requantize", "channels": 2, "stored": "requantize_shift"},
    ),
}


@functools.cache
def contexts(kind: str) -> tuple[dict[str, Any], ...]:
    """Parameters that golden takes: formats one beside another, with what MORE adds."""
    cls = UNITS[kind]
    hints = parameters.hints_of(cls)
    named = [name for name, hint in hints.items() if parameters.kinds_of(hint)]
    found = []
    for more in MORE.get(kind, ({},)):
        rotations = {n: itertools.cycle(FORMATS[i:] + FORMATS[:i]) for i, n in enumerate(named)}
        tried = [dict.fromkeys(named, f) for f in FORMATS]
        tried += [dict.fromkeys(named[: i + 1], f) for f in FORMATS for i in range(len(named))]
        tried += [{n: next(r) for n, r in rotations.items()} for _ in FORMATS] * bool(named)
        tried += [dict(zip(named, pair)) for pair in itertools.permutations(FORMATS, 2)]
        tried += [
            {"a": a, "out": out} for a in FORMATS for out in FORMATS if {"a", "out"} <= {*named}
        ]
        for given in (*tried, {}):
            context = given | more
            if context not in found and made(kind, context) is not None:
                found.append(context)
    assert found, f"{kind}: nothing makes it"
    return tuple(found)


def made(kind: str, given: dict[str, Any]) -> Unit | None:
    try:
        return unit(kind, **given)
    except MacawError:
        return None


def operands(spec: Unit) -> dict[str, Any]:
    """Codes of zero for two beats, each the last of its sum, and of the memory written."""
    once = {"last", "end", "write"}
    return {
        name: np.full((2, *((port.lanes,) if port.lanes else ())), int(name in once), np.uint8)
        for name, port in spec.ports.inputs.items()
    }


def takes(kind: str, given: dict[str, Any]) -> bool:
    """Whether golden makes the unit and evaluates it."""
    spec = made(kind, given)
    if spec is None:
        return False
    assert unit(kind, **spec.parameters) == spec
    results = spec.evaluate(**operands(spec))
    assert results.keys() == spec.ports.outputs.keys()
    return True


def printed(kind: str) -> dict[str, dict[str, str]]:
    return {row["name"]: row for row in parameters.parameters(UNITS[kind])}


def words_of(allowed: str) -> list[str]:
    """The words of a list of them, none where it is a description."""
    if " or " in allowed:
        head = re.match(r"((?:[\w-]+, )+)or a[n]? (?:format|integer)", allowed)
        return head[1].removesuffix(", ").split(", ") if head else []
    if allowed in ("text", "integer", "number"):
        return []
    return allowed.split(", ") if re.fullmatch(r"([\w-]+, )*[\w-]+", allowed) else []


POOL = {str(w) for enum in (Rounding, Overflow, Nan, Tininess) for w in enum} | {
    "default", "true", "false", "frob", "none", "paper", "separate", "tflite_single", "floor",
}  # fmt: skip
RANGE = re.compile(r"integer from (-?\d+) to (-?\d+)")
# What gates say, and the words of `macaw units` for it.
REFUSALS = {
    r"gates take floats of at most 32 bits": "floats of more than 32 bits (fp64)",
    r"overflow=wrap with a bias": "overflow=wrap with a bias",
    r"overflow=wrap: gates wrap sums": "overflow=wrap unless all operands are fixed point",
    r"gates (take|wrap)": "what they refuse of a stage",
    r"needs? \d+ bits, and gates take at most": "exact sums of more bits than widest_sum",
    "block of several beats": (
        "integer zero points of blocks of several beats, but for exact sums of fixed point"
    ),
    "gates accumulate in floats and fixed point": "a code book as acc",
    "gates have no polynomial": (
        "of 16 bits and less, formats for which no polynomial of the second degree is found"
    ),
}


def builds(spec: Unit) -> bool:
    """Whether gates take it; what they refuse has to be what help says."""
    try:
        hdl.build(spec)
    except SpecError as error:
        refusal = str(error)
    else:
        return True
    said = [words for what, words in REFUSALS.items() if re.search(what, refusal)]
    assert said, f"{spec}: {refusal}"
    assert set(said) & set(limits(type(spec))), f"{spec}: {refusal}"
    return False


@pytest.mark.parametrize("kind", UNITS)
def test_listed_words_are_taken_by_golden_and_gates_and_no_others(kind):
    for name, row in printed(kind).items():
        listed = words_of(row["allowed"])
        optional = {"none"} if UNITS[kind].__dataclass_fields__[name].default is None else set()
        for word in listed:
            beside = {"rounding": "sr"} if word == "lfsr" else {}
            given = (context | beside | {name: word} for context in contexts(kind))
            both = any(takes(kind, each) and builds(unit(kind, **each)) for each in given)
            assert both, f"{name}={word}"
        if listed:
            for word in POOL - set(listed) - optional:
                taken = [c for c in contexts(kind) if made(kind, c | {name: word}) is not None]
                assert not taken, f"{name}={word}: {taken[0]}"


@pytest.mark.parametrize("kind", UNITS)
def test_printed_bounds_are_the_bounds(kind):
    for name, row in printed(kind).items():
        if match := RANGE.fullmatch(row["allowed"]):
            low, high = int(match[1]), int(match[2])
            for value in (low, high):
                found = any(made(kind, c | {name: str(value)}) for c in contexts(kind))
                # Other parameters may bound it more narrowly: those are in terms of it.
                assert found or _bounded(kind, name, value), f"{name}={value}"
            for value in (low - 1, high + 1):
                taken = [c for c in contexts(kind) if made(kind, c | {name: str(value)})]
                assert not taken, f"{name}={value}: {taken[0]}"
        elif name not in ("x", "a", "b") and "integer" in row["allowed"]:
            assert (
                "range follows" in row["allowed"]
                or "or an integer of bits" in row["allowed"]
                or ("integer format" in row["allowed"])
            ), row


def _bounded(kind: str, name: str, value: int) -> bool:
    """Whether some other parameter is what refuses a value at the bound."""
    for context in contexts(kind):
        with pytest.raises(MacawError) as caught:
            unit(kind, **context | {name: str(value)})
        if str(caught.value).startswith(f"{name}={value}: must be an integer from"):
            return False
    return True


@pytest.mark.parametrize("kind", UNITS)
def test_required_parameters_are_required_and_defaults_are_what_is_printed(kind):
    for name, row in printed(kind).items():
        bare = [{n: v for n, v in c.items() if n != name} for c in contexts(kind)]
        left_out = [(c, spec) for c in bare if (spec := made(kind, c)) is not None]
        if row["default"] == "required":
            assert not left_out, f"{name}: {left_out[0][0]}"
            with pytest.raises(SpecError, match=f"{name} is missing"):
                unit(kind, **bare[0])
            continue
        assert left_out, name
        if match := re.fullmatch(r"as (\w+)", row["default"]):
            assert all(getattr(s, name) == getattr(s, match[1]) for _, s in left_out), name
            assert len({getattr(s, name) for _, s in left_out}) > 1, name
            continue
        if row["default"] == parameters.NOT_GIVEN:
            assert len({str(getattr(s, name)) for _, s in left_out}) > 1 or name == "random_bits"
            typed = "none"
        else:
            typed = row["default"]
        for context, spec in left_out:
            assert unit(kind, **context | {name: typed}) == spec, f"{name}={typed}: {context}"


@pytest.mark.parametrize("kind", UNITS)
def test_gates_and_golden_take_the_same_but_for_what_is_said(kind):
    rng = np.random.default_rng(1)
    every = contexts(kind)
    sample = [every[i] for i in rng.permutation(len(every))[:8]]
    sample += [c for c in every if set(c.values()) == {"fp32"}]  # wider than any gates' sum
    for context in sample:
        assert takes(kind, context)
        builds(unit(kind, **context))
    # What is said is so: something that golden takes is refused in these words.
    wide = [c | {n: "fp64"} for c in every for n in c if n in ("a", "b", "out")]
    wrap = [c | {"overflow": "wrap"} for c in every]
    for said in limits(UNITS[kind]):
        tried = wide if "fp64" in said else wrap if "wrap" in said else every
        if "stage" in said:
            tried = [{"stages": "cast(a=fp32, out=fp64) | cast(a=fp64, out=fp32)"}]
        if "beats" in said:
            tried = [{"a": "uint4-k4-fp16-zuint4", "b": "e2m1", "out": "fp16", "lanes": 2}]
        if "bias" in said:
            tried = [{"a": "e4m3", "out": "int8", "bias": "e4m3", "overflow": "wrap"}]
        if "acc" in said:
            tried = [c | {"acc": "nf4"} for c in every]
        (words,) = [what for what, each in REFUSALS.items() if each == said]
        assert any(refused(kind, given, words) for given in tried), said


def refused(kind: str, given: dict[str, Any], words: str) -> bool:
    try:
        spec = unit(kind, **given)
    except MacawError:
        return False
    try:
        hdl.build(spec, hdl.Implementation(widest_sum=8 if "at most" in words else 128))
    except SpecError as error:
        return bool(re.search(words, str(error)))
    return False


@pytest.mark.parametrize("kind", UNITS)
def test_fold_is_offered_where_there_is_one(kind, capsys):
    assert main(["units", kind]) == 0
    text = capsys.readouterr().out
    offered = bool(re.search(r"^fold ", text, re.M))
    assert offered == DATAPATHS[UNITS[kind]].folds
    for row in parameters.parameters(UNITS[kind]):
        assert re.search(rf"^{row['name']} +{re.escape(row['default'])} ", text, re.M), row
    context = next(c for c in contexts(kind) if builds(unit(kind, **c)))
    options = {"fold": 2, "flow": "valid"}
    if offered:
        hdl.build(unit(kind, **context), hdl.Implementation(**options))
    else:
        with pytest.raises(SpecError, match="take no turns"):
            hdl.build(unit(kind, **context), hdl.Implementation(**options))


@pytest.mark.parametrize("kind", UNITS)
def test_digits_are_offered_where_there_are_some(kind, capsys):
    assert main(["units", kind]) == 0
    offered = bool(re.search(r"^digits ", capsys.readouterr().out, re.M))
    assert offered == DATAPATHS[UNITS[kind]].iterates == (kind in ("div", "sqrt", "fpu"))
    context = next(c for c in contexts(kind) if builds(unit(kind, **c)))
    option = hdl.Implementation(digits=1, flow="stream")
    if offered:
        made = hdl.build(unit(kind, **context), option)
        # of an fpu quotients and roots alone take turns
        assert (made.pause if kind == "fpu" else made.initiation_interval) > 1
    else:
        with pytest.raises(SpecError, match=r"digits=1: .* none to find one after another"):
            hdl.build(unit(kind, **context), option)


def implementation(**options: Any) -> hdl.Implementation | None:
    try:
        return hdl.Implementation(**options)
    except SpecError:
        return None


def test_options_of_the_implementation():
    rows = {row["name"]: row for row in parameters.parameters(hdl.Implementation)}
    for name, row in rows.items():
        for word in words_of(row["allowed"]):
            value = None if word == "none" and name == "bus" else word
            beside = [{}, {"flow": "stream"}, {"bus": "axis"}, {"bus": "axis", "reset": "async"}]
            assert any(implementation(**more | {name: value}) for more in beside), f"{name}={word}"
        if match := RANGE.fullmatch(row["allowed"]):
            low, high = int(match[1]), int(match[2])
            for value in (low, high):
                hdl.Implementation(**{name: value, "flow": "valid"})
            for value in (low - 1, high + 1):
                with pytest.raises(SpecError, match=f"{name}={value}"):
                    hdl.Implementation(**{name: value})
    assert rows["stages"]["default"] == "0"
    assert hdl.Implementation() == hdl.Implementation(stages=0)


@pytest.mark.parametrize(
    ("kind", "name", "default", "allowed"),
    [  # what was printed wrongly once, by hand
        ("residual-add", "out", "as a", "an integer format of at most 32 bits"),
        ("residual-add", "b", "as a", None),
        ("clamp", "out", "as a", "an integer format of at most 32 bits"),
        ("average-pool", "out", "as a", None),
        ("int-dot", "a", "int8", None),
        ("int-dot", "b", "as a", None),
        ("dot", "rounding", "rne", "rne, rna, rtz, rup, rdn, rod, sr, srb, src"),
        ("block-quantize", "overflow", "default", "default, saturate"),
        ("flex-mac", "overflow", "default", "default, saturate"),
        ("mac", "acc", "exact", "exact, or a format"),
        ("autoflex", "out", "required", "a Flexpoint format, flex<N>+<M>"),
        ("isqrt", "x", "required", "unsigned fixed point with an even number of fraction bits"),
    ],
)
def test_what_was_wrong(kind, name, default, allowed):
    row = printed(kind)[name]
    assert row["default"] == default
    assert allowed in (None, row["allowed"])


def test_a_unit_without_its_format_says_so():
    for kind, name in (("autoflex", "out"), ("fma", "out"), ("pipeline", "stages")):
        given = {"a": "e4m3"} if kind == "fma" else {}
        with pytest.raises(SpecError, match=f"{kind}: parameter {name} is missing"):
            unit(kind, **given)


@pytest.mark.parametrize("x", ["int32", "fx32.8", "int12", "fx24.4"])
def test_powers_of_e_are_refused_where_a_step_would_overflow(x):
    fmt: Any = any_format(x)
    spec = made("int-exp2", {"x": x, "base": "e"})
    ends = [1 << (fmt.width - 1), (1 << (fmt.width - 1)) - 1]
    if spec is None:
        with pytest.raises(SpecError, match=f"x={re.escape(x)}: base=e with precision=15"):
            unit("int-exp2", x=x, base="e")
        return
    found = spec.evaluate(x=np.array(ends, np.uint32))
    low, high = spec.ports.outputs["exponent"].format.decode(found["exponent"]).tolist()
    assert low < 0 < high
    hdl.build(spec)
