"""Reading other people's preference files: bytes to checked rows, rows to pairs with labels. Knows no database."""
