"""The formulas of the method, as constants: the one place whose texts are read as mathematics."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

FORMULAS: Mapping[str, str] = MappingProxyType(
    {
        "score": (
            '"score"_i = floor("min" + ("max" - "min") (sum_j w_j g_(i j)) / (sum_j w_j) '
            "+ 1/2 + 10^(-9))"
        ),
        "calibration": (
            '"logit" P("bad"_i) = a - s z_i, quad quad z_i = sum_j w_j g_(i j), quad quad s > 0'
        ),
        "fit": (
            '"minimise" quad -ell(a, b) + 1/(2 tau^2) sum_j ((b_j - s w_j)/(s w_j))^2, '
            'quad quad "logit" P("bad"_i) = a - sum_j b_j g_(i j), quad b_j >= 0'
        ),
        "refinement": (
            '"minimise" quad 2 g^top (beta - b) + (beta - b)^top H (beta - b), '
            "quad quad sum_j beta_j = c sum_j w_j"
        ),
        "rails": (
            '(1 - d) c w_j <= beta_j <= min((1 + d) c w_j, (1 + d_"cum") c w_j^"expert"), '
            "quad quad rho norm(L beta) norm(L w) <= w^top S beta"
        ),
        "path": 'w(t) = w + t (w^"new" - w), quad quad t = 1, 0.99, dots, 0',
        "auc": (
            '"AUC" = 1/(m n) sum_("bad" i) sum_("good" k) ( [ x_i < x_k ] + 1/2 [ x_i = x_k ] )'
        ),
        "delong": '"Var"("AUC") = S_10 / m + S_01 / n',
        "folds": '"Var"(Delta "AUC") = (1/r + k/(k - 1)) V',
        "psi": '"PSI" = sum_k (a_k - e_k) ln a_k/e_k',
        "band_shift": '"band shift" = 1/2 sum_k abs(p_k^"new" - p_k^"old")',
    }
)
"""Name to its source in the mathematics of Typst; HTML shows the same as MathML."""
