# SPDX-License-Identifier: BSD-2-Clause
"""What one step of a machine's sum costs, beside other sums of the same products.

Figures that are not asked for stay. Each goes through macaw's cache.

Example: python -m benchmarks.cost.machines --only "dot a=bf16*"
"""

from .measure import price_rows

STEPS: dict[str, tuple[str, ...]] = {
    "dot a=fp16 lanes=4": ("tensor-core(volta)", "aligned(23,0,rtz)", "exact"),
    "dot a=fp16 lanes=8": ("tensor-core(ampere)", "cdna3", "aligned(24,0,rtz)", "exact"),
    "dot a=bf16 lanes=8": (
        *("tensor-core(ampere)", "cdna3", "rvbna", "aligned(24,0,rtz)", "aligned(24)"),
        "sequential",
    ),
    "dot a=tf32 lanes=4": ("tensor-core(ampere)", "cdna3", "aligned(24,0,rtz)"),
    "dot a=fp16 lanes=16": ("tensor-core(hopper)", "aligned(25,0,rtz)", "exact"),
    "dot a=e4m3 lanes=16": ("tensor-core(ada)", "rvbna", "aligned(13,0,rtz)", "exact"),
    "dot a=e4m3fnuz lanes=16": ("cdna3", "aligned(24)", "exact"),
    "dot a=e4m3 lanes=32": ("tensor-core(hopper)", "tensor-core(blackwell)", "rvbna", "exact"),
    "block-dot a=mxfp8-e4m3 size=32": ("tensor-core(blackwell)", "aligned(25,0,rtz)", "exact"),
    "block-dot a=nvfp4 size=64": ("tensor-core(blackwell)", "aligned(35,0,rtz)", "exact"),
}
"""The products of a step, and the profiles that add them."""


def row(step: str, profile: str) -> str:
    """A unit as the command line has it."""
    return f"{step} out=fp32 accumulation={profile}"


ROWS = tuple(row(step, profile) for step, profiles in STEPS.items() for profile in profiles)


def main() -> None:
    price_rows("machines", ROWS, "ecp5,asic", __doc__)


if __name__ == "__main__":
    main()
