import json

import numpy as np
import pytest

from nnative import nn, optim, random
from nnative.data import DataError, DataLoader
from nnative.train import DivergedError, Epoch, History, evaluate, fit


def problem(n=120):
    """Two clouds that a line separates."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % 2
    x = rng.standard_normal((n, 3)).astype(np.float32) + 4 * y[:, None].astype(np.float32)
    return x, y


def train(epochs=4, seed=0, lr=0.05, **options):
    random.manual_seed(seed)
    model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2))
    optimizer = optim.Adam(model.parameters(), lr=lr)
    loader = DataLoader(problem(), 16, shuffle=True, generator=random.Generator(seed))
    options = {"test_loader": DataLoader(problem(), 50), "progress": False, **options}
    return model, optimizer, fit(model, optimizer, nn.CrossEntropyLoss(), loader, epochs=epochs, **options)


def test_learns_and_reports_each_epoch():
    model, _, history = train()
    assert [epoch.epoch for epoch in history.epochs] == [1, 2, 3, 4]
    assert history.epochs[-1].test_accuracy > 0.95
    assert history.epochs[-1].train_loss < history.epochs[0].train_loss
    assert all(epoch.seconds > 0 for epoch in history.epochs)
    assert evaluate(model, nn.CrossEntropyLoss(), DataLoader(problem(), 50)) == (
        history.epochs[-1].test_loss,
        history.epochs[-1].test_accuracy,
    )


def test_same_seed_same_bits():
    first, second = train()[0].state_dict(), train()[0].state_dict()
    for name, array in first.items():
        np.testing.assert_array_equal(np.asarray(array), np.asarray(second[name]))


def test_evaluation_weighs_batches_by_their_size_and_leaves_the_mode():
    model, _, _ = train(epochs=1)
    model.train()
    whole = evaluate(model, nn.CrossEntropyLoss(), DataLoader(problem(), 120))
    uneven = evaluate(model, nn.CrossEntropyLoss(), DataLoader(problem(), 119))
    np.testing.assert_allclose(uneven, whole, rtol=1e-6)
    assert model.training


def test_evaluation_runs_in_evaluation_mode_without_the_tape():
    seen = []

    class Spy(nn.Module):
        def forward(self, x):
            seen.append(self.training)
            return x @ np.ones((3, 2), dtype=np.float32)

    evaluate(Spy(), nn.CrossEntropyLoss(), DataLoader(problem(), 60))
    assert seen == [False, False]


def test_prepare_is_applied_to_every_batch():
    shapes = []

    def prepare(x):
        shapes.append(x.shape)
        return x

    train(epochs=1, prepare=prepare)
    assert shapes == [(16, 3)] * 7 + [(8, 3)] + [(50, 3)] * 2 + [(20, 3)]


def test_learning_rate_falls_to_zero_only_when_asked():
    _, optimizer, _ = train(epochs=2, lr_decay=True)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.05 / 16)
    _, optimizer, _ = train(epochs=2)
    assert optimizer.param_groups[0]["lr"] == 0.05


def test_progress_bar_shows_loss_and_accuracy(capsys):
    train(progress=True)
    shown = capsys.readouterr().err
    assert "32/32" in shown
    assert "epoch 4/4 loss" in shown
    assert "accuracy" in shown
    train()
    assert capsys.readouterr().err == ""


def test_divergence_is_an_error_that_names_the_batch():
    with pytest.raises(DivergedError, match=r"^\[fit\] the loss became nan in epoch 1, batch 1"):
        train(prepare=lambda x: x * np.float32("nan"))


def test_empty_loaders_are_refused():
    model, optimizer, _ = train(epochs=1)
    empty = DataLoader(problem(0), 16)
    with pytest.raises(ValueError, match=r"^\[fit\] expected a loader with batches"):
        fit(model, optimizer, nn.CrossEntropyLoss(), empty, epochs=1)
    with pytest.raises(ValueError, match=r"^\[evaluate\] expected a loader with batches"):
        evaluate(model, nn.CrossEntropyLoss(), empty)


def test_history_is_saved_as_json(tmp_path):
    history = History([Epoch(1, 0.5, 0.75, None, None, 0.1)])
    history.save(tmp_path / "history.json")
    assert json.loads((tmp_path / "history.json").read_text()) == [
        {
            "epoch": 1,
            "train_loss": 0.5,
            "train_accuracy": 0.75,
            "test_loss": None,
            "test_accuracy": None,
            "seconds": 0.1,
        }
    ]
    with pytest.raises(DataError, match="cannot be written"):
        history.save(tmp_path)
