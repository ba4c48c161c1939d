"""From text to tokens: chat templates, tokenisation with a response mask, encoded pairs."""
