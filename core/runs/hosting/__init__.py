"""Where a run is worked on: the driver, its process or thread, several processes, heartbeat and probes."""
