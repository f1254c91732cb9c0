# SPDX-License-Identifier: BSD-2-Clause
"""Public hardware, from checkouts of its own projects, beside macaw's."""
