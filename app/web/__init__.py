"""The review desk: pages where people propose and decide."""

from app.web import overview, sign_in

PAGES = (sign_in, overview)
"""Every module with pages."""
