"""Widgets shared by the pages; they know no feature."""
