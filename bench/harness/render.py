"""docs/benchmarks.md from the results of a run: each function is one section."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

from harness.results import Results, Spread, Timing, ratio, spread, title
from harness.rows import ROWS, Row
from peers import ISSUE, LOOPS, MACHINE, PEERS
from yardstick import INSTRUCTIONS

NONE = "–"


def table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; nothing when it has no lines."""
    if not lines:
        return ""
    rule = ["---"] + ["---:"] * (len(header) - 1)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (header, rule, *lines)) + "\n"


def number(value: float) -> str:
    """Return three digits, or all before the point: 0.47, 28.3, 2,194."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.{2 if value < 10 else 1}f}"


def times(value: Spread | None) -> str:
    """Return a ratio with its quartiles: 5.31× (5.20–5.44)."""
    return f"{value.median:.2f}× ({value.low:.2f}–{value.high:.2f})" if value else NONE


def microseconds(timing: Timing | None, *, name: bool = False) -> str:
    """Return a median with its quartiles, and whose it is."""
    if timing is None:
        return NONE
    s = spread(timing.us)
    text = f"{number(s.median)} ({number(s.low)}–{number(s.high)})"
    return f"{text} {title(timing.peer)}" if name else text


def versus(theirs: Timing | None, ours: Timing | None) -> Spread | None:
    """Return how many times faster ours is."""
    return ratio(theirs.us, ours.us) if theirs and ours else None


def percent(share: Spread | None, factor: float = 1.0) -> str:
    """Return a share with its quartiles: 92% (90–95)."""
    if share is None:
        return NONE
    median, low, high = (100 * factor * value for value in (share.median, share.low, share.high))
    return f"{median:.0f}% ({low:.0f}–{high:.0f})"


def rows_of(results: Results, *kinds: str) -> list[Row]:
    """Return the rows of some kinds that were measured."""
    measured = {timing.row for timing in results.timings}
    return [row for row in ROWS if row.kind in kinds and row.name in measured]


def goals(results: Results) -> str:
    """Return the ratios of the training steps and of inference."""
    lines = []
    for row in rows_of(results, "train", "infer"):
        step, epoch, eager = (results.ours(row.name, how) for how in ("once", "many", "eager"))
        ratios = (
            versus(results.fastest(row.name), step),
            versus(results.fastest(row.name, many=True), epoch),
            versus(results.best(row.name, "torch-eager"), eager),
        )
        if any(ratios):
            lines.append([f"**{row.name}**: {row.title}", *map(times, ratios)])
    header = ["", "recorded step vs fastest once-a-step peer", "recorded epoch vs `lax.scan`", "eager vs eager PyTorch"]
    return table(header, lines)


def floors(results: Results) -> str:
    """Return the times behind the ratios, beside the arithmetic floor, and the share of the peak that is reached."""
    lines = []
    for row in rows_of(results, "train", "infer"):
        floor = results.limit(row.name)
        scan = results.fastest(row.name, many=True)
        mine = [results.ours(row.name, how) for how in ("once", "many")]
        theirs = [results.fastest(row.name), scan]
        share = [
            percent(versus(floor, min(filter(None, timings), key=lambda t: t.median, default=None)))
            for timings in (mine, theirs)
        ]
        lines.append(
            [
                row.name,
                number(floor.median) if floor else NONE,
                *(microseconds(results.ours(row.name, how)) for how in ("eager", "once", "many")),
                microseconds(results.fastest(row.name), name=True),
                microseconds(scan),
                *share,
            ]
        )
    header = ["µs", "floor", "nnative eager", "nnative step", "nnative epoch", "fastest once-a-step peer", "`lax.scan`"]
    return table([*header, "nnative, of the FMA peak", "peers, of the FMA peak"], lines)


def everyone(results: Results, *kinds: str) -> str:
    """Return every peer's median on every row."""
    rows = rows_of(results, *kinds)
    lines = []
    for peer in PEERS:
        best = [results.best(row.name, peer.name) for row in rows]
        if any(best):
            cells = [f"{number(t.median)} ({t.threads})" if t else NONE for t in best]
            lines.append([peer.title, *cells])
    return table(["µs (threads)", *(row.name for row in rows)], lines)


