"""Batches: which answers are wanted of which pairs by whom, queues of several people, accounting."""
