"""Folders that a process of their own writes and anyone watches: record, control file, ledger, workers."""
