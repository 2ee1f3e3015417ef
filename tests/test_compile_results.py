"""Large results of a recorded function lie in arrays of their own, which no later call touches."""

import numpy as np
import pytest

import nnative
from nnative import Tensor, nn

N, D = 600, 500  # 1.2 MB, of which nine rows are 18 KB
X = np.random.default_rng(0).standard_normal((N, D)).astype("float32")
F = nn.functional

FUNCTIONS = {
    "one": lambda x: x * 2.0,
    "two": lambda x: (x + 1.0, x * 2.0),
    "one is computed from the other": lambda x: (lambda h: (h, F.relu(h - 1.0)))(x * 2.0),
    "large and small": lambda x: (lambda h: (h.mean(), h, h.sum(0)))(F.tanh(x)),
    "the same twice": lambda x: (lambda h: (h, h))(x * 2.0),
    "a view": lambda x: (x * 2.0).T,
    "an array and a part of it": lambda x: (lambda h: (h, h[3:7]))(x * 2.0),
    "another shape": lambda x: (x * 2.0).reshape(D, -1),
    "the argument": lambda x: (x, x * 2.0),
    "one that a product needs all of": lambda x: F.linear(F.relu(x), Tensor(X[:300])),
}


def flat(result):
    return [t.data for t in (result if isinstance(result, tuple) else (result,))]


@pytest.mark.parametrize("rows", [N, 9, 8, 1])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_large_results_are_those_of_the_eager_function_and_stay(name, rows, threads):
    function = FUNCTIONS[name]
    step = nnative.compile(function)
    inputs = [X[:rows] + i for i in range(4)]
    results = [flat(step(Tensor(x))) for x in inputs]
    for x, result in zip(inputs, results, strict=True):
        for array, want in zip(result, flat(function(Tensor(x))), strict=True):
            assert array.tobytes() == want.tobytes()
    for i, result in enumerate(results):
        others = [array for other in results[:i] + results[i + 1 :] for array in other]
        assert not any(np.shares_memory(array, other) for array in result for other in others)


def test_another_number_of_threads_writes_to_the_new_results(set_threads):
    step = nnative.compile(lambda x: F.relu(F.linear(x, Tensor(X[:400]))) + 1.0)
    want = (F.relu(F.linear(Tensor(X), Tensor(X[:400]))) + 1.0).data
    results = []
    for threads in (1, 3, 2, 1):
        set_threads(threads)
        results += [step(X).data for _ in range(2)]
    assert all(result.tobytes() == want.tobytes() for result in results)


@pytest.mark.parametrize(("function", "copied"), [("one", False), ("the same twice", True), ("large and small", False)])
def test_large_results_need_no_place_in_the_arena(function, copied):
    step = nnative.compile(FUNCTIONS[function])
    step(X)
    assert (step._recordings[0].replay.arena_bytes >= X.nbytes) == copied
