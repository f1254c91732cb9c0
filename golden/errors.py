# SPDX-License-Identifier: BSD-2-Clause
"""Errors that a user of macaw can cause; each message is one line that says what to change."""


class MacawError(ValueError):
    """Base of every error that is about the input, not about macaw itself."""


class FormatError(MacawError):
    """A number format that does not exist or cannot be built."""


class SpecError(MacawError):
    """A unit, parameter or option that does not exist, or a value that it does not take."""


class CodeError(MacawError):
    """Operand arrays of the wrong dtype, shape or range."""


class ToolError(MacawError):
    """An external tool that is missing, too old, or failed."""
