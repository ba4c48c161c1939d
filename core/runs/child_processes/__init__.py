"""Short-lived processes that need torch: the request to one, forking a checkpoint, the preflight."""
