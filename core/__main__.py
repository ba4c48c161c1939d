"""``python -m core``: the command line without any window, for a server."""

from __future__ import annotations

import sys

from core.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
