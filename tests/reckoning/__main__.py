"""python -m tests.reckoning SCENARIO: prints what the reckoning makes otherwise, and `N differences`."""

import sys

from .reckoning import main

sys.exit(not main(sys.argv[1]))
