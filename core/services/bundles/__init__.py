"""Review bundles: slots of one reviewer as a file for another workspace, and what it sends back."""
