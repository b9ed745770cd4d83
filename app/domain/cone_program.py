"""The second-order cone program: the weights nearest to the model inside the guard-rails."""

from __future__ import annotations

import numpy as np

from app.domain.fitting import AnchoredFit
from app.domain.guard_rails import GuardRails
from app.domain.types import Floats
from app.errors import InvalidInputError

MIN_SCALE = 1e-6
_SOLVED = "Solved"
_ROWS_AT_ONCE = 131_072


def solve_guarded_weights(fit: AnchoredFit, rails: GuardRails) -> Floats:
    r"""Find the weights nearest to the model, in the metric of the evidence.

    .. math::
       \min_{\beta, c}\; 2 g'(\beta - b) + (\beta - b)' H (\beta - b)

    subject to :math:`\sum\beta = c\sum w`, :math:`c \ge 10^{-6} s`,
    :math:`(1-d) c w_j \le \beta_j \le (1+d) c w_j`,
    :math:`\beta_j \le (1+d_{cum}) c\, w^{expert}_j` and
    :math:`\rho\,|L\beta|\,|Lw| \le w'S\beta`, a second-order cone program. A held feature has
    :math:`\beta_j = c w_j`: its weight stays the expert's.

    Parameters
    ----------
    fit : AnchoredFit
        The model: b, gradient and Hessian.
    rails : GuardRails
        The baseline, the expert, the rows behind S, and the policy's bounds.

    Returns
    -------
    ndarray of shape (d,)
        Weights that sum to the baseline's sum.

    Raises
    ------
    InvalidInputError
        If the solver finds no solution although the baseline itself is one.

    References
    ----------
    .. [1] P. J. Goulart, Y. Chen, "Clarabel: An interior-point solver for conic programs with
       quadratic objectives", arXiv:2405.12762, 2024.
    """
    w, policy = rails.weights, rails.policy
    anchor = fit.calibration.slope * w
    d = len(w)
    ceiling = np.minimum(
        1 + policy.weight_change_bound,
        (1 + policy.cumulative_change_bound) * rails.expert_weights / w,
    )
    floor = np.full(d, 1 - policy.weight_change_bound)
    floor[fit.held] = 1.0
    ceiling = np.where(fit.held, 1.0, ceiling)
    x = _solve_cone(
        hessian=fit.hessian * np.outer(anchor, anchor),
        gradient=fit.gradient * anchor,
        target=fit.coefficients / anchor,
        share=w / w.sum(),
        floor=floor,
        ceiling=ceiling,
        root=_covariance_root(rails.goodness) * w,
        rho=policy.correlation_bound,
    )
    relative = x / (x @ w / w.sum())
    return np.asarray(w * relative, dtype=np.float64)


def _covariance_root(goodness: Floats) -> Floats:
    """Give L of shape (d, d) with L'L the covariance of goodness, from the QR of its blocks."""
    n, d = goodness.shape
    mean, scale = goodness.mean(axis=0), np.sqrt(max(n - 1, 1))
    triangle = np.empty((0, d))
    for start in range(0, n, _ROWS_AT_ONCE):
        block = (goodness[start : start + _ROWS_AT_ONCE] - mean) / scale
        triangle = np.asarray(np.linalg.qr(np.concatenate([triangle, block]), mode="r"))
    root = np.zeros((d, d))
    root[: len(triangle)] = triangle
    return root


def _solve_cone(
    *, hessian: Floats, gradient: Floats, target: Floats, share: Floats, floor: Floats,
    ceiling: Floats, root: Floats, rho: float,
) -> Floats:  # fmt: skip
    """Solve in relative units: x_j = beta_j / (s w_j), and kappa = c / s as last variable."""
    import clarabel  # noqa: PLC0415 - only where a refinement is made
    from scipy import sparse  # noqa: PLC0415 - the same

    d = len(target)
    base = root.sum(axis=1)
    norm = float(np.linalg.norm(base))
    # Work in units in which the objective and the cone are of order one.
    size = max(float(np.abs(hessian).max()), 1e-12)
    quadratic = sparse.csc_matrix(
        np.triu(np.block([[hessian / size, np.zeros((d, 1))], [np.zeros((1, d + 1))]]))
    )
    linear = np.append((gradient - hessian @ target) / size, 0.0)
    identity = np.eye(d)
    equal = np.append(share, -1.0)[None, :]
    least_scale = np.append(np.zeros(d), -1.0)[None, :]
    above_floor = np.column_stack([-identity, floor])
    below_ceiling = np.column_stack([identity, -ceiling])
    along = np.append(-(base @ root) / (rho * norm), 0.0)[None, :] if norm > 0 else None
    blocks = [equal, least_scale, above_floor, below_ceiling]
    right = [np.zeros(1), np.array([-MIN_SCALE]), np.zeros(2 * d)]
    cones = [clarabel.ZeroConeT(1), clarabel.NonnegativeConeT(1 + 2 * d)]
    if along is not None:
        unit = max(norm, 1e-12)
        blocks += [along / unit, np.column_stack([-root / unit, np.zeros(d)])]
        right.append(np.zeros(d + 1))
        cones.append(clarabel.SecondOrderConeT(d + 1))
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.max_threads = 1
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-10
    # Where weights span many powers of ten the solver's own scaling may stall; the units above
    # are as good, so it is then left out.
    for settings.equilibrate_enable in (True, False):
        solution = clarabel.DefaultSolver(
            quadratic, linear, sparse.csc_matrix(np.vstack(blocks)), np.concatenate(right), cones,
            settings,
        ).solve()  # fmt: skip
        if str(solution.status).endswith(_SOLVED):
            return np.asarray(solution.x[:d], dtype=np.float64)
    raise InvalidInputError(
        f"the refinement program ended as {solution.status}: nothing moves. Look for features "
        "with extreme weights.",
        status=str(solution.status),
    )
