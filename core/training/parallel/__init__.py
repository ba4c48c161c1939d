"""Several processes: the process group and sharded weights."""
