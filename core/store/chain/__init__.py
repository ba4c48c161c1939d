"""The hash chain over everything that people said and the program logged."""
