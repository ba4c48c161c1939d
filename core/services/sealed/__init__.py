"""Sealed tests: where they lie, who looked, what leaks into them, what their items were used for."""
