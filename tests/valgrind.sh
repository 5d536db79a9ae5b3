#!/bin/sh
# SPDX-License-Identifier: MIT
# The main story with every arver in it under valgrind: no error, no leak, no descriptor left open.
cd "$(dirname "$0")/.." || exit 2
export LAB_VALGRIND=1
exec tests/lab/boot -t 900 tests/e2e/open-and-close-a-site
