"""Every layer in a recorded training step: the same bits, masks and states as in eager steps."""

import numpy as np
import pytest

import nnative
from nnative import nn, optim, random

RNG = np.random.default_rng(1)
X = RNG.standard_normal((8, 20, 12)).astype("float32")
WORDS = RNG.integers(0, 9, (8, 20, 3))
Y = RNG.integers(0, 5, (8, 20))


class Pair(nn.Module):
    """A Bilinear layer of two halves, with weights in a list and a dict."""

    def __init__(self):
        super().__init__()
        self.product = nn.Bilinear(6, 6, 12)
        self.scales = nn.ParameterList([nnative.ones(12)])
        self.heads = nn.ModuleDict({"a": nn.Linear(12, 12)})

    def forward(self, x):
        return self.heads["a"](self.product(x[:, :6], x[:, 6:])) * self.scales[0]


LAYERS = {
    "LayerNorm": lambda: [nn.LayerNorm(12)],
    "LayerNorm without bias": lambda: [nn.LayerNorm(12, bias=False)],
    "RMSNorm": lambda: [nn.RMSNorm(12)],
    "GroupNorm": lambda: [nn.GroupNorm(3, 12)],
    "GroupNorm of runs": lambda: [nn.Unflatten(1, (4, 3)), nn.GroupNorm(2, 4), nn.Flatten()],
    "BatchNorm1d of runs": lambda: [nn.Unflatten(1, (4, 3)), nn.BatchNorm1d(4), nn.Flatten()],
    "AlphaDropout": lambda: [nn.AlphaDropout(0.3)],
    "GaussianDropout": lambda: [nn.GaussianDropout(0.3)],
    "GaussianNoise": lambda: [nn.GaussianNoise(0.3)],
    "Maxout": lambda: [nn.Maxout(12, 12, 3)],
    "Residual": lambda: [nn.Residual(nn.Linear(12, 12)), nn.Residual(nn.LayerNorm(12), nn.Linear(12, 12))],
    "DenseBlock": lambda: [nn.DenseBlock(nn.Linear(12, 4), nn.ReLU()), nn.Linear(32, 12)],
    "Bilinear": lambda: [Pair()],
    "Embedding": lambda: [nn.Embedding(9, 4), nn.Flatten()],
    "Embedding with options": lambda: [
        nn.Embedding(9, 4, padding_idx=1, max_norm=1.0, scale_grad_by_freq=True),
        nn.Flatten(),
    ],
}


class Training:
    def __init__(self, name, dtype):
        random.manual_seed(21)
        first = [] if name.startswith("Embedding") else [nn.Linear(12, 12)]
        self.inputs = X.astype(dtype) if first else WORDS
        self.model = nn.Sequential(*first, *LAYERS[name](), nn.Linear(12, 5)).to(dtype)
        self.optimizer = optim.SGD(self.model.parameters(), lr=0.1, momentum=0.9)

    def step(self, x, y):
        self.optimizer.zero_grad()
        loss = nn.functional.cross_entropy(self.model(x), y)
        if self.model.training:
            loss.backward()
            self.optimizer.step()
        return loss

    def run(self, step):
        random.manual_seed(5)
        losses = []
        for i, (x, y) in enumerate(zip(self.inputs, Y, strict=True)):
            self.model.train(i != 4)
            losses.append(step(nnative.Tensor(x), y).item())
        state = [np.asarray(t).tobytes() for t in self.model.state_dict().values()]
        return losses, state, random.default_generator.stream


@pytest.mark.parametrize("name", LAYERS)
def test_recorded_steps_equal_eager_steps(name, dtype, threads):
    eager, recorded = Training(name, dtype), Training(name, dtype)
    step = nnative.compile(recorded.step)
    assert eager.run(eager.step) == recorded.run(step)
    assert len(step._recordings) == 2  # training and evaluation


@pytest.mark.parametrize("name", ["AlphaDropout", "GaussianDropout", "GaussianNoise"])
def test_each_replay_has_new_noise(name):
    layer = LAYERS[name]()[0]
    step = nnative.compile(lambda x: layer(x))
    results = {step(X[0]).numpy().tobytes() for _ in range(6)}
    assert len(results) == 6
    assert len(step._recordings) == 1


@pytest.mark.parametrize(
    ("layer", "name", "value"),
    [
        (nn.LayerNorm(12), "eps", 1.0),
        (nn.RMSNorm(12), "eps", 1.0),
        (nn.GroupNorm(2, 12), "eps", 1.0),
        (nn.GaussianNoise(1.0), "std", 0.0),
        (nn.GaussianDropout(0.5), "p", 0.0),
        (nn.AlphaDropout(0.5), "p", 0.0),
        (nn.Dropout(0.5).eval(), "mode", "classic"),
    ],
)
def test_a_changed_option_is_seen(layer, name, value):
    step = nnative.compile(lambda x: layer(x))
    step(X[0])
    setattr(layer, name, value)
    np.testing.assert_array_equal(step(X[1]).numpy(), layer(nnative.Tensor(X[1])).detach().numpy())


def test_a_changed_option_of_an_embedding_is_seen():
    layer = nn.Embedding(9, 4)
    step = nnative.compile(lambda index: layer(index))
    step(WORDS[0])
    layer.max_norm = 0.5
    assert np.linalg.norm(step(WORDS[1]).numpy(), axis=-1).max() < 0.5001


def test_monte_carlo_predictions_are_recorded_once():
    model = nn.Sequential(nn.Linear(12, 30), nn.BatchNorm1d(30), nn.Dropout(0.5), nn.Linear(30, 5))
    predict = nnative.compile(lambda x: nn.utils.mc_dropout(model, x, 6))
    random.manual_seed(3)
    eager = [nn.utils.mc_dropout(model, nnative.Tensor(x), 6) for x in X]
    random.manual_seed(3)
    for expected, x in zip(eager, X, strict=True):
        for a, b in zip(expected, predict(x), strict=True):
            np.testing.assert_array_equal(a.numpy(), b.numpy())
    assert len(predict._recordings) == 1
    assert model.training


def test_an_index_out_of_range_in_a_replay_gives_nan():
    layer = nn.Embedding(9, 4)
    step = nnative.compile(lambda index: layer(index))
    step(np.array([1, 2]))
    y = step(np.array([8, 9])).numpy()
    np.testing.assert_array_equal(y[0], layer.weight.data[8])
    assert np.isnan(y[1]).all()
    assert np.isnan(step(np.array([-1, 0])).numpy()[0]).all()
