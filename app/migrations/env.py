"""Run migrations on the engine that the caller configured, one process at a time."""

from __future__ import annotations

from alembic import context
from sqlalchemy import text

from app.db.engine import BEGIN
from app.errors import ConflictError
from app.models import Base

_LOCK = 7_235_481_902  # any number that nothing else locks
_engine = context.config.attributes["engine"]

with _engine.connect().execution_options(**{BEGIN: "BEGIN IMMEDIATE"}) as _connection:
    if _engine.dialect.name == "sqlite":
        # a table altered in batch is dropped and renamed; the pragma does nothing once begun
        _connection.connection.cursor().execute("PRAGMA foreign_keys = OFF").close()
    if _engine.dialect.name == "postgresql":
        _connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    context.configure(
        connection=_connection,
        target_metadata=Base.metadata,
        transactional_ddl=True,
        render_as_batch=False,
    )
    with context.begin_transaction():
        context.run_migrations()
        if _engine.dialect.name == "sqlite":
            _broken = _connection.execute(text("PRAGMA foreign_key_check")).all()
            if _broken:
                raise ConflictError(f"rows would name what is not there: {_broken[:5]}")
    _connection.commit()
