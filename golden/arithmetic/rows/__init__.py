# SPDX-License-Identifier: BSD-2-Clause
"""Functions of rows whose length is known when they end."""
