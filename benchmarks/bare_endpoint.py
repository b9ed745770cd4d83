"""The least that an endpoint with a record can do: FastAPI, and one INSERT in one transaction."""

from __future__ import annotations

import os
import uuid
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import JSON, Column, MetaData, String, Table, create_engine, insert

metadata = MetaData()
answers = Table(
    "bare_answers", metadata, Column("id", String, primary_key=True), Column("body", JSON)
)
engine = create_engine(os.environ["BARE_DATABASE_URL"], pool_size=20)
app = FastAPI()


class Party(BaseModel):
    """One party."""

    party_id: str
    features: dict[str, float]


class Request(BaseModel):
    """What is sent to both endpoints."""

    parties: list[Party]


@app.get("/healthz")
def healthz() -> dict[str, str]:
    """Say that it listens."""
    return {"status": "ok"}


@app.post("/score")
def score(request: Request) -> dict[str, Any]:
    """Keep what was sent."""
    name = uuid.uuid4().hex
    with engine.begin() as connection:
        connection.execute(insert(answers).values(id=name, body=request.model_dump()))
    return {"id": name}
