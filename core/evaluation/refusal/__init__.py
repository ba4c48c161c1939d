"""Whether an answer complies, complies partly, or refuses: rules of our own united with a small trained model."""
