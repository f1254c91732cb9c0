# SPDX-License-Identifier: BSD-2-Clause
"""What runs along with a stream of operations, from one to the next."""
