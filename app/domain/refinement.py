"""Find the weights nearest to the model that keep every guard-rail, and how far to go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.domain.fitting import AnchoredFit
from app.domain.gates import Verdict, weight_gates
from app.domain.policy import Policy
from app.domain.stability import band_shift
from app.domain.types import Bools, Document, Floats, Ints
from app.errors import InvalidInputError

PATH_STEPS = 100
MIN_SCALE = 1e-6
LARGEST_STEP = 0.01
_SOLVED = "Solved"
_BINDS = 1e-3


@dataclass(frozen=True, slots=True)
class GuardRails:
    """Hold what a draft is measured against: rows, bands, expert and policy.

    Attributes
    ----------
    goodness : ndarray of shape (n, d)
        Goodness of the rows on which correlation and bands are judged.
    weights, expert_weights : ndarray of shape (d,)
        The baseline's weights and the expert's, rescaled to the same sum; > 0.
    band_edges : ndarray of shape (n_bands - 1,)
        Lower bounds of the bands but the lowest, in points.
    score_min, score_max : float
        Range of the score in points.
    policy : Policy
        Thresholds.
    """

    goodness: Floats
    weights: Floats
    expert_weights: Floats
    band_edges: Floats
    score_min: float
    score_max: float
    policy: Policy

    def unrounded_scores(self, weights: Floats) -> Floats:
        """Give the unrounded score in points, shape (n,), under ``weights``."""
        span = self.score_max - self.score_min
        scores = self.score_min + span * (self.goodness @ weights) / weights.sum()
        return np.asarray(scores, dtype=np.float64)

    def bands(self, unrounded: Floats) -> Ints:
        """Give the band number of each row, shape (n,), after rounding as the card does."""
        score = np.floor(unrounded + 0.5 + 1e-9)
        return np.searchsorted(self.band_edges, score, side="right").astype(np.int64)

    def judge(self, weights: Floats) -> tuple[Verdict, ...]:
        """Give the verdicts of the four weight gates for a card with these weights."""
        return self.judge_scores(weights, self.unrounded_scores(weights))

    def judge_scores(self, weights: Floats, scores: Floats) -> tuple[Verdict, ...]:
        """Give the same verdicts for scores that are already known."""
        old = self.unrounded_scores(self.weights)
        n_bands = len(self.band_edges) + 1
        return weight_gates(
            self.policy,
            weight_change=_largest_change(weights, self.weights),
            score_correlation=_correlation(old, scores),
            band_shift=band_shift(
                np.bincount(self.bands(old), minlength=n_bands),
                np.bincount(self.bands(scores), minlength=n_bands),
            ),
            cumulative_change=_largest_change(weights, self.expert_weights),
        )


@dataclass(frozen=True, slots=True)
class PathStep:
    """Hold one step w + t (w_new - w) of the path, t in [0, 1], and its verdicts."""

    t: float
    weights: Floats
    verdicts: tuple[Verdict, ...]

    @property
    def passes(self) -> bool:
        """Say whether every weight gate passes here."""
        return not any(verdict.is_failed for verdict in self.verdicts)

    def as_dict(self, names: Sequence[str]) -> Document:
        """Give the step as a JSON-ready mapping; ``names`` are the d features."""
        return {
            "t": self.t,
            "weights": dict(zip(names, self.weights.tolist(), strict=True)),
            "gates": {verdict.gate: verdict.value for verdict in self.verdicts},
            "failed": [verdict.gate for verdict in self.verdicts if verdict.is_failed],
        }


@dataclass(frozen=True, slots=True)
class Refinement:
    """Hold the refined weights and how they came about.

    Attributes
    ----------
    weights : ndarray of shape (d,)
        After step back and rounding; they sum to the baseline's sum.
    target : ndarray of shape (d,)
        The cone program's weights, t = 1.
    t : float
        How far along the path the chosen step lies, in [0, 1].
    path : tuple of PathStep
        All steps from t = 1 to 0.
    verdicts : tuple of Verdict
        The weight gates for the chosen, rounded weights.
    binding : tuple of str
        Per feature what stopped it: ``""`` where nothing did.
    baseline_failures : tuple of str
        Gates that the baseline itself does not pass; then nothing moves.
    """

    weights: Floats
    target: Floats
    t: float
    path: tuple[PathStep, ...]
    verdicts: tuple[Verdict, ...]
    binding: tuple[str, ...]
    baseline_failures: tuple[str, ...]

    @property
    def has_moved(self) -> bool:
        """Say whether any weight differs from the baseline's."""
        return not np.array_equal(self.weights, self.path[-1].weights)


def _largest_change(weights: Floats, reference: Floats) -> float:
    return float(np.abs(weights / reference - 1).max())


def _correlation(old: Floats, new: Floats) -> float:
    old, new = old - old.mean(), new - new.mean()
    norm = float(np.sqrt(old @ old) * np.sqrt(new @ new))
    return float(np.clip(old @ new / norm, -1, 1)) if norm > 0 else float("nan")


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
    """Give L of shape (d, d) with L'L the covariance of goodness, from a QR."""
    centred = (goodness - goodness.mean(axis=0)) / np.sqrt(max(len(goodness) - 1, 1))
    root = np.zeros((goodness.shape[1], goodness.shape[1]))
    triangle = np.linalg.qr(centred, mode="r")
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
    solution = clarabel.DefaultSolver(
        quadratic, linear, sparse.csc_matrix(np.vstack(blocks)), np.concatenate(right), cones,
        settings,
    ).solve()  # fmt: skip
    if not str(solution.status).endswith(_SOLVED):
        raise InvalidInputError(
            f"the refinement program ended as {solution.status}: nothing moves. Look for features "
            "with extreme weights.",
            status=str(solution.status),
        )
    return np.asarray(solution.x[:d], dtype=np.float64)


