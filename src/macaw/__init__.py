# SPDX-License-Identifier: BSD-2-Clause
"""macaw: arithmetic datapaths in any number format, defined, built, proven and priced."""

from importlib.metadata import version as _version

__version__ = _version("macaw")
