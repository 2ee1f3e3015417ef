"""Launches that wait for CPUs which others have: how long the next ones are made alone."""

import pytest

from nnative import _native

MS = 1_000_000
STALL = 4 * MS


def _rests(*ends, took=STALL, waited=STALL):
    """Return for how long launches are made alone after each of some stalls that end at these times, in ms."""
    until = _native._probe_stalls([(end * MS, took, waited) for end in ends])
    return [(u - end * MS) / MS for u, end in zip(until, ends, strict=True)]


def test_one_stall_is_an_accident():
    assert _rests(1000, 1025, 1050) == [0, 0, 0]


def test_stalls_that_follow_each_other_make_brief_launches_alone_for_longer_and_longer():
    ends = [1000, 1019, 1040, 1085, 1170, 1340, 1665, 2310, 2960]
    assert _rests(*ends) == [0, 20, 40, 80, 160, 320, 640, 640, 640]


def test_what_went_well_for_a_while_after_a_rest_is_forgotten():
    long = [1000, 1019, 1040, 1085, 1170]  # until 1330
    assert _rests(*long, 1353)[-2:] == [160, 320]
    assert _rests(*long, 1355, 1364)[-3:] == [160, 0, 20]


def test_the_longest_stalls_count_by_their_beginning():
    assert _rests(1000, 1030, 1080, took=25 * MS, waited=25 * MS) == [0, 20, 40]


def test_stalls_during_a_rest_do_not_prolong_it():
    assert _rests(1000, 1010, 1015, 1029, 1055) == [0, 20, 15, 1, 0]


@pytest.mark.parametrize(
    ("took", "waited"),
    [(4 * MS, MS - 1), (20 * MS, 9 * MS)],
    ids=["as short as waking", "the smaller part of a launch"],
)
def test_other_waiting_is_no_stall(took, waited):
    assert _native._probe_stalls([(1000 * MS, took, waited), (1005 * MS, took, waited)]) == [0, 0]
