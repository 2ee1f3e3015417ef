"""A step length that satisfies the strong Wolfe conditions, by bracketing and cubic interpolation."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from nnative.autograd import Array


class Trial(NamedTuple):
    """A step length t along a direction d: the loss there, its gradient, and the slope gradient · d."""

    t: float
    loss: float
    gradient: Array
    slope: float


def cubic_minimum(a: Trial, b: Trial, low: float, high: float) -> float:
    """Return the minimum, within bounds, of the cubic through two trials (Nocedal and Wright 3.59)."""
    if a.t == b.t:
        return (low + high) / 2
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if not square >= 0:
        return (low + high) / 2
    left, right = (a, b) if a.t <= b.t else (b, a)
    d2 = math.sqrt(square)
    curvature = right.slope - left.slope + 2 * d2
    if curvature == 0:
        return (low + high) / 2
    minimum = right.t - (right.t - left.t) * ((right.slope + d2 - d1) / curvature)
    return min(max(minimum, low), high)


def strong_wolfe(
    evaluate: Callable[[float], Trial],
    start: Trial,
    t: float,
    longest: float,
    tolerance_change: float,
    max_evaluations: int,
    c1: float = 1e-4,
    c2: float = 0.9,
) -> tuple[Trial, int]:
    """Return a trial with ``loss ≤ start + c1 · t · slope`` and ``|slope| ≤ c2 · |slope at the start|``.

    The second result is the number of evaluations. The trial is the best so far when evaluations run out, or when the
    bracket times the longest element of the direction gets smaller than ``tolerance_change``. Nocedal and Wright,
    "Numerical optimization", 2006, algorithms 3.5 and 3.6, with PyTorch's choices.
    """

    def too_high(trial: Trial) -> bool:
        return trial.loss > start.loss + c1 * trial.t * start.slope

    def flat(trial: Trial) -> bool:
        return abs(trial.slope) <= -c2 * start.slope

    before, now = start, evaluate(t)
    evaluations = 1
    rounds = 0
    while rounds < max_evaluations:
        if too_high(now) or (rounds > 1 and now.loss >= before.loss) or (not flat(now) and now.slope >= 0):
            break
        if flat(now):
            return now, evaluations
        t = cubic_minimum(before, now, now.t + 0.01 * (now.t - before.t), now.t * 10)
        before, now = now, evaluate(t)
        evaluations += 1
        rounds += 1
    if rounds == max_evaluations:
        before = start
    # [best, other] is a bracket with a minimum inside.
    best, other = (before, now) if before.loss <= now.loss else (now, before)
    stuck = False
    while rounds < max_evaluations and abs(other.t - best.t) * longest >= tolerance_change:
        low, high = min(best.t, other.t), max(best.t, other.t)
        # The order of the two is of no consequence but for rounding.
        t = cubic_minimum(best, other, low, high)
        margin = 0.1 * (high - low)
        if min(high - t, t - low) < margin:  # close to an end: stay away from it the second time
            if stuck or t >= high or t <= low:
                t = high - margin if abs(t - high) < abs(t - low) else low + margin
                stuck = False
            else:
                stuck = True
        else:
            stuck = False
        now = evaluate(t)
        evaluations += 1
        rounds += 1
        if too_high(now) or now.loss >= best.loss:
            other = now
            if other.loss < best.loss:
                best, other = other, best
            continue
        if not flat(now) and now.slope * (other.t - best.t) >= 0:
            other = best
        best = now
        if flat(now):
            break
    return best, evaluations
