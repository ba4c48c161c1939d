"""The objective lab: the optimum of the objective on the answers to one prompt."""
