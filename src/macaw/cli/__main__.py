# SPDX-License-Identifier: BSD-2-Clause
"""``python -m macaw.cli``."""

from .verbs import main

main()
