# SPDX-License-Identifier: BSD-2-Clause
"""Gates for a clipped softmax: what comes behind the products of a row's reciprocal."""

from macaw.golden.arithmetic.rows.clip import Clip

from ..arithmetic.shift import at_least, shift_right
from ..schedule.labels import scoped
from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire, cat

__all__ = ["clipped", "limited"]


@scoped("clip")
def limited(p: Scheduler, clip: Clip, product: Wire, exponent: Wire, top: int) -> tuple[Wire, Wire]:
    """(a product, its exponent), those of 1 where it is more; clips without gamma.

    The largest exponent of products that are not 0 is ``top``, worth ``2**(up - 2 bits - 2)``.
    """
    one = 2 * clip.bits + 2 - clip.up
    above = [
        exponent.equals(top - down) & product[one + down :].any()
        for down in range(len(product) - one)
    ]
    over = p.name("above", cat(*above).any())
    word = p.mux(over, p.constant(1 << (one + clip.up), len(product)), product)
    exponent = p.mux(over, p.constant(top - clip.up, len(exponent)), exponent)
    return p.name("clipped", word), exponent


@scoped("clip")
def clipped(p: Scheduler, clip: Clip, product: Wire, exponent: Wire, top: int) -> Wire:
    """A product plus gamma, from 0 to 1, in units of ``2**clip.last``.

    The largest exponent of products that are not 0 is ``top``, worth ``2**(up - 2 bits - 2)``.
    """
    less, fraction = clip.less, -clip.last
    assert less is not None
    most = clip.up - 2 * clip.bits - 2 - clip.last
    some = at_least(p, exponent, top - most)
    amount = p.subtract(p.constant(top), exponent).bits(most.bit_length()).within(0, most)
    product = product.bits(2 * clip.bits + 4)
    word, _ = shift_right(p, product, amount, len(product) + most)
    word = word[: fraction + clip.up + 1] & some
    # gamma's last place is as many above that of the word.
    place = less.exponent - clip.last
    total = p.name("total", p.subtract(word[place:], less.significand))
    one, below = total[fraction - place :].any(), total.negative
    fine = cat(word[:place], total[: fraction - place]) & ~(one | below)
    return p.name("clipped", cat(fine, one & ~below).within(0, 1 << fraction))
