"""Who may call what: one table from role to rights, one from endpoint to the right it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

Role = Literal["viewer", "analyst", "approver", "admin", "service"]
"""What an API key, or a claim of an identity provider, makes of its owner."""

Right = Literal[
    "read", "score", "import", "trigger", "draft", "comment", "decide", "policy", "keys", "override"
]
"""What a role may do; ``override`` is asked for by a field of a request, not by an endpoint."""

ROLES: tuple[Role, ...] = get_args(Role)
RIGHTS: tuple[Right, ...] = get_args(Right)

RIGHTS_OF: Mapping[Role, frozenset[Right]] = MappingProxyType(
    {
        "viewer": frozenset({"read"}),
        "analyst": frozenset({"read", "score", "import", "trigger", "draft", "comment"}),
        "approver": frozenset({"read", "comment", "decide"}),
        "admin": frozenset(RIGHTS),
        "service": frozenset({"score"}),
    }
)
"""Role to rights."""

MEANINGS: Mapping[Right, str] = MappingProxyType(
    {
        "read": "read everything",
        "score": "score parties",
        "import": "bring in batches and outcomes",
        "trigger": "start and stop runs, monitor a batch now",
        "draft": "propose a version, run it as a challenger",
        "comment": "comment on a version, acknowledge and close alerts",
        "decide": "approve, reject, activate, roll back",
        "policy": "change policy and definitions",
        "keys": "make and revoke keys",
        "override": "override a failed gate, roll back in an emergency",
    }
)
"""Each right in words, for people."""

OPEN_ENDPOINTS: frozenset[tuple[str, str]] = frozenset({("GET", "/healthz"), ("GET", "/readyz")})
"""What is served without a key."""

ENDPOINTS: Mapping[tuple[str, str], Right] = MappingProxyType(
    {
        ("GET", "/metrics"): "read",
        ("GET", "/api/openapi.json"): "read",
        ("POST", "/api/pipeline/trigger/{pipeline}"): "trigger",
        ("GET", "/api/pipeline/status/{run_id}"): "read",
        ("GET", "/api/pipeline/runs"): "read",
        ("POST", "/api/pipeline/cancel/{run_id}"): "trigger",
        ("GET", "/api/pipeline/models"): "read",
        ("GET", "/api/pipeline/models/{model_id}"): "read",
        ("GET", "/api/scoring/versions"): "read",
        ("GET", "/api/scoring/versions/compare"): "read",
        ("GET", "/api/scoring/versions/at"): "read",
        ("GET", "/api/scoring/versions/{version}"): "read",
        ("GET", "/api/scoring/versions/{version}/export"): "read",
        ("GET", "/api/scoring/versions/{version}/fairness"): "read",
        ("GET", "/api/scoring/versions/{version}/report"): "read",
        ("POST", "/api/scoring/versions"): "draft",
        ("POST", "/api/scoring/versions/{version}/comments"): "comment",
        ("POST", "/api/scoring/versions/{version}/approve"): "decide",
        ("POST", "/api/scoring/versions/{version}/reject"): "decide",
        ("POST", "/api/scoring/versions/{version}/activate"): "decide",
        ("POST", "/api/scoring/versions/{version}/rollback"): "decide",
        ("GET", "/api/scoring/emergencies"): "read",
        ("POST", "/api/scoring/emergencies/acknowledge"): "decide",
        ("POST", "/api/scoring/score"): "score",
        ("GET", "/api/scoring/scores/{score_id}"): "read",
        ("GET", "/api/scoring/statistics"): "read",
        ("GET", "/api/policy"): "read",
        ("PUT", "/api/policy"): "policy",
        ("GET", "/api/definitions"): "read",
        ("POST", "/api/definitions"): "policy",
        ("GET", "/api/batches"): "read",
        ("GET", "/api/batches/{batch_id}"): "read",
        ("POST", "/api/batches"): "import",
        ("POST", "/api/outcomes"): "import",
        ("GET", "/api/labels/{batch_id}"): "read",
        ("GET", "/api/analysis/vintages"): "read",
        ("GET", "/api/analysis/roll-rates"): "read",
        ("GET", "/api/analysis/windows"): "read",
        ("GET", "/api/monitoring/reports"): "read",
        ("POST", "/api/monitoring/reports"): "trigger",
        ("GET", "/api/monitoring/reports/{report_id}"): "read",
        ("GET", "/api/monitoring/over-time"): "read",
        ("GET", "/api/monitoring/alerts"): "read",
        ("GET", "/api/monitoring/alerts/{alert_id}"): "read",
        ("POST", "/api/monitoring/alerts/{alert_id}/acknowledge"): "comment",
        ("POST", "/api/monitoring/alerts/{alert_id}/close"): "comment",
        ("GET", "/api/monitoring/challengers"): "read",
        ("POST", "/api/monitoring/challengers"): "draft",
        ("POST", "/api/monitoring/challengers/{version}/stop"): "draft",
        ("GET", "/api/audit"): "read",
        ("GET", "/api/audit/verify"): "read",
    }
)
"""Method and path to the one right that the endpoint asks for; what is not here is not served."""

OPEN_PAGES: frozenset[tuple[str, str]] = frozenset(
    {
        ("GET", "/sign-in"),
        ("POST", "/sign-in"),
        ("GET", "/sign-in/openid"),
        ("GET", "/sign-in/openid/callback"),
        ("GET", "/static/{name}"),
    }
)
"""Pages of the desk that are served before anybody has signed in."""

PAGES: Mapping[tuple[str, str], Right] = MappingProxyType(
    {
        ("GET", "/"): "read",
        ("POST", "/sign-out"): "read",
        ("POST", "/emergencies/acknowledge"): "decide",
        ("POST", "/alerts/{alert_id}/acknowledge"): "comment",
        ("GET", "/score"): "score",
        ("POST", "/score"): "score",
        ("GET", "/policy"): "read",
        ("POST", "/policy"): "policy",
        ("GET", "/definitions"): "read",
        ("POST", "/definitions"): "policy",
        ("GET", "/people"): "read",
        ("GET", "/audit"): "read",
        ("POST", "/audit/verify"): "read",
        ("GET", "/audit/events.jsonl"): "read",
        ("POST", "/keys"): "keys",
        ("POST", "/keys/{key_id}/revoke"): "keys",
        ("GET", "/figures/{source}/{name}/{key}.svg"): "read",
        ("GET", "/figures/{source}/{name}/{key}.json"): "read",
        ("GET", "/figures/{source}/{name}/{key}.csv"): "read",
        ("GET", "/figures/{name}.js"): "read",
        ("GET", "/batches"): "read",
        ("GET", "/batches/new"): "import",
        ("POST", "/batches/preview"): "import",
        ("POST", "/batches"): "import",
        ("GET", "/batches/{batch_id}"): "read",
        ("GET", "/outcomes"): "read",
        ("GET", "/outcomes/new"): "import",
        ("POST", "/outcomes/preview"): "import",
        ("POST", "/outcomes"): "import",
        ("GET", "/exposures"): "read",
        ("GET", "/exposures/new"): "import",
        ("POST", "/exposures/preview"): "import",
        ("POST", "/exposures"): "import",
        ("GET", "/runs"): "read",
        ("POST", "/runs"): "trigger",
        ("GET", "/runs/{run_id}"): "read",
        ("GET", "/runs/{run_id}/events"): "read",
        ("POST", "/runs/{run_id}/cancel"): "trigger",
        ("GET", "/versions"): "read",
        ("POST", "/versions"): "draft",
        ("GET", "/versions/new"): "draft",
        ("GET", "/versions/{version}"): "read",
        ("GET", "/versions/{version}/report"): "read",
        ("GET", "/versions/{version}/review"): "read",
        ("POST", "/versions/{version}/comment"): "comment",
        ("POST", "/versions/{version}/approve"): "decide",
        ("POST", "/versions/{version}/reject"): "decide",
        ("POST", "/versions/{version}/activate"): "decide",
        ("POST", "/versions/{version}/withdraw-approval"): "decide",
        ("POST", "/versions/{version}/rollback"): "decide",
        ("POST", "/versions/{version}/challenger"): "draft",
        ("POST", "/versions/{version}/challenger/stop"): "draft",
        ("GET", "/analysis"): "read",
        ("GET", "/monitoring"): "read",
        ("POST", "/monitoring"): "trigger",
        ("GET", "/monitoring/{report_id}"): "read",
        ("POST", "/monitoring/{report_id}/acknowledge"): "comment",
        ("POST", "/monitoring/{report_id}/close"): "comment",
        ("GET", "/models"): "read",
        ("GET", "/models/{model_id}"): "read",
    }
)
"""Method and path of each page of the desk to the right that it asks for."""


def may(role: Role, right: Right) -> bool:
    """Say whether a role has a right.

    Parameters
    ----------
    role : str
        One of ``ROLES``.
    right : str
        One of ``RIGHTS``.

    Returns
    -------
    bool
        True if so.

    Examples
    --------
    >>> may("analyst", "draft"), may("analyst", "decide"), may("service", "read")
    (True, False, False)
    """
    return right in RIGHTS_OF[role]


def right_for(method: str, path: str) -> Right | None:
    """Give the right that an endpoint asks for.

    Parameters
    ----------
    method : str
        ``GET``, ``POST``, ...
    path : str
        With its parameters in braces, as the table names it.

    Returns
    -------
    str or None
        None for what is open to everybody.

    Raises
    ------
    LookupError
        If no table names the endpoint: it is not served to anybody.

    Examples
    --------
    >>> right_for("PUT", "/api/policy"), right_for("GET", "/healthz")
    ('policy', None)
    """
    if (method, path) in OPEN_ENDPOINTS | OPEN_PAGES:
        return None
    return PAGES[method, path] if (method, path) in PAGES else ENDPOINTS[method, path]
