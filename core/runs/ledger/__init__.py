"""ledger.sqlite of a run: its tables, the one writer, and the readers of steps, pair rows and events."""