def bandwidth(results: Results) -> str:
    """Return memory-bound operations as bandwidth and as a share of the triad's."""
    lines = []
    for row in rows_of(results, "memory"):
        triad = results.limit(row.name)
        for peer in (LOOPS, *PEERS):
            best = results.best(row.name, peer.name)
            if best:
                rate = row.bytes / best.median * 1e-3
                share = percent(versus(triad, best), row.bytes / row.limit)
                lines.append([f"{row.name}, {row.title}", peer.title, microseconds(best), f"{rate:.1f}", share])
    return table(["operation", "library", "µs", "GB/s", "of the triad"], lines)


def epochs(results: Results) -> str:
    """Return one epoch of MNIST, wall-clock."""
    lines = []
    for row in rows_of(results, "epoch"):
        ours = results.ours(row.name, "many")
        found = [best for peer in PEERS if (best := results.best(row.name, peer.name))]
        for best in sorted(found, key=lambda t: t.median):
            s = spread([us * row.batches * 1e-6 for us in best.us])
            seconds = f"{s.median:.2f} ({s.low:.2f}–{s.high:.2f})"
            lines.append([title(best.peer), seconds, str(best.threads), times(versus(best, ours))])
    return table(["loop", "seconds", "threads", "slower than `step.epoch`"], lines)


def scaling(results: Results) -> str:
    """Return what more threads bring: time on one thread over time on several."""
    rows = rows_of(results, "train", "infer")
    lines = []
    for peer in PEERS:
        cells = []
        for row in rows:
            timings = sorted(results.of(row.name, peer.name), key=lambda t: t.threads)
            gain = versus(timings[0], timings[-1]) if len(timings) > 1 else None
            cells.append(f"{gain.median:.2f}×" if gain else NONE)
        if any(cell != NONE for cell in cells):
            lines.append([peer.title, *cells])
    return table(["speed-up", *(row.name for row in rows)], lines)


def widths(_: Results) -> str:
    """Return the picture that the sweep over widths draws."""
    return "![Time against width on 1 and on 2 threads](widths.png)\n"


def stack_table(results: Results) -> str:
    """Return size, import and memory of each library."""
    header = ["library, with what it requires", "version", "installed MB", "import ms", "MB resident after import"]
    lines = [
        [s.name, results.versions.get(s.name, NONE), number(s.install_mb), number(s.import_ms), number(s.import_mb)]
        for s in sorted(results.stacks, key=lambda s: s.install_mb)
    ]
    return table(header, lines)


def memory_table(results: Results) -> str:
    """Return the resident memory of training processes."""
    rows = list(dict.fromkeys(m.row for m in results.memory))
    found = {(m.row, m.peer): f"{number(m.step_mb)} ({number(m.peak_mb)})" for m in results.memory}
    lines = [
        [peer.title, *(found.get((row, peer.name), NONE) for row in rows)]
        for peer in PEERS
        if any((row, peer.name) in found for row in rows)
    ]
    return table(["MB", *rows], lines)


