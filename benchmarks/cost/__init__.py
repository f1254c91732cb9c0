# SPDX-License-Identifier: BSD-2-Clause
"""What units cost in gates, beside each other and beside public designs."""
