"""Pairwright's headless half: a library and a command line. No Qt."""
