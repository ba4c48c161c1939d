"""One optimizer step: batches, gradient, optimizer, metrics, interruptions."""
