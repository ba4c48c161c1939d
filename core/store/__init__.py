"""The workspace database; the only place that imports sqlmodel, sqlalchemy or alembic."""
