"""How fast the CLV models are fitted: `python tests/scale/bench_clv.py`.

CDNOW against the package `lifetimes`, in turns in one process, each at its best of several fits; where that package cannot be imported,
against a plain SciPy fit of the likelihood over all customers. Then a million simulated customers, no two of them alike: the worst case.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[threads] = "1"  # one core, so that wall and CPU time mean the same
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np  # noqa: E402
from scipy.optimize import minimize  # noqa: E402
from scipy.special import betaln, gammaln  # noqa: E402

from orchestration.predict.clv import fit_bg_nbd  # noqa: E402
from tests.clv_data import cdnow, simulate  # noqa: E402

ROUNDS = 7
CUSTOMERS = 1_000_000
TRUTH = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}


def log_likelihood(parameters: np.ndarray, x: np.ndarray, recency: np.ndarray, T: np.ndarray) -> float:
    """As published, over all customers: the judge of both fits."""
    r, alpha, a, b = parameters
    active = betaln(a, b + x) - betaln(a, b) - (r + x) * np.log(alpha + T)
    dropped = np.where(x > 0, betaln(a + 1, b + np.maximum(x, 1) - 1) - betaln(a, b) - (r + x) * np.log(alpha + recency), -np.inf)
    return float(np.sum(gammaln(r + x) - gammaln(r) + r * np.log(alpha) + np.logaddexp(active, dropped)))


def other_fit() -> tuple[str, Callable[..., np.ndarray]]:
    """What to be compared with, and its fit of (frequency, recency, T) to (r, α, a, b)."""
    try:
        from lifetimes import BetaGeoFitter, __version__
    except ImportError as error:
        print(f"lifetimes cannot be imported on this Python ({error}): compared with a plain SciPy fit instead")

        def scipy_fit(*history: np.ndarray) -> np.ndarray:
            found = minimize(lambda logs: -log_likelihood(np.exp(logs), *history) / len(history[0]), np.zeros(4), method="L-BFGS-B")
            return np.exp(found.x)

        return "plain SciPy", scipy_fit

    def lifetimes_fit(*history: np.ndarray) -> np.ndarray:
        return BetaGeoFitter(penalizer_coef=0.0).fit(*history).params_[["r", "alpha", "a", "b"]].to_numpy(dtype=float)

    return f"lifetimes {__version__}", lifetimes_fit


def our_fit(*history: np.ndarray) -> np.ndarray:
    return np.array(list(fit_bg_nbd(*history).parameters.values()))


def seconds_of(fit: Callable[..., np.ndarray], history: tuple[np.ndarray, ...]) -> tuple[float, float, np.ndarray]:
    """Wall seconds, CPU seconds and parameters of one fit."""
    wall, cpu = time.perf_counter(), time.process_time()
    parameters = fit(*history)
    return time.perf_counter() - wall, time.process_time() - cpu, parameters


def main() -> None:
    table = cdnow()
    history = tuple(table[name].to_numpy() for name in ("frequency", "recency", "T"))
    name, theirs = other_fit()
    rounds = [(seconds_of(our_fit, history), seconds_of(theirs, history)) for _ in range(ROUNDS)]
    mine, other = min(each[0][0] for each in rounds), min(each[1][0] for each in rounds)
    print(f"BG/NBD on CDNOW, {len(table):,} customers, best of {ROUNDS}")
    print(f"  here           {1000 * mine:8.2f} ms   log-likelihood {log_likelihood(rounds[0][0][2], *history):.6f}")
    print(f"  {name:14} {1000 * other:8.2f} ms   log-likelihood {log_likelihood(rounds[0][1][2], *history):.6f}")
    print(f"  {other / mine:.0f} times as fast (at least 20)")

    *history, _ = simulate(CUSTOMERS, **TRUTH, T=(27, 78))
    wall, cpu, parameters = seconds_of(our_fit, tuple(history))
    found = ", ".join(f"{name} {value:.3f} ({true})" for (name, true), value in zip(TRUTH.items(), parameters, strict=True))
    print(f"BG/NBD on {CUSTOMERS:,} simulated customers, all different: {wall:.2f} s wall, {cpu:.2f} s CPU (at most 5): {found}")
    days = tuple(np.ceil(column * 7) / 7 if at else column for at, column in enumerate(history))
    wall, cpu, _ = seconds_of(our_fit, days)
    print(f"  the same in whole days: {wall:.2f} s wall, {cpu:.2f} s CPU")


if __name__ == "__main__":
    main()
