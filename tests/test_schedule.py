"""Members of a recorded step wait for each other only where they must, and never too little."""

import threading

import numpy as np
import pytest

import nnative
from nnative import Tensor, nn, optim

RNG = np.random.default_rng(0)
N, D, C = 97, 64, 7  # an odd number of rows, and steps long enough to be shared
X = RNG.standard_normal((N, D)).astype("float32")
Y = RNG.integers(0, C, N)


def mlp():
    nnative.manual_seed(0)
    return nn.Sequential(nn.Linear(D, 96), nn.ReLU(), nn.Linear(96, 80), nn.Tanh(), nn.Linear(80, C))


def training(model, optimizer):
    def step(x, y):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def replay_of(step, *args):
    recorded = nnative.compile(step)
    recorded(*args)
    return recorded._recordings[0].replay, recorded


def test_the_rows_of_a_batch_pass_the_network_without_a_barrier(set_threads):
    """One segment takes rows forward and back; weight gradients and their updates follow in the next."""
    set_threads(2)
    model = mlp()
    replay, step = replay_of(training(model, optim.Adam(model.parameters())), X, Y)
    step(X, Y)
    assert replay.segments == 2
    set_threads(1)
    step(X, Y)
    assert replay.segments == 1


def test_pointwise_results_take_the_memory_of_their_operand():
    replay, _ = replay_of(lambda x: nn.functional.sigmoid(nn.functional.tanh(x.exp())).sum(), X)
    assert replay.arena_bytes < 1.1 * X.nbytes


def test_an_operand_that_is_used_again_keeps_its_memory():
    def step(x):
        y = x * 2.0
        return (y.exp() - y).sum()

    assert nnative.compile(step)(X).item() == step(Tensor(X)).item()
    _, recorded = replay_of(step, X)
    assert recorded(X).item() == step(Tensor(X)).item()


# Pieces of random networks: each takes and returns a tensor of N rows and D columns.
def _linear(h, weights, rng):
    return nn.functional.linear(h, weights[rng.integers(len(weights))])


PIECES = {
    "linear": _linear,
    "relu": lambda h, weights, rng: nn.functional.relu(h),
    "tanh": lambda h, weights, rng: nn.functional.tanh(h),
    "leaky": lambda h, weights, rng: nn.functional.leaky_relu(h, 0.1),
    "double": lambda h, weights, rng: h * 2.0 - h,
    "residual": lambda h, weights, rng: h + nn.functional.relu(_linear(h, weights, rng)),
    "standardise": lambda h, weights, rng: h - h.mean(0),  # needs all rows
    "rows": lambda h, weights, rng: h - h.mean(1, keepdim=True),
    "softmax": lambda h, weights, rng: nn.functional.softmax(h, -1) * h,
    "transpose": lambda h, weights, rng: (h.T * 0.5).T.reshape(N, D),
    "dropout": lambda h, weights, rng: nn.functional.dropout(h, 0.3, True),
}


def random_step(seed, dtype):
    rng = np.random.default_rng(seed)
    names = rng.choice(list(PIECES), 8)
    weights = [nn.Parameter((rng.standard_normal((D, D)) / 8).astype(dtype)) for _ in range(3)]
    head = nn.Parameter((rng.standard_normal((C, D)) / 8).astype(dtype))
    optimizer = optim.SGD([*weights, head], lr=0.05, momentum=0.9)

    def step(x, y):
        choice = np.random.default_rng(seed)
        optimizer.zero_grad()
        h = x
        for name in names:
            h = PIECES[name](h, weights, choice)
        loss = nn.functional.cross_entropy(nn.functional.linear(h, head), y)
        loss.backward()
        optimizer.step()
        return loss, h

    return step, [*weights, head], names


@pytest.mark.parametrize("seed", range(24))
def test_a_random_network_has_the_same_bits_however_it_is_cut(seed, dtype, set_threads):
    x = X.astype(dtype)
    results = []
    for threads in (0, 1, 2, 3, 5):  # 0: eager
        set_threads(max(threads, 1))
        nnative.manual_seed(seed)
        step, parameters, names = random_step(seed, dtype)
        run = nnative.compile(step) if threads else step
        outputs = [tuple(t.data.tobytes() for t in run(Tensor(x), Y)) for _ in range(4)]
        results.append((outputs, [p.data.tobytes() for p in parameters]))
        assert results[-1] == results[0], (threads, list(names))


def test_a_step_that_finds_the_pool_taken_runs_all_parts_itself(set_threads):
    set_threads(2)
    models = [mlp() for _ in range(3)]

    def train(model):
        step = nnative.compile(training(model, optim.Adam(model.parameters())))
        for _ in range(60):
            step(X, Y)

    train(models[0])
    threads = [threading.Thread(target=train, args=(model,)) for model in models[1:]]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    values = [[p.data.tobytes() for p in model.parameters()] for model in models]
    assert values[1] == values[0]
    assert values[2] == values[0]
