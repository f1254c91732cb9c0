# SPDX-License-Identifier: BSD-2-Clause
"""``python -m macaw.cli``."""

import sys

from .commands import main

sys.exit(main())
