"""Statistics of the benchmark runs and their way through JSON."""

from __future__ import annotations

import pytest

from harness.results import Memory, Results, Spread, Stack, Timing, ratio, spread


def timing(peer, threads, *us, row="tiny"):
    return Timing(row, peer, threads, list(us))


def test_spread_is_the_median_and_the_quartiles():
    assert spread([4.0, 1.0, 3.0, 2.0, 5.0]) == Spread(3.0, 2.0, 4.0)
    assert spread([7.0]) == Spread(7.0, 7.0, 7.0)


def test_ratio_pairs_the_samples_of_a_round():
    # A machine that slows down threefold in the second round changes both samples, not the ratio.
    assert ratio([10.0, 30.0, 10.0], [2.0, 6.0, 2.0]) == Spread(5.0, 5.0, 5.0)


def test_ratio_ignores_rounds_that_one_side_missed():
    assert ratio([10.0, 12.0, 99.0], [2.0, 2.0]).median == pytest.approx(5.5)


def test_samples_of_a_later_pass_follow_those_of_the_first():
    results = Results()
    results.add("tiny", "torch-eager", 1, [5.0, 6.0])
    results.add("tiny", "torch-eager", 2, [3.0])
    results.add("tiny", "torch-eager", 1, [7.0])
    assert results.timings == [timing("torch-eager", 1, 5.0, 6.0, 7.0), timing("torch-eager", 2, 3.0)]


def test_best_takes_the_number_of_threads_with_the_lower_median():
    results = Results(timings=[timing("torch-eager", 1, 5.0, 9.0, 5.0), timing("torch-eager", 2, 6.0, 1.0, 6.0)])
    best = results.best("tiny", "torch-eager")
    assert best is not None
    assert best.threads == 1
    assert results.best("big", "torch-eager") is None


def test_fastest_keeps_once_a_step_and_many_steps_apart_and_leaves_nnative_out():
    results = Results(
        timings=[
            timing("nnative-step", 1, 1.0),
            timing("torch-eager", 1, 9.0),
            timing("jax-sync", 1, 5.0),
            timing("jax-scan", 1, 2.0),
        ]
    )
    once, many = results.fastest("tiny"), results.fastest("tiny", many=True)
    assert once is not None
    assert once.peer == "jax-sync"
    assert many is not None
    assert many.peer == "jax-scan"
    ours = results.ours("tiny", "once")
    assert ours is not None
    assert ours.peer == "nnative-step"


def test_the_limit_is_the_machine_on_most_threads_and_no_peer():
    results = Results(timings=[timing("machine", 2, 0.5), timing("machine", 1, 0.4), timing("jax-sync", 1, 5.0)])
    limit, fastest = results.limit("tiny"), results.fastest("tiny")
    assert limit is not None
    assert limit.threads == 2
    assert fastest is not None
    assert fastest.peer == "jax-sync"
    assert results.limit("small") is None


def test_results_come_back_from_json(tmp_path):
    results = Results(
        settings={"rounds": 3},
        versions={"numpy": "2"},
        timings=[timing("numpy", 1, 1.5, 2.5), timing("jax-scan", 2, 3.0)],
        memory=[Memory("mnist512", "numpy", 50.0, 5.0)],
        stacks=[Stack("numpy", 57.0, 100.0, 30.0)],
        measured_seconds=2.5,
    )
    results.note("once")
    results.note("once")
    results.write(tmp_path / "run.json")
    assert Results.read(tmp_path / "run.json") == results
    assert results.notes == ["once"]
