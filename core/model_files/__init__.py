"""A model folder as files: checks, formats, tokenizer files and identity. It needs no torch at import time."""