def machine(results: Results) -> str:
    """Describe the machine, what it can do, and how the figures were taken."""
    memory, arithmetic = rows_of(results, "memory"), rows_of(results, "train", "infer")
    # By column: rows, who was timed, what a step of it counts.
    columns: dict[str, tuple[list[Row], str, Callable[[Row], float]]] = {
        "FMA peak, GFLOP/s": (arithmetic, MACHINE.name, lambda row: row.limit),
        "empty instructions, 1/ns": (arithmetic, ISSUE.name, lambda row: INSTRUCTIONS),
        "triad 4096×1024, GB/s": ([row for row in memory if row.name != "adam"], MACHINE.name, lambda row: row.limit),
        "triad 20 million, GB/s": ([row for row in memory if row.name == "adam"], MACHINE.name, lambda row: row.limit),
    }

    def rate(rows: Sequence[Row], peer: str, count: Callable[[Row], float], threads: int) -> str:
        timings = [(row, t) for row in rows for t in results.of(row.name, peer) if t.threads == threads]
        rates = [1e-3 * count(row) / us for row, timing in timings for us in timing.us]
        return f"{statistics.median(rates):.0f} ({min(rates):.0f}–{max(rates):.0f})" if rates else NONE

    lines = [
        [str(threads), *(rate(*column, threads) for column in columns.values())]
        for threads in sorted({t.threads for t in results.timings if t.peer == MACHINE.name})
    ]
    waiting = results.idle_seconds / results.measured_seconds if results.measured_seconds else 0.0
    facts = ", ".join(f"{key} {value}" for key, value in results.machine.items())
    limits = table(["threads", *columns], lines)
    settings = ", ".join(f"{key} {value}" for key, value in results.settings.items())
    return (
        f"Machine: {facts}. Run: {settings}.\n\n{limits}\n"
        f"While one worker was measured, the waiting ones together used {waiting:.1%} of one CPU.\n"
    )


SECTIONS = (
    (
        "Ratios",
        "Medians of the ratios within each round, with quartiles; each library on its better number of threads.",
        goals,
    ),
    (
        "Times and the arithmetic floor",
        "µs a step: median (quartiles). The floor is the products' arithmetic (without the gradient of the network's "
        "input, which nobody needs) by multiply-adds in registers on all threads, timed in the same rounds.",
        floors,
    ),
    (
        "Every library",
        "Whole training steps: forward, softmax cross-entropy, backward, Adam (PyTorch eager: the fused one).",
        lambda r: everyone(r, "train"),
    ),
    ("Inference", "Through 784-512-512-10, one minibatch a call.", lambda r: everyone(r, "infer")),
    (
        "Memory-bound operations",
        "Forward and backward, or one update. GB/s counts what has to be moved, not what is; the triad runs on all "
        "threads in the same rounds. The plain loops read and write what each operation must and compute next to "
        "nothing: a triad reads two arrays for one that it writes, most operations fewer.",
        bandwidth,
    ),
    (
        "One epoch of MNIST",
        "784-512-512-10, batch 128, Adam, shuffling included; each library in its usual loop.",
        epochs,
    ),
    ("Threads", "Time on the fewest threads over time on the most.", scaling),
    (
        "Widths",
        "Linear-ReLU-Linear of every width from 8 to 512 with Adam, batch 64, and the products of one of its layers. "
        "The legend has the worst ratio of neighbouring widths. Drawn by "
        "`python bench/bench_linear.py --sweep --plot docs/widths.png`.",
        widths,
    ),
    ("Installing and importing", "", stack_table),
    (
        "Memory",
        "A fresh process that trains the row: what the steps need over what was in use before the network was built "
        "(in brackets the peak of the whole process, compilers included).",
        memory_table,
    ),
    (
        "Machine and method",
        "What the machine could do in all rounds: median (least–greatest). Where several threads have at times no more "
        "than one, the host ran their virtual CPUs on one core, and no library gained from them. Where empty "
        "instructions fall to half, other guests probably ran on the same cores: most code then takes longer, while "
        "multiply-adds alone nearly keep their rate.",
        machine,
    ),
)


def document(results: Results, *, picture: bool = True) -> str:
    """Return the page, with the picture of widths where one lies beside it."""
    parts = [
        "# Benchmarks\n\nWritten by `python bench/report.py`. All libraries do the same work on the same data from the "
        "same initial weights, in interleaved rounds of one run; the first values of each are checked against a "
        "float64 reference.\n"
    ]
    for heading, text, section in SECTIONS:
        body = "" if section is widths and not picture else section(results)
        if body:
            parts.append(f"## {heading}\n\n" + (f"{text}\n\n" if text else "") + body)
    if results.notes:
        parts.append("## Notes\n\n" + "\n".join(f"- {note}" for note in results.notes) + "\n")
    return "\n".join(parts)