def round_weights(weights: Floats) -> Floats:
    """Round weights by largest remainder, so that their sum stays as it is.

    Parameters
    ----------
    weights : ndarray of shape (d,)
        Positive weights.

    Returns
    -------
    ndarray of shape (d,)
        Multiples of a step (but for what the sum itself has beyond it, which the largest
        weight carries). The step is the largest power of ten <= min weight / 1000, at most
        0.01.

    Examples
    --------
    >>> round_weights(np.array([33.3333333, 33.3333333, 33.3333334])).tolist()
    [33.33, 33.33, 33.34]
    """
    digits = max(2, int(np.ceil(-np.log10(weights.min() / 1000) - 1e-9)))
    step = 10.0**-digits
    units = np.floor(weights / step + 1e-9)
    left = round(float(weights.sum()) / step) - int(units.sum())
    order = np.argsort(units - weights / step, kind="stable")
    units[order[:left]] += 1
    rounded = np.array([round(float(unit) * step, digits) for unit in units])
    largest = int(np.argmax(rounded))
    residue = float(weights.sum()) - float(rounded.sum())
    rounded[largest] = round(float(rounded[largest]) + residue, digits + 6)
    return rounded


def refine(fit: AnchoredFit, rails: GuardRails) -> Refinement:
    """Refine the baseline's weights: cone program, step back, rounding.

    Parameters
    ----------
    fit : AnchoredFit
        The model.
    rails : GuardRails
        What the draft is measured against.

    Returns
    -------
    Refinement
        By construction it passes every weight gate, or nothing has moved.
    """
    failures = tuple(v.gate for v in rails.judge(rails.weights) if v.is_failed)
    if failures or fit.calibration.slope <= 0 or fit.held.all():
        return _unmoved(rails, failures)
    target = solve_guarded_weights(fit, rails)
    path = trace_path(rails, target)
    for step in path:
        if not step.passes:
            continue
        weights = rails.weights if step.t == 0 else _round_moved(step.weights, rails, fit.held)
        verdicts = rails.judge(weights)
        if not any(verdict.is_failed for verdict in verdicts):
            binding = find_binding(fit, rails, target, step, path)
            return Refinement(weights, target, step.t, path, verdicts, binding, ())
    return _unmoved(rails, ())


def _unmoved(rails: GuardRails, failures: tuple[str, ...]) -> Refinement:
    verdicts = rails.judge(rails.weights)
    only = (PathStep(0.0, rails.weights, verdicts),)
    why = f"baseline past {', '.join(failures)}" if failures else ""
    stopped = (why,) * len(rails.weights)
    return Refinement(rails.weights, rails.weights, 0.0, only, verdicts, stopped, failures)


def _round_moved(weights: Floats, rails: GuardRails, held: Bools) -> Floats:
    rounded = weights.copy()
    rounded[held] = rails.weights[held]
    rounded[~held] = round_weights(weights[~held])
    return rounded


def trace_path(rails: GuardRails, target: Floats) -> tuple[PathStep, ...]:
    """Judge every step t = 1, 0.99, ..., 0 between the baseline and the target.

    Parameters
    ----------
    rails : GuardRails
        What a step is measured against.
    target : ndarray of shape (d,)
        Weights at t = 1, summing to the baseline's sum.

    Returns
    -------
    tuple of PathStep
        101 steps, t falling. AUC is not looked at: it never chooses t.
    """
    old, new = rails.unrounded_scores(rails.weights), rails.unrounded_scores(target)
    steps = []
    for hundredth in range(PATH_STEPS, -1, -1):
        t = hundredth / PATH_STEPS
        weights = rails.weights + t * (target - rails.weights)
        verdicts = rails.judge_scores(weights, old + t * (new - old))
        steps.append(PathStep(t, weights, verdicts))
    return tuple(steps)


def find_binding(
    fit: AnchoredFit, rails: GuardRails, target: Floats, chosen: PathStep, path: Sequence[PathStep]
) -> tuple[str, ...]:
    """Name, per feature, what kept it from going where the model points.

    Parameters
    ----------
    fit : AnchoredFit
        The model.
    rails : GuardRails
        The guard-rails of the program.
    target : ndarray of shape (d,)
        The program's weights.
    chosen : PathStep
        The step that was taken.
    path : sequence of PathStep
        The whole path; the step before the chosen one tells why it stepped back.

    Returns
    -------
    tuple of str
        ``held``, ``weight_change (upper)``, ``weight_change (lower)``, ``cumulative_change``,
        ``score_correlation``, the gate that made it step back, or ``""``; several are joined
        by ``, ``.
    """
    policy = rails.policy
    relative = target / rails.weights
    common = []
    correlation = next(v.value for v in path[0].verdicts if v.gate == "score_correlation")
    if correlation is not None and correlation < policy.correlation_bound + _BINDS:
        common.append("score_correlation")
    if chosen.t < 1:
        before = path[max(0, round((1 - chosen.t) * PATH_STEPS) - 1)]
        common += [v.gate for v in before.verdicts if v.is_failed] or ["rounding"]
    names = []
    for j in range(len(target)):
        own = []
        if fit.held[j]:
            names.append("held")
            continue
        if relative[j] > 1 + policy.weight_change_bound - _BINDS:
            own.append("weight_change (upper)")
        if relative[j] < 1 - policy.weight_change_bound + _BINDS:
            own.append("weight_change (lower)")
        limit = (1 + policy.cumulative_change_bound) * rails.expert_weights[j]
        if target[j] > limit - _BINDS * rails.weights[j]:
            own.append("cumulative_change")
        names.append(", ".join(own + common))
    return tuple(names)
