"""Background work: threads, writes, jobs, the change bus and the stall watchdog."""
