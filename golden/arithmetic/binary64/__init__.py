# SPDX-License-Identifier: BSD-2-Clause
"""What the host's float64 decides bit for bit: sums and products of short floats, rounded once.

The theorems stand where they are used: that a float64 near an exact value rounds as that value does
in :mod:`.rounding`, which sums float64 holds or holds to odd in :mod:`.sums`, how matrix products
are exact in :mod:`.slices`. What none of them decides goes to the integers of
:mod:`macaw.golden.arithmetic.exact`, which define every bit.
"""
