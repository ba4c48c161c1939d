"""Deciding and releasing: the failure queue, the gate, releases with their contract, and its verification."""
