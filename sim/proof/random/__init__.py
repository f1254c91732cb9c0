# SPDX-License-Identifier: BSD-2-Clause
"""Units drawn at random, from the whole grammar of formats and with every option."""
