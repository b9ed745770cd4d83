"""Run migrations on the engine that the caller configured."""

from __future__ import annotations

from alembic import context

from app.models import Base

_engine = context.config.attributes["engine"]

with _engine.connect() as _connection:
    context.configure(
        connection=_connection,
        target_metadata=Base.metadata,
        transactional_ddl=True,
        render_as_batch=False,
    )
    with context.begin_transaction():
        context.run_migrations()
    _connection.commit()
