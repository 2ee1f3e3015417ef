"""Fifty steps of training give one and the same bits: for every number of threads, for every instruction set with fused
multiply-add, eager, recorded and as epochs.
"""

import hashlib

import numpy as np
import pytest

import nnative
from nnative import _native, nn, optim

ROWS, FEATURES, CLASSES, BATCH, EPOCHS = 401, 131, 11, 90, 10  # the last batch of an epoch is shorter

_rng = np.random.default_rng(0)
X = _rng.standard_normal((ROWS, FEATURES))
Y = _rng.integers(0, CLASSES, ROWS)


def train(mode, dtype):
    """Return the hash of the parameters after 50 steps."""
    nnative.manual_seed(3)
    model = nn.Sequential(nn.Linear(FEATURES, 257), nn.ReLU(), nn.Linear(257, 33), nn.Tanh(), nn.Linear(33, CLASSES))
    model.to(dtype)
    optimizer = optim.AdamW(model.parameters(), lr=1e-2)

    def step(x, y):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    x = X.astype(dtype)
    recorded = nnative.compile(step)
    for _ in range(EPOCHS):
        if mode == "epoch":
            recorded.epoch(x, Y, batch_size=BATCH, shuffle=False)
            continue
        for i in range(0, ROWS, BATCH):
            (step if mode == "eager" else recorded)(nnative.Tensor(x[i : i + BATCH]), Y[i : i + BATCH])
    values = [p.data for p in model.parameters()]
    assert all(np.isfinite(v).all() for v in values)
    return hashlib.sha256(b"".join(v.tobytes() for v in values)).hexdigest()


@pytest.mark.parametrize("mode", ["eager", "recorded", "epoch"])
def test_fifty_steps_have_the_same_bits(mode, dtype, fma_isas, set_threads):
    if not fma_isas:
        pytest.skip("the baseline, without fused multiply-add, is exempt")
    _native.set_isa(fma_isas[0])
    set_threads(1)
    want = train("eager", dtype)
    for isa in fma_isas:
        _native.set_isa(isa)
        for threads in (1, 2, 3, 5):
            set_threads(threads)
            assert train(mode, dtype) == want, (isa, threads)
