# SPDX-License-Identifier: BSD-2-Clause
"""What ``importlib.import_module`` finds in numba's place."""


def absent(name: str) -> None:
    raise ImportError(name)


class Failing:
    """A numba that is there and does not work."""

    @staticmethod
    def njit(*arguments: object, **options: object) -> None:
        raise TypeError("no compiler")
