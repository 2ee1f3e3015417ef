"""Fused programs do the same with fewer launches, bit for bit."""

import numpy as np
import pytest

import nnative
from nnative import Tensor, nn, optim

RNG = np.random.default_rng(0)
BATCHES = [1, 2, 7, 31, 32, 33, 100]


def arrays(rows, columns, dtype):
    x = RNG.standard_normal((rows, columns)).astype(dtype)
    x[0, 0] = np.nan if rows > 3 else x[0, 0]  # what is not a number stays so
    return x


def steps_of(recorded):
    return recorded._recordings[0].replay.steps


def both(make, *args):
    """Return the results and the numbers of launches, plain and fused."""
    out = []
    for fuse in (False, True):
        function, state = make()
        recorded = nnative.compile(function, fuse=fuse)
        results = [recorded(*args) for _ in range(3)]
        values = [t.data.tobytes() for r in results for t in (r if isinstance(r, tuple) else (r,))]
        out.append((values + [p.data.tobytes() for p in state], steps_of(recorded)))
    return out


@pytest.mark.parametrize("rows", BATCHES)
@pytest.mark.parametrize("threads", [1, 3])
def test_relu_joins_the_product_before_it(rows, threads, dtype, isa, set_threads):
    set_threads(threads)
    weights = [RNG.standard_normal(shape).astype(dtype) for shape in ((70, 45), (70,), (9, 70))]

    def make():
        w, b, v = (nn.Parameter(a.copy()) for a in weights)
        return lambda x: nn.functional.relu(
            nn.functional.linear(nn.functional.relu(nn.functional.linear(x, w, b)), v)
        ), []

    (plain, before), (fused, after) = both(make, arrays(rows, 45, dtype))
    assert plain == fused
    assert after == before - 2


@pytest.mark.parametrize("rows", BATCHES)
@pytest.mark.parametrize("threads", [1, 3])
def test_the_mask_of_relu_joins_the_product_of_the_gradient(rows, threads, dtype, isa, set_threads):
    set_threads(threads)
    weights = [RNG.standard_normal(shape).astype(dtype) for shape in ((70, 45), (50, 70), (9, 50))]

    def make():
        parameters = [nn.Parameter(a.copy()) for a in weights]
        optimizer = optim.SGD(parameters, lr=0.01)

        def step(x):
            optimizer.zero_grad()
            h = x
            for w in parameters:
                h = nn.functional.relu(nn.functional.linear(h, w))
            loss = h.sum()
            loss.backward()
            optimizer.step()
            return loss

        return step, parameters

    x = RNG.standard_normal((rows, 45)).astype(dtype)
    (plain, before), (fused, after) = both(make, x)
    assert plain == fused
    # Three forward, two backward (the last mask follows no product), and the seed of the gradient is there already.
    assert after == before - 3 - 2 - 1


@pytest.mark.parametrize("rows", BATCHES)
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("p", [0.0, 0.3, 0.5, 1.0])
def test_the_mask_of_relu_joins_the_product_across_dropout(rows, threads, p, dtype, isa, set_threads):
    set_threads(threads)
    weights = [RNG.standard_normal(shape).astype(dtype) for shape in ((70, 45), (50, 70), (9, 50))]

    def make():
        nnative.manual_seed(5)
        parameters = [nn.Parameter(a.copy()) for a in weights]
        optimizer = optim.SGD(parameters, lr=0.01)

        def step(x):
            optimizer.zero_grad()
            h = nn.functional.linear(x, parameters[0])
            for w in parameters[1:]:
                h = nn.functional.linear(nn.functional.dropout(nn.functional.relu(h), p), w)
            (h * 0.1).sum().backward()
            optimizer.step()
            return h

        return step, parameters

    (plain, before), (fused, after) = both(make, arrays(rows, 45, dtype))
    assert plain == fused
    # Two forward, two backward, and the seed of the gradient is there already.
    assert after == before - 2 - 2 - 1


@pytest.mark.parametrize("rows", [63, 64, 65, 100, 128, 512, 513])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_two_members_sum_up_the_gradient_of_their_own_rows(rows, bias, threads, dtype, isa, set_threads):
    set_threads(threads)
    layers = [nn.Linear(70, 45, bias=bias), nn.Linear(45, 61, bias=bias), nn.Linear(61, 9, bias=bias)]
    start = [p.data.astype(dtype) for layer in layers for p in layer.parameters()]

    def make():
        model = nn.Sequential(*layers).to(dtype)
        for p, values in zip(model.parameters(), start, strict=True):
            p.data[...] = values
        optimizer = optim.Adam(model.parameters(), lr=0.01)

        def step(x):
            optimizer.zero_grad()
            loss = (model(x) * 0.1).sum()
            loss.backward()
            optimizer.step()
            return loss

        return step, list(model.parameters())

    (plain, before), (fused, after) = both(make, RNG.standard_normal((rows, 70)).astype(dtype))
    assert plain == fused
    in_two = 3 if threads == 2 and 64 <= rows <= 512 else 0
    assert after == before - 1 + in_two  # the seed of the gradient is there already


