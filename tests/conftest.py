# SPDX-License-Identifier: BSD-2-Clause
"""What all tests share."""

import gc
import os
import sys
from pathlib import Path

from hypothesis import settings

# Tests start Python hundreds of times, in simulators too, and it imports macaw each time. Where
# files of what is compiled are not wanted beside the sources, they go elsewhere: to compile all
# again takes three times as long as such a simulation.
if sys.dont_write_bytecode:
    sys.dont_write_bytecode = False
    sys.pycache_prefix = str(Path(__file__).parents[1] / ".pytest_cache" / "compiled")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix

# A failing example must fail again for the next person, and slow machines are no defect.
settings.register_profile("macaw", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("macaw")


def pytest_collection_finish() -> None:
    """Leave what is there from the beginning out of every later search for garbage.

    It is macaw and all tests, 400,000 objects, which take 0.2 s each time.
    """
    gc.collect()
    gc.freeze()
