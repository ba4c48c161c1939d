"""Checks for a machine with a CUDA GPU: ``python -m tests.gpu`` prints them as a table."""
