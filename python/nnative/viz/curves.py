"""Learning curves: loss and accuracy over the epochs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from nnative.errors import DataError, optional
from nnative.train.history import History

_TRAIN, _TEST, _INK = "#8c8c8c", "#1f5fa8", "#333333"


def learning_curves(history: History, path: str | os.PathLike[str] | None = None, title: str = "") -> Any:
    """Draw loss (logarithmic) and accuracy over the epochs, for training and test set.

    Parameters
    ----------
    history
        What `nnative.train.fit` returned, of at least one epoch.
    path
        Where to write the picture, in the format of its ending; not written if None.
    title
        A line above the picture.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, unknown to pyplot.

    Raises
    ------
    MissingExtraError
        (an ImportError) Without matplotlib, which the extras ``demo`` and ``plot`` bring.
    ValueError
        For a history without epochs.
    DataError
        When the picture cannot be written.
    """
    figure_module = optional("matplotlib.figure", "plot", "learning_curves")
    if not history.epochs:
        raise ValueError("[learning_curves] expected at least one epoch, got none")
    figure = figure_module.Figure(figsize=(9.0, 3.8), dpi=130, layout="constrained")
    loss, accuracy = figure.subplots(1, 2)
    for axes, quantity in ((loss, "loss"), (accuracy, "accuracy")):
        epochs = [epoch.epoch for epoch in history.epochs]
        _line(axes, epochs, history.column(f"train_{quantity}"), "training, during the epoch", _TRAIN)
        _line(axes, epochs, history.column(f"test_{quantity}"), "test, after it", _TEST)
        _dress(axes, quantity, len(epochs))
    losses = [v for name in ("train_loss", "test_loss") for v in history.column(name) if v is not None]
    if min(losses) > 0:
        _logarithmic(loss, max(losses) / min(losses))
    loss.legend(frameon=False, fontsize=9, labelcolor=_INK)
    figure.suptitle(title, x=0.01, ha="left", fontsize=11, color=_INK)
    if path is not None:
        try:
            figure.savefig(path)
        except (OSError, ValueError) as error:
            raise DataError(f"{os.fspath(path)}: cannot be written: {error}") from error
    return figure


def _line(axes: Any, epochs: Sequence[int], values: Sequence[float | None], name: str, color: str) -> None:
    if any(v is None for v in values):
        return
    marker = "o" if len(epochs) <= 12 else ""
    axes.plot(epochs, values, color=color, linewidth=1.8, marker=marker, markersize=4, label=name)


def _logarithmic(axes: Any, ratio: float) -> None:
    """Make the y axis logarithmic, with labels as dense as the range of values allows."""
    ticker = optional("matplotlib.ticker", "plot", "learning_curves")
    subs = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0) if ratio < 20 else (1.0, 2.0, 5.0) if ratio < 1000 else (1.0,)
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(ticker.LogLocator(subs=subs))
    axes.yaxis.set_minor_locator(ticker.NullLocator())
    axes.yaxis.set_major_formatter("{x:g}")


def _dress(axes: Any, quantity: str, epochs: int) -> None:
    ticker = optional("matplotlib.ticker", "plot", "learning_curves")
    axes.set_xlabel("epoch", color=_INK)
    axes.set_title(quantity, loc="left", fontsize=10, color=_INK)
    axes.set_xlim(1 - 0.03 * epochs, epochs * 1.03)
    axes.xaxis.set_major_locator(ticker.MaxNLocator(integer=True))
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=_INK, labelsize=9)
