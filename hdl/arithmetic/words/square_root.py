# SPDX-License-Identifier: BSD-2-Clause
"""Integer square roots, digit by digit, and the squares that sums of squares are made of."""

from ...schedule.fold import Fold
from ...schedule.labels import scoped
from ...schedule.scheduler import Scheduler
from ...schedule.wire import Wire, cat

__all__ = ["square", "square_root", "square_root_in_turns", "squared"]


@scoped("root")
def square_root(p: Scheduler, radicand: Wire) -> tuple[Wire, Wire]:
    """(floor of the square root, the radicand less the square of that).

    The radicand is never negative, and of any width. Each digit is a row: it brings down two bits
    of the radicand, subtracts four times the root so far and one, and keeps the difference if that
    is not negative. Rows whose remainder nobody uses leave no gates.
    """
    digits = (len(radicand) + 1) // 2
    word = radicand.bits(2 * digits)
    root = rest = p.constant(0)
    for number in reversed(range(digits)):
        root, rest = _row(p, word[2 * number : 2 * number + 2], root, rest)
    return root, rest


@scoped("root")
def square_root_in_turns(
    p: Scheduler, radicand: Wire, digits: int, fold: Fold
) -> tuple[Wire, Wire]:
    """As :func:`square_root` of so many digits, some of them a turn.

    What the radicand lacks to two bits for each digit are zeros below it. ``fold.count - 1``
    divides the digits.
    """
    count = digits // (fold.count - 1)
    before = digits - count

    def step(root: Wire, rest: Wire, pending: Wire) -> tuple[Wire, Wire, Wire]:
        # Ahead of the last digits the root has as many less.
        root = root[:before] if before else p.constant(0)
        rest = rest[: before + 1] if before else p.constant(0)
        for number in range(1, count + 1):
            pair = pending[len(pending) - 2 * number :][:2]
            root, rest = _row(p, pair, root, rest)
        return root, rest, cat(p.constant(0, 2 * count), pending[: len(pending) - 2 * count])

    width = max(2 * ((len(radicand) + 1) // 2), 2 * count)
    pending = cat(p.constant(0, width - len(radicand)), radicand)
    start = p.constant(0, digits), p.constant(0, digits + 1), pending
    root, rest, _ = fold.iterate(start, step)
    return root, rest


def _row(p: Scheduler, pair: Wire, root: Wire, rest: Wire) -> tuple[Wire, Wire]:
    """Root and rest with a digit more, of the next two bits of the radicand."""
    trial = cat(pair, rest)
    difference = p.subtract(trial, cat(p.constant(1, 2), root))
    less = difference.negative
    root = cat(~less, root)
    # (root + 1)**2 is above what has been brought down.
    return root, p.mux(less, trial, difference, "rest").within(0, 2 * root.high)


@scoped("square")
def square(p: Scheduler, word: Wire) -> Wire:
    """``word * word`` of an unsigned word: half the gates of a product.

    The squares of the halves do not overlap, and their product is taken once, doubled.
    """
    width = len(word)
    if width <= 1:
        return word
    if width == 2:
        low, high = word[0], word[1]
        return cat(low, p.constant(0, 1), high & ~low, high & low)
    low, high = word[: width // 2], word[width // 2 :]
    squares = cat(square(p, low).bits(2 * len(low)), square(p, high))
    cross = p.multiply(high, low)
    upper = p.add(squares[len(low) + 1 :], cross)
    whole = cat(squares[: len(low) + 1], upper)
    return whole.within(0, word.high**2)


@scoped("square")
def squared(p: Scheduler, word: Wire) -> Wire:
    """``word * word``, in a hard multiplier where there is one that products go to."""
    if p.hard(len(word), len(word)):
        return p.multiply(word, word).within(0, max(word.high**2, word.low**2))
    if word.signed:
        sign, bound = word.negative, max(word.high, -word.low)
        word = p.add(word.bits(len(word)) ^ sign, sign).within(0, bound)
    return square(p, word)
