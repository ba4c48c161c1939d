"""Actions: the catalog, the live actions, the palette, the cheat sheet and the shortcut editor."""
