"""The review desk: pages where people propose and decide."""

from app.web import definitions, figures, openid_sign_in, overview, people, policy, scoring, sign_in

PAGES = (sign_in, openid_sign_in, overview, people, policy, definitions, scoring, figures)
"""Every module with pages."""
