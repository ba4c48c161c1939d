"""Plots of a run: live curves with a linked crosshair, and the histogram of margins."""
