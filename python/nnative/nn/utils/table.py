"""Tables in plain text."""

from __future__ import annotations

from collections.abc import Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[str]], left: int) -> str:
    """Return lines with a rule below the head; the first ``left`` columns begin at the left, the others end right."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(w) if i < left else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in (head, ["-" * w for w in widths], *rows)
    ]
    return "\n".join(line.rstrip() for line in lines)
