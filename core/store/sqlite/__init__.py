"""SQLite itself: connections, the one writer, lock, backups, migrations, integrity."""
