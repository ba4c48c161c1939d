"""What a run leaves behind: adapter, merged weights, GGUF."""
