# SPDX-License-Identifier: BSD-2-Clause
"""What is proven: units, implementations, and how many vectors each of them gets."""
