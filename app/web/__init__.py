"""The review desk: pages where people propose and decide."""

from app.web import openid_sign_in, overview, scoring, sign_in

PAGES = (sign_in, openid_sign_in, overview, scoring)
"""Every module with pages."""
