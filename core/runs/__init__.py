"""The run folder: ledger, control file, recorder, and the worker that drives the engine."""
