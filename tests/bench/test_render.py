"""The page that a run is written to."""

from __future__ import annotations

import pytest

from harness.render import SECTIONS, document, goals, number, table, times
from harness.results import Results, Spread, Timing
from harness.rows import ROW


@pytest.fixture
def results():
    us = {"nnative-eager": 40.0, "nnative-step": 4.0, "nnative-epoch": 2.0}
    us |= {"torch-eager": 259.0, "jax-sync": 40.0, "jax-scan": 13.0}
    timings = [Timing("tiny", peer, 1, [value] * 3) for peer, value in us.items()]
    return Results(timings=[*timings, Timing("tiny", "machine", 1, [0.8] * 3), Timing("tiny", "machine", 2, [0.4] * 3)])


@pytest.mark.parametrize(
    ("value", "text"), [(0.4712, "0.47"), (9.996, "10.00"), (28.31, "28.3"), (99.96, "100.0"), (2194.4, "2,194")]
)
def test_numbers_have_three_digits(value, text):
    assert number(value) == text


def test_times_shows_the_quartiles():
    assert times(Spread(5.314, 5.2, 5.44)) == "5.31× (5.20–5.44)"
    assert times(None) == "–"


def test_table_has_a_rule_and_one_line_a_row():
    assert table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | ---: |\n| 1 | 2 |\n"
    assert table(["a", "b"], []) == ""


def test_ratios_are_against_the_fastest_peer_of_the_same_way_of_calling(results):
    line = goals(results).splitlines()[2]
    assert [cell.split("×")[0].strip() for cell in line.split("|")[2:5]] == ["10.00", "6.50", "6.47"]


def test_without_nnative_there_is_no_ratio_table(results):
    results.timings = [timing for timing in results.timings if not timing.peer.startswith("nnative")]
    assert goals(results) == ""
    assert "## Ratios" not in document(results)
    assert "## Times and the arithmetic floor" in document(results)


def test_shares_of_the_peak_are_against_all_threads_and_round_by_round(results):
    assert ROW["tiny"].flops == 6 * 32 * (320 + 320) - 2 * 32 * 320  # the input's gradient is not needed
    results.timings = [t for t in results.timings if t.peer not in ("nnative-epoch", "jax-scan")]
    results.timings[1] = Timing("tiny", "nnative-step", 1, [4.0, 8.0, 16.0])
    results.timings[-1] = Timing("tiny", "machine", 2, [0.4, 0.8, 1.6])
    page = document(results)
    assert "| tiny | 0.80 | 40.0 (40.0–40.0) | 8.00 (6.00–12.0) | – |" in page
    assert "| 10% (10–10) | 2% (2–3) |" in page


def test_memory_rows_show_bandwidth_and_its_share_of_the_triad(results):
    row = ROW["dropout"]
    results.timings.append(Timing("dropout", "numpy", 1, [row.bytes / 25e9 * 1e6]))
    results.timings.append(Timing("dropout", "machine", 2, [12 * 4096 * 1024 / 50e9 * 1e6]))
    page = document(results)
    assert "| 25.0 | 50% (50–50) |" in page
    assert "| 2 | 256 (256–256) | – | 50 (50–50) | – |" in page


def test_the_machine_s_limits_are_rates(results):
    results.timings.append(Timing("tiny", "issue", 2, [500.0, 1000.0, 2000.0]))
    page = document(results)
    floor = ROW["tiny"].flops * 1e-3
    assert f"| 1 | {floor / 0.8:.0f} ({floor / 0.8:.0f}–{floor / 0.8:.0f}) | – |" in page
    assert f"| 2 | {floor / 0.4:.0f} ({floor / 0.4:.0f}–{floor / 0.4:.0f}) | 10 (5–20) |" in page


def test_notes_end_the_page_and_empty_sections_are_left_out(results):
    results.note("onnxruntime is absent: No module named 'onnxruntime'.")
    page = document(results)
    assert page.endswith("## Notes\n\n- onnxruntime is absent: No module named 'onnxruntime'.\n")
    assert "## Memory\n" not in page


def test_the_picture_of_widths_is_shown_where_there_is_one(results):
    assert "(widths.png)" in document(results)
    assert "widths.png" not in document(results, picture=False)


def test_every_section_renders_an_empty_run():
    for heading, _, section in SECTIONS:
        assert isinstance(section(Results()), str), heading
