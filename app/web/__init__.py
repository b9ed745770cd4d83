"""The review desk: pages where people propose and decide."""

from app.web import (
    audit,
    batches,
    definitions,
    figures,
    openid_sign_in,
    outcomes,
    overview,
    people,
    policy,
    runs,
    scoring,
    sign_in,
)

PAGES = (
    sign_in,
    openid_sign_in,
    overview,
    people,
    policy,
    definitions,
    audit,
    scoring,
    figures,
    batches,
    outcomes,
    runs,
)
"""Every module with pages."""
