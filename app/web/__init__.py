"""The review desk: pages where people propose and decide."""

from app.web import (
    analysis,
    audit,
    batches,
    definitions,
    exposures,
    figures,
    models,
    monitoring,
    openid_sign_in,
    outcomes,
    overview,
    people,
    policy,
    review,
    runs,
    scoring,
    sign_in,
    versions,
)

PAGES = (
    sign_in,
    openid_sign_in,
    overview,
    versions,
    review,
    people,
    policy,
    definitions,
    audit,
    scoring,
    figures,
    batches,
    outcomes,
    exposures,
    runs,
    models,
    analysis,
    monitoring,
)
"""Every module with pages."""
