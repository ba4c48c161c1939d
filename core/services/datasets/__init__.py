"""Dataset versions: freezing, label noise, cards, exports."""
