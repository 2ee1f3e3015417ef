"""Launches that wait for CPUs which others have: how long the next ones are made alone."""

import pytest

from nnative import _native

MS = 1_000_000
STALL = 4 * MS


def _rests(*ends, took=STALL, waited=STALL):
    """Return for how long launches are made alone after each of some stalls that end at these times, in ms."""
    until = _native._probe_stalls([(end * MS, took, waited) for end in ends])
    return [(u - end * MS) / MS for u, end in zip(until, ends, strict=True)]


def test_a_stall_makes_brief_launches_alone_for_a_while():
    assert _rests(1000) == [20]


def test_stalls_that_follow_each_other_make_it_longer():
    assert _rests(1000, 1021, 1065, 1150, 1315, 1640, 2300, 2950) == [20, 40, 80, 160, 320, 640, 640, 640]
    assert _rests(1000, 1021, 1200) == [20, 40, 20]  # well for longer than the last rest was


@pytest.mark.parametrize(
    ("took", "waited"),
    [(4 * MS, MS - 1), (20 * MS, 9 * MS)],
    ids=["as short as waking", "the smaller part of a launch"],
)
def test_other_waiting_is_no_stall(took, waited):
    assert _native._probe_stalls([(1000 * MS, took, waited)]) == [0]
