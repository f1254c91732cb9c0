# SPDX-License-Identifier: BSD-2-Clause
"""What macaw's speed, its hardware and its arithmetic come to. Scripts measure; docs/ shows it."""
