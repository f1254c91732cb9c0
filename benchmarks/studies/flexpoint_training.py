# SPDX-License-Identifier: BSD-2-Clause
"""Does Flexpoint train as fp32 does? Two small networks on scikit-learn's digits.

Trains each in every arithmetic of ``training.RECIPES``, with several seeds. A run that is done is
kept in build/flexpoint-training (``--keep``), so that an interrupted study goes on where it
stopped. Needs scikit-learn: ``pip install macaw[studies]``.

    python -m benchmarks.studies.flexpoint_training
    python -m benchmarks.studies.flexpoint_training --quick --output build/quick
    python -m benchmarks.studies.flexpoint_training --record build/products.npz --network conv
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from macaw.tools import files

from .. import positive, results
from . import training

ROOT = Path(__file__).parents[2]
TRACED = ("0.z", "loss", "1.dw", "2.w")
"""Tensors of the perceptron in flex16+5 whose exponents are kept."""


class Kept:
    """Finished runs, one file each, named by all that they depend on but macaw itself."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _name(self, job: tuple[Any, ...]) -> str:
        name, kind, seed, settings = job
        recipe = asdict(training.RECIPES[name])
        layers = [[type(part).__name__, asdict(part)] for part in training.NETWORKS[kind]]
        key = json.dumps(
            [recipe, layers, kind, seed, asdict(settings), training.CURVE], sort_keys=True
        )
        return hashlib.sha256(key.encode()).hexdigest()[:20]

    def read(self, job: tuple[Any, ...]) -> dict[str, Any] | None:
        made = results.read(self._name(job), self.folder, {})
        return made | {"name": job[0]} if made else None

    def write(self, job: tuple[Any, ...], made: dict[str, Any]) -> None:
        results.write(self._name(job), made, self.folder)


def study(
    networks: Sequence[str],
    seeds: Sequence[int],
    settings: training.Settings,
    kept: Kept,
    again: bool,
    workers: int,
) -> list[dict[str, Any]]:
    """Train all that is not there yet; the runs in the order of networks, recipes and seeds."""
    jobs = [(n, k, s, settings) for k in networks for n in training.RECIPES for s in seeds]
    done = {job: None if again else kept.read(job) for job in jobs}
    left = [job for job in jobs if done[job] is None]
    say(f"{len(jobs)} runs, {len(jobs) - len(left)} of them done before, {workers} processes")
    # Matrices of this size are multiplied soonest by one thread; the runs go in parallel.
    with ProcessPoolExecutor(workers, initializer=threadpool_limits, initargs=(1,)) as pool:
        futures = {pool.submit(training.run, *job): job for job in left}
        try:
            for number, future in enumerate(as_completed(futures), 1):
                job, made = futures[future], future.result()
                done[job] = made
                kept.write(job, made)
                say(
                    f"[{number}/{len(left)}] {job[1]}, {job[0]}, seed {job[2]}: accuracy "
                    f"{100 * made['accuracy']:.2f} %, loss {made['loss']:.4f}, {made['seconds']} s"
                )
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            raise
    return [made for made in done.values() if made is not None]


def exponents(settings: training.Settings, seed: int) -> dict[str, list[Any]]:
    """What became of some tensors of the perceptron in flex16+5."""
    trace = training.Trace()
    training.train(training.RECIPES["flex16+5"], "mlp", seed, settings, trace)
    return {
        name: [[*entry[:3], float(f"{entry[3]:.5g}")] for entry in trace.tensors[name]]
        for name in TRACED
    }


def save_products(file: Path, kind: str, steps: int, seed: int) -> None:
    """Write every matrix product of some steps, to be repeated by hardware."""
    arrays: dict[str, np.ndarray] = {}
    listed = []
    for number, product in enumerate(training.record(kind, steps, seed)):
        entry: dict[str, Any] = {"name": product.name, "step": product.step}
        for role in ("a", "b", "result"):
            tensor = getattr(product, role)
            arrays[f"{number:04d}.{role}"] = tensor.mantissas
            entry[f"{role}_exponent"] = tensor.exponent
        entry |= {"maximum": product.result.maximum, "overflow": product.result.overflow}
        listed.append(entry | {"format": product.result.format.name})
    arrays["products"] = np.array(json.dumps(listed))
    packed = io.BytesIO()
    np.savez_compressed(packed, **arrays)  # type: ignore[arg-type]
    files.write(file, packed.getvalue())
    say(f"{len(listed)} products in {file}")


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=positive, default=5, help="how many (default 5)")
    parser.add_argument("--quick", action="store_true", help="a dozen steps, two seeds")
    parser.add_argument("--json", action="store_true", help="results on standard output too")
    parser.add_argument("--again", action="store_true", help="what was done before as well")
    parser.add_argument("--jobs", type=positive, default=os.cpu_count() or 1, help="processes")
    results.add_output(parser)
    keep = ROOT / "build" / "flexpoint-training"
    parser.add_argument("--keep", type=Path, default=keep, help="folder of finished runs")
    parser.add_argument("--record", type=Path, metavar="FILE", help="only write products (.npz)")
    parser.add_argument("--network", choices=list(training.NETWORKS), default="mlp")
    parser.add_argument("--steps", type=positive, default=2, help="of --record")
    options = parser.parse_args()
    for name, least in (("seeds", 2), ("jobs", 1), ("steps", 1)):
        if getattr(options, name) < least:
            parser.error(f"--{name}: must be {least} or more")
    if options.record is not None:
        save_products(options.record, options.network, options.steps, 0)
        return
    settings, seeds = training.Settings(), list(range(options.seeds))
    networks = list(training.NETWORKS)
    if options.quick:
        settings = training.Settings(epochs=1, batch=16, tested=1600)
        seeds, networks = [0, 1], ["mlp"]
    kept = Kept(options.keep)
    runs = study(networks, seeds, settings, kept, options.again, options.jobs)
    made = {
        "networks": networks,
        "recipes": list(training.RECIPES),
        "seeds": seeds,
        "settings": asdict(settings),
        "steps": max(made["steps"] for made in runs),
        "curve_steps": training.CURVE,
        "runs": runs,
        "trace_width": 16,
        "trace": exponents(settings, seeds[0]),
    }
    say(str(results.write("flexpoint_training", made, options.output)))
    if options.json:
        print(results.text(made), end="")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("interrupted; the same command goes on from here")
