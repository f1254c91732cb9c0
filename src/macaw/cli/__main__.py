# SPDX-License-Identifier: BSD-2-Clause
"""``python -m macaw.cli``."""

import sys

from .verbs import main

sys.exit(main())
