"""From the records of a file to pairs with labels: one module a family of formats, and the registry of all of them."""
