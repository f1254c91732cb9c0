# SPDX-License-Identifier: BSD-2-Clause
"""What all tests share."""

from hypothesis import settings

# A failing example must fail again for the next person, and slow machines are no defect.
settings.register_profile("macaw", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("macaw")
