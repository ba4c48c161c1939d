"""One lock for the imports of the program's own threads.

The pages, the services and the libraries behind them are imported after the window is shown, on several threads.
Python locks each module for itself. Two threads that enter the same circle of modules at different places (pydantic has
such a circle) can then see a module that is not complete, and the import fails.
"""

from __future__ import annotations

import threading

IMPORT_LOCK = threading.RLock()
"""Held around each import that does not happen while the program starts."""
