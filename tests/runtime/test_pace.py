"""One thread or several for a replay, by the times that its runs took."""

import numpy as np

from nnative import _native


def _alone(alone, shared, brief=True, waking=0):
    """Return which runs were given to one thread; times are in microseconds."""
    return np.array(_native._probe_pace([1e3 * t for t in alone], [1e3 * t for t in shared], 1e3 * waking, brief)) == 1


def test_threads_that_pay_are_used():
    chosen = _alone([30] * 20000, [20] * 20000)
    assert not chosen[:64].any()
    assert chosen.mean() < 0.02


def test_runs_that_are_not_brief_try_one_thread_only_when_several_suffer():
    times = [400] * 5000
    assert not _alone([600] * 5000, times, brief=False).any()
    suffering = _alone([600] * 5000, times[:1000] + [400, 3000] * 2000, brief=False)
    assert not suffering[:1000].any()
    assert suffering[1200:].mean() > 0.9


def test_one_thread_takes_over_while_several_are_slower():
    chosen = _alone([27] * 20000, [67] * 10000 + [20] * 10000)  # CPUs that lie far apart, and later do not
    assert chosen[200:10000].mean() > 0.95
    assert chosen[14000:].mean() < 0.05


def test_time_slices_of_others_are_hardly_waited_for():
    chosen = _alone([27] * 20000, [4000] * 20000)
    assert (~chosen[100:]).sum() < 30


def test_a_single_interruption_is_no_reason():
    quiet = _alone([30] * 10000, [20] * 10000)
    chosen = _alone([30] * 10000, [20] * 4000 + [8000] + [20] * 5999)
    assert chosen.sum() < quiet.sum() + 20


def test_several_threads_get_their_chance_after_a_bad_beginning():
    # Threads that begin on one CPU, again and again at first, and are asleep after each run alone.
    chosen = _alone([18] * 10000, [4000] * 5 + [14] * 80 + [4000] * 3 + [14] * 9912, waking=200)
    assert chosen[1500:].mean() < 0.05
