"""The review desk: pages where people propose and decide."""

from app.web import openid_sign_in, overview, sign_in

PAGES = (sign_in, openid_sign_in, overview)
"""Every module with pages."""
