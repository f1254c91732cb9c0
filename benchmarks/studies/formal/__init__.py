# SPDX-License-Identifier: BSD-2-Clause
"""What proofs for all inputs are worth: whether they refute what is wrong."""
