"""The workspace as a whole: creation, backups, checks, accounts."""
