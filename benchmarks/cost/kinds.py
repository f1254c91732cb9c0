# SPDX-License-Identifier: BSD-2-Clause
"""What one unit of every kind costs, without registers in its way.

Figures that are not asked for stay. Each goes through macaw's cache.

Example: python -m benchmarks.cost.kinds --only "div*"
"""

from .measure import price_rows

ROWS = (
    "mul a=fp16",
    "add a=fp16",
    "fma a=fp16 out=fp16 rounding=dynamic flags=true",
    "cast a=fp32 out=e4m3",
    "div a=fp32 rounding=dynamic flags=true --digits 1",
    "sqrt a=fp32 rounding=dynamic flags=true --digits 1",
    "relu a=bf16 slope=1/8",
    "compare a=fp32",
    "minimum a=fp32",
    "maximum a=fp32",
    "classify a=fp32",
    "copy-sign a=fp32",
    "fpu a=fp32 operations=div,sqrt --digits 1",
    "dot a=fp16 lanes=4 out=fp32",
    "mac a=fp16 out=fp32",
    "block-dot a=mxfp4 lanes=32 out=fp32",
    "block-mac a=mxfp4 lanes=32 out=fp32",
    "block-quantize a=bf16 out=mxfp4",
    "block-dequantize a=mxfp4 out=bf16",
    "hadamard a=int8 size=16",
    "flex-mac a=flex16+5",
    "flex-matmul a=flex16+5",
    "flex-add a=flex16+5",
    "flex-mul a=flex16+5",
    "autoflex out=flex16+5",
    "loss-scale",
    "lfsr",
    "isqrt x=uint32",
    "int-exp2 x=fx16.12",
    "int-gelu x=fx8.4",
    "table a=e4m3 function=sigmoid",
    "function a=bf16 function=tanh",
    "softmax a=fp16 lanes=8 row=8 aligned=25",
    "softmax-sum a=fp16 lanes=8 row=8 aligned=25",
    "softmax-merge a=ufx43.25",
    "rmsnorm a=fp16 lanes=8 row=8 aligned=25",
    "layernorm a=fp16 lanes=8 row=8 aligned=20",
    "int-softmax-rows x=fx8.4 row=8",
    "int-softmax x=fx8.4",
    "int-layernorm x=int8",
    "int-dot",
    "int-mac bias=false wrap=true terms=65536",
    "requantize",
    "residual-add",
    "average-pool",
    "clamp",
)
"""A unit of each kind as the command line has it. ``pipeline`` is made of others."""


def main() -> None:
    price_rows("kinds", ROWS, "ecp5,asic", __doc__)


if __name__ == "__main__":
    main()
