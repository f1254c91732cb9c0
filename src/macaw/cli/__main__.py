# SPDX-License-Identifier: BSD-2-Clause
from .verbs import main

main()
