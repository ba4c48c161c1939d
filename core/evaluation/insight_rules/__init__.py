"""The rules of the insights, by what they read: training steps, probes, the data, the KL."""
