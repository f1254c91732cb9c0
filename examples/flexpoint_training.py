# SPDX-License-Identifier: BSD-2-Clause
"""Does Flexpoint train as fp32 does? Two small networks on scikit-learn's digits.

Trains each in every arithmetic of ``training.RECIPES``, with several seeds, and writes
docs/flexpoint-training.json, .md and two pictures. A run that is done is kept in
build/flexpoint-training (``--keep``), so that an interrupted study goes on where it stopped. Needs
scikit-learn: ``pip install macaw[examples]``.

    python examples/flexpoint_training.py
    python examples/flexpoint_training.py --quick --output build/quick
    python examples/flexpoint_training.py --record build/products.npz --network conv
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path
from typing import Any

import flexpoint_page
import numpy as np
import training
from threadpoolctl import threadpool_limits

ROOT = Path(__file__).parents[1]


class Kept:
    """Finished runs, one file each, named by all that they depend on but macaw itself."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def _file(self, job: tuple[Any, ...]) -> Path:
        name, kind, seed, settings = job
        recipe = asdict(training.RECIPES[name])
        layers = [[type(part).__name__, asdict(part)] for part in training.NETWORKS[kind]]
        key = json.dumps(
            [recipe, layers, kind, seed, asdict(settings), training.CURVE], sort_keys=True
        )
        return self.folder / f"{hashlib.sha256(key.encode()).hexdigest()[:20]}.json"

    def read(self, job: tuple[Any, ...]) -> dict[str, Any] | None:
        file = self._file(job)
        return (
            json.loads(file.read_text(encoding="utf-8")) | {"name": job[0]}
            if file.exists()
            else None
        )

    def write(self, job: tuple[Any, ...], made: dict[str, Any]) -> None:
        file = self._file(job)
        part = file.with_suffix(".part")
        part.write_text(json.dumps(made), encoding="utf-8")
        part.replace(file)


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
        for name in flexpoint_page.TRACED
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
    file.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    say(f"{len(listed)} products in {file}")


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5, help="how many (default 5)")
    parser.add_argument("--quick", action="store_true", help="a dozen steps, two seeds")
    parser.add_argument("--json", action="store_true", help="results on standard output too")
    parser.add_argument("--again", action="store_true", help="what was done before as well")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--output", type=Path, default=ROOT / "docs", help="folder (default docs)")
    keep = ROOT / "build" / "flexpoint-training"
    parser.add_argument("--keep", type=Path, default=keep, help="folder of finished runs")
    parser.add_argument("--record", type=Path, metavar="FILE", help="only write products (.npz)")
    parser.add_argument("--network", choices=list(training.NETWORKS), default="mlp")
    parser.add_argument("--steps", type=int, default=2, help="of --record")
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
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "flexpoint-training.json").write_text(
        json.dumps(made, indent=1) + "\n", encoding="utf-8"
    )
    flexpoint_page.write(made, options.output)
    say(flexpoint_page.verdict(made).replace("**", ""))
    for kind in [] if options.json else networks:
        print(f"{flexpoint_page.NETWORKS[kind]}\n\n{flexpoint_page.table(made, kind)}\n")
    if options.json:
        print(json.dumps(made))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("interrupted; the same command goes on from here")
