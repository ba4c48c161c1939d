"""From the bytes of a file to its records: file kinds, guarded streams, readers. Knows no format and no database."""