@pytest.mark.parametrize("threads", [1, 3])
def test_bias_and_masks_in_every_remainder_of_a_panel(threads, dtype, isa, set_threads):
    set_threads(threads)
    for width in range(1, 36):
        weights = [
            RNG.standard_normal(shape).astype(dtype) for shape in ((width, 6), (width,), (width, width), (width,))
        ]
        x = RNG.standard_normal((33 if width % 2 else 14, 6)).astype(dtype)

        def make(weights=weights):
            w, b, v, c = parameters = [nn.Parameter(a.copy()) for a in weights]
            optimizer = optim.SGD(parameters, lr=0.01)

            def step(inputs):
                optimizer.zero_grad()
                hidden = nn.functional.relu(nn.functional.linear(inputs, w, b))
                loss = nn.functional.relu(nn.functional.linear(hidden, v, c)).sum()
                loss.backward()
                optimizer.step()
                return loss

            return step, parameters

        (plain, before), (fused, after) = both(make, x)
        assert plain == fused, width
        assert after < before - 2


def test_what_is_used_twice_is_not_fused(dtype):
    """The product's own value is needed as well."""
    w = RNG.standard_normal((8, 8)).astype(dtype)

    def make():
        p = nn.Parameter(w.copy())

        def f(x):
            h = nn.functional.linear(x, p)
            return nn.functional.relu(h) + h

        return f, []

    (plain, before), (fused, after) = both(make, RNG.standard_normal((5, 8)).astype(dtype))
    assert plain == fused
    assert after == before


def test_a_result_is_not_fused_away(dtype):
    p = nn.Parameter(RNG.standard_normal((8, 8)).astype(dtype))

    def f(x):
        h = nn.functional.linear(x, p)
        return h, nn.functional.relu(h)

    x = RNG.standard_normal((5, 8)).astype(dtype)
    recorded = nnative.compile(f)
    for got in (recorded(x), recorded(x)):
        for g, want in zip(got, f(Tensor(x)), strict=True):
            np.testing.assert_array_equal(g.data, want.data)


@pytest.mark.parametrize("shape", [(1, 1), (15, 17), (45, 33), (784, 130), (33, 10), (2500, 40), (64, 200)])
@pytest.mark.parametrize("threads", [1, 2])
def test_frozen_weights_give_the_same_bits(shape, threads, dtype, isa, set_threads):
    set_threads(threads)
    K, M = shape
    layer = nn.Sequential(nn.Linear(K, M), nn.ReLU(), nn.Linear(M, 3, bias=False)).to(dtype)
    with nnative.no_grad():
        for rows in (1, 2, 3, 4, 5, 8, 13, 32, 70):
            x = RNG.standard_normal((rows, K)).astype(dtype)
            recorded = nnative.compile(lambda x: layer(x), frozen=True)
            want = layer(Tensor(x)).data
            for _ in range(2):
                np.testing.assert_array_equal(recorded(x).data, want, err_msg=str(rows))


def test_frozen_weights_are_taken_as_they_were():
    layer = nn.Linear(4, 3)
    x = RNG.standard_normal((2, 4)).astype("float32")
    frozen, live = nnative.compile(layer.forward, frozen=True), nnative.compile(layer.forward)
    with nnative.no_grad():
        before = frozen(x).data.copy()
        live(x)
        layer.weight.data[...] = 0
        np.testing.assert_array_equal(frozen(x).data, before)
        np.testing.assert_array_equal(live(x).data, layer(Tensor(x)).data)


def test_weights_that_the_program_changes_are_not_frozen(dtype):
    """A training step stays right: what it updates is not a constant."""

    def train(frozen):
        p = nn.Parameter(np.ones((3, 4), dtype))
        optimizer = optim.SGD([p], lr=0.1)

        def step(x):
            optimizer.zero_grad()
            loss = nn.functional.linear(x, p).mean()
            loss.backward()
            optimizer.step()
            return loss

        recorded = nnative.compile(step, frozen=frozen)
        return [recorded(np.ones((5, 4), dtype)).item() for _ in range(4)]

    assert train(True) == train(False)


