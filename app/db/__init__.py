"""Engine, session and the one place that commits."""

from app.db.bulk import bulk_insert, bulk_insert_columns, insert_at_once
from app.db.engine import create_store_engine
from app.db.migrate import upgrade
from app.db.session import SessionSource, close_engine, open_session, utc_now
from app.db.transaction import (
    is_in_transaction,
    require_no_transaction,
    single_statement,
    transaction,
)

__all__ = [
    "SessionSource",
    "bulk_insert",
    "bulk_insert_columns",
    "close_engine",
    "create_store_engine",
    "insert_at_once",
    "is_in_transaction",
    "open_session",
    "require_no_transaction",
    "single_statement",
    "transaction",
    "upgrade",
    "utc_now",
]
