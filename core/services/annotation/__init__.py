"""Labelling: queues, presentations, judgements, undo."""