def test_compile_is_also_a_decorator_with_options():
    @nnative.compile(fuse=False)
    def double(x):
        return x * 2.0

    assert double(np.ones(3, "float32")).tolist() == [2.0, 2.0, 2.0]
    assert not double.fuse


@pytest.mark.parametrize("rows", BATCHES)
@pytest.mark.parametrize("threads", [1, 3])
def test_relu_joins_the_addition_before_it(rows, threads, dtype, isa, set_threads):
    set_threads(threads)
    bias = RNG.standard_normal(45).astype(dtype)

    def make():
        b = nn.Parameter(bias.copy())

        def step(x):
            b.grad = None
            y = nn.functional.relu(x + b)
            y.sum().backward()
            return y

        return step, [b]

    (plain, before), (fused, after) = both(make, arrays(rows, 45, dtype))
    assert plain == fused
    assert after == before - 1 - 1  # the seed of the gradient is there already


def gradient_of_loss(dtype, rows, classes, scale=1.0, **options):
    """Return what makes a step: cross-entropy of shifted logits and its gradient."""
    shift = RNG.standard_normal(classes).astype(dtype)

    def make():
        p = nn.Parameter(shift.copy())

        def step(x, y):
            p.grad = None
            loss = nn.functional.cross_entropy(x + p, y, **options)
            (loss if scale == 1.0 else loss * scale).backward()
            return loss, Tensor(p.grad) * 1.0

        return step, [p]

    x = 3 * RNG.standard_normal((rows, classes)).astype(dtype)
    y = RNG.integers(0, classes, rows)
    y[::5] = -100 if rows > 1 else y[0]
    return make, x, y


@pytest.mark.parametrize("classes", [1, 3, 10, 16, 17, 32, 33, 128, 129, 300, 400])
@pytest.mark.parametrize("options", [{}, {"reduction": "sum"}, {"label_smoothing": 0.1}, {"weight": True}], ids=str)
def test_cross_entropy_and_its_gradient_are_one_pass(classes, options, dtype, isa, threads):
    if "weight" in options:
        options = {"weight": Tensor(RNG.uniform(0.5, 2, classes).astype(dtype))}
    for rows in (1, 7, 33, 100):
        (plain, before), (fused, after) = both(*gradient_of_loss(dtype, rows, classes, **options))
        assert plain == fused, rows
        assert after == before - 1 - 1


@pytest.mark.parametrize(("rows", "classes"), [(3300, 1021), (2100, 1024), (70, 16384), (70, 16385)])
def test_one_pass_beyond_the_caches(rows, classes, dtype, isa, threads):
    (plain, before), (fused, after) = both(*gradient_of_loss(dtype, rows, classes))
    assert plain == fused
    assert after == before - 1 - 1


@pytest.mark.parametrize("classes", [10, 33, 300])
def test_one_pass_of_what_is_not_finite(classes, dtype, isa):
    make, x, y = gradient_of_loss(dtype, 40, classes)
    x[3, 5] = x[7, 0] = x[8] = np.nan
    x[11, 4] = x[12, classes - 1] = np.inf
    x[17, 2] = x[18] = -np.inf
    (plain, _), (fused, _) = both(make, x, y)
    assert plain == fused


def test_a_gradient_of_the_loss_that_is_computed_keeps_both_passes(dtype):
    (plain, before), (fused, after) = both(*gradient_of_loss(dtype, 8, 5, scale=2.0))
    assert plain == fused
    assert after == before - 1


def test_the_second_of_two_gradients_keeps_its_pass(dtype):
    """The graph is walked twice."""

    def make():
        p = nn.Parameter(np.zeros(5, dtype))

        def step(x, y):
            p.grad = None
            loss = nn.functional.cross_entropy(x + p, y)
            loss.backward(retain_graph=True)
            loss.backward()
            return loss, Tensor(p.grad) * 1.0

        return step, [p]

    x = RNG.standard_normal((8, 5)).astype(dtype)
    (plain, before), (fused, after) = both(make, x, np.arange(8) % 5)
    assert plain == fused
    assert after == before - 2 - 1  # both seeds


def test_logits_that_change_before_the_gradient_keep_both_passes(dtype):
    start = RNG.standard_normal((8, 5)).astype(dtype)

    def make():
        p = nn.Parameter(start.copy())

        def step(y):
            nonlocal p
            p.grad = None
            loss = nn.functional.cross_entropy(p, y)
            with nnative.no_grad():
                p *= 0.75
            loss.backward()
            return loss, Tensor(p.grad) * 1.0

        return step, [p]

    (plain, before), (fused, after) = both(make, np.arange(8) % 5)
    assert plain == fused
    assert after == before - 1  # the seed
