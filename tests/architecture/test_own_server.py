"""The tests' own PostgreSQL server does what the fixtures promise."""

from __future__ import annotations

import psycopg
import pytest

from tests.support.postgres import Server

pytestmark = pytest.mark.postgres


def test_each_database_is_fresh_and_copies_its_template(postgres_server: Server) -> None:
    template = postgres_server.create_database()
    with psycopg.connect(_dsn(postgres_server, template), autocommit=True) as connection:
        connection.execute("CREATE TABLE made_once (n integer)")
    copy = postgres_server.create_database(template)
    with psycopg.connect(_dsn(postgres_server, copy)) as connection:
        assert connection.execute("SELECT count(*) FROM made_once").fetchone() == (0,)
    for name in (copy, template):
        postgres_server.drop_database(name)


def test_it_listens_on_no_network(postgres_server: Server) -> None:
    with psycopg.connect(_dsn(postgres_server, "postgres")) as connection:
        row = connection.execute("SHOW listen_addresses").fetchone()
    assert row == ("",)


def _dsn(server: Server, database: str) -> str:
    return server.url(database).replace("+psycopg", "")
