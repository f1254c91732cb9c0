# SPDX-License-Identifier: BSD-2-Clause
"""Named arrays in files, and their way to codes and back."""

from .containers import FileError, check_writable, chosen, entries, read, write

__all__ = ["FileError", "check_writable", "chosen", "entries", "read", "write"]
