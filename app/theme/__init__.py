"""Theme: tokens, palette, style sheet, icons and fonts."""
