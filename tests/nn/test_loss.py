"""Losses are PyTorch's: values, gradients of inputs and targets, reductions, printed forms and arguments."""

import inspect

import numpy as np
import pytest

import nnative
from nnative import nn
from nnative.nn import functional as F

RNG = np.random.default_rng(8)
N, C = 7, 5
X, Y, Z = RNG.standard_normal((3, N, C))
VOLUME = RNG.standard_normal((3, C, 4, 2))
P, Q = RNG.uniform(0.02, 0.98, (2, N, C))
SIGNS = np.sign(RNG.standard_normal((N, C)))
LABELS = RNG.integers(0, C, N)
WEIGHT = RNG.uniform(0.5, 2, C)
LOG_P = np.log(P / P.sum(1, keepdims=True))
SOFT = Q / Q.sum(1, keepdims=True)
IGNORED = np.where(np.arange(N) % 3 == 0, -100, LABELS)
SEVERAL = np.array([RNG.permutation(C) for _ in range(N)])
SEVERAL[np.arange(N), LABELS] = -1

# Name, arguments of the constructor, arrays, and which of these need a gradient.
CASES = [
    ("CrossEntropyLoss", {}, [X, LABELS], [0]),
    ("CrossEntropyLoss", {"weight": WEIGHT}, [X, LABELS], [0]),
    ("CrossEntropyLoss", {"ignore_index": 2}, [X, LABELS], [0]),
    ("CrossEntropyLoss", {"weight": WEIGHT}, [X, IGNORED], [0]),
    ("CrossEntropyLoss", {"label_smoothing": 0.1}, [X, IGNORED], [0]),
    ("CrossEntropyLoss", {"label_smoothing": 0.3, "weight": WEIGHT, "ignore_index": 1}, [X, LABELS], [0]),
    ("CrossEntropyLoss", {"label_smoothing": 1.0}, [X, LABELS], [0]),
    ("CrossEntropyLoss", {}, [X, SOFT], [0, 1]),
    ("CrossEntropyLoss", {"label_smoothing": 0.2, "weight": WEIGHT}, [X, SOFT], [0, 1]),
    ("CrossEntropyLoss", {}, [X[0], np.array(3)], [0]),
    ("CrossEntropyLoss", {"weight": WEIGHT, "label_smoothing": 0.2}, [X[0], np.array(3)], [0]),
    ("CrossEntropyLoss", {}, [X[0], SOFT[0]], [0, 1]),
    ("CrossEntropyLoss", {"weight": WEIGHT}, [VOLUME, RNG.integers(0, C, (3, 4, 2))], [0]),
    ("CrossEntropyLoss", {"weight": WEIGHT}, [VOLUME[..., 0], RNG.integers(0, C, (3, 4))], [0]),
    ("CrossEntropyLoss", {"weight": WEIGHT, "label_smoothing": 0.1}, [VOLUME, np.abs(VOLUME)], [0, 1]),
    ("NLLLoss", {}, [LOG_P, LABELS], [0]),
    ("NLLLoss", {"weight": WEIGHT}, [LOG_P, IGNORED], [0]),
    ("NLLLoss", {"ignore_index": 1}, [LOG_P, LABELS], [0]),
    ("NLLLoss", {}, [LOG_P[0], np.array(2)], [0]),
    ("NLLLoss", {"weight": WEIGHT}, [VOLUME, RNG.integers(0, C, (3, 4, 2))], [0]),
    ("BCELoss", {}, [P, Q], [0, 1]),
    ("BCELoss", {"weight": WEIGHT}, [P, Q], [0, 1]),
    ("BCELoss", {}, [np.array([0.0, 1.0, 0.0, 1.0, 1e-9]), np.array([0.0, 1.0, 1.0, 0.0, 0.0])], [0]),
    ("BCEWithLogitsLoss", {}, [X, Q], [0, 1]),
    ("BCEWithLogitsLoss", {"weight": WEIGHT}, [X, Q], [0, 1]),
    ("BCEWithLogitsLoss", {"pos_weight": WEIGHT}, [X, Q], [0, 1]),
    ("BCEWithLogitsLoss", {"pos_weight": WEIGHT, "weight": P}, [100 * X, Q], [0, 1]),
    ("KLDivLoss", {}, [LOG_P, SOFT], [0, 1]),
    ("KLDivLoss", {"log_target": True}, [LOG_P, np.log(SOFT)], [0, 1]),
    ("KLDivLoss", {}, [LOG_P, np.eye(C)[LABELS]], [0]),
    ("MSELoss", {}, [X, Y], [0, 1]),
    ("L1Loss", {}, [X, Y], [0, 1]),
    ("L1Loss", {}, [X, X], [0, 1]),
    ("SmoothL1Loss", {}, [X, Y], [0, 1]),
    ("SmoothL1Loss", {"beta": 0.4}, [X, Y], [0, 1]),
    ("SmoothL1Loss", {"beta": 0.0}, [X, Y], [0, 1]),
    ("HuberLoss", {}, [X, Y], [0, 1]),
    ("HuberLoss", {"delta": 0.4}, [X, Y], [0, 1]),
    ("PoissonNLLLoss", {}, [X, np.floor(5 * P)], [0]),
    ("PoissonNLLLoss", {"full": True}, [X, np.floor(5 * P)], [0]),
    ("PoissonNLLLoss", {"log_input": False, "full": True, "eps": 1e-4}, [P, np.floor(5 * P)], [0]),
    ("GaussianNLLLoss", {}, [X, Y, P], [0, 1, 2]),
    ("GaussianNLLLoss", {"full": True, "eps": 0.5}, [X, Y, P], [0, 1, 2]),
    ("GaussianNLLLoss", {}, [X, Y, P[:, 0]], [0, 2]),
    ("GaussianNLLLoss", {}, [X, Y, P[:, :1]], [0, 2]),
    ("SoftMarginLoss", {}, [3 * X, SIGNS], [0]),
    ("HingeEmbeddingLoss", {}, [X, SIGNS], [0]),
    ("HingeEmbeddingLoss", {"margin": 0.2}, [X, SIGNS], [0]),
    ("CosineEmbeddingLoss", {}, [X, Y, SIGNS[:, 0]], [0, 1]),
    ("CosineEmbeddingLoss", {"margin": -0.2}, [X, Y, SIGNS[:, 0]], [0, 1]),
    ("CosineEmbeddingLoss", {}, [X[0], Y[0], SIGNS[0, 0]], [0, 1]),
    ("MarginRankingLoss", {}, [X, Y, SIGNS], [0, 1]),
    ("MarginRankingLoss", {"margin": 0.5}, [X, Y, SIGNS], [0, 1]),
    ("TripletMarginLoss", {}, [X, Y, Z], [0, 1, 2]),
    ("TripletMarginLoss", {"margin": 3.0, "p": 1.0}, [X, Y, Z], [0, 1, 2]),
    ("TripletMarginLoss", {"p": 3.0, "swap": True, "eps": 1e-4}, [X, Y, Z], [0, 1, 2]),
    ("TripletMarginLoss", {}, [X[0], Y[0], Z[0]], [0, 1, 2]),
    ("MultiMarginLoss", {}, [X, LABELS], [0]),
    ("MultiMarginLoss", {"p": 2, "margin": 0.5, "weight": WEIGHT}, [X, LABELS], [0]),
    ("MultiMarginLoss", {}, [X[0], np.array(1)], [0]),
    ("MultiLabelMarginLoss", {}, [X, SEVERAL], [0]),
    ("MultiLabelMarginLoss", {}, [X[0], np.array([3, 1, -1, 2, 0])], [0]),
    ("MultiLabelSoftMarginLoss", {}, [X, (Q > 0.5) * 1.0], [0]),
    ("MultiLabelSoftMarginLoss", {"weight": WEIGHT}, [X, (Q > 0.5) * 1.0], [0]),
]
IDS = [f"{name}-{'-'.join(arguments)}-{arrays[0].ndim}d-{arrays[1].dtype.kind}" for name, arguments, arrays, _ in CASES]


def converted(value, dtype):
    return value.astype(dtype) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value


def ours_and_theirs(torch, name, arguments, reduction, dtype):
    arguments = {k: converted(v, dtype) for k, v in arguments.items()}
    tensors = {k: torch.from_numpy(v) if isinstance(v, np.ndarray) else v for k, v in arguments.items()}
    return getattr(nn, name)(**arguments, reduction=reduction), getattr(torch.nn, name)(**tensors, reduction=reduction)


@pytest.mark.parametrize(("name", "arguments", "arrays", "needs"), CASES, ids=IDS)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none", "batchmean"])
@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides the total loss by both:UserWarning")  # torch's advice
def test_losses_are_torchs(name, arguments, arrays, needs, reduction, dtype):
    torch = pytest.importorskip("torch")
    if reduction == "batchmean" and name != "KLDivLoss":
        return
    ours, theirs = ours_and_theirs(torch, name, arguments, reduction, dtype)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    arrays = [np.asarray(converted(np.asarray(a), dtype)) for a in arrays]
    a = [nnative.Tensor(v.copy(), requires_grad=i in needs) for i, v in enumerate(arrays)]
    b = [torch.tensor(v, requires_grad=i in needs) for i, v in enumerate(arrays)]
    loss, expected = ours(*a), theirs(*b)
    close = {"rtol": 2e-5, "atol": 2e-6} if dtype == "float32" else {"rtol": 1e-11, "atol": 1e-13}
    if name == "BCELoss":
        close["rtol"] = max(close["rtol"], 1e-8)  # torch's least x·(1 − x) is 1e-12 in float32
    assert loss.data.dtype == dtype
    assert loss.shape == tuple(expected.shape)
    np.testing.assert_allclose(loss.data, expected.detach(), **close)
    seed = np.random.default_rng(1).uniform(0.5, 2, loss.shape).astype(dtype)
    loss.backward(np.asarray(seed)), expected.backward(torch.from_numpy(np.asarray(seed)))
    for i in needs:
        np.testing.assert_allclose(a[i].grad, b[i].grad, err_msg=f"argument {i}", **close)


@pytest.mark.parametrize("name", sorted({name for name, *_ in CASES}))
def test_arguments_are_torchs(name):
    torch = pytest.importorskip("torch")
    ours, theirs = (inspect.signature(getattr(lib, name)).parameters for lib in (nn, torch.nn))
    assert list(ours) == list(theirs)
    assert [p.default for p in ours.values()] == [p.default for p in theirs.values()]


@pytest.mark.parametrize(("name", "arguments", "arrays", "needs"), CASES, ids=IDS)
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_a_recorded_loss_gives_the_bits_of_the_eager_one(name, arguments, arrays, needs, reduction):
    def training(compiled):
        w = nn.Parameter(np.full((), 0.9))
        loss_function = getattr(nn, name)(**arguments, reduction=reduction)

        def step(*inputs):
            w.grad = None
            loss = loss_function(*[x * w if i in needs else x for i, x in enumerate(inputs)])
            (loss * loss).sum().backward()
            return loss, nnative.Tensor(w.grad)

        step = nnative.compile(step) if compiled else step
        results = []
        for i in range(3):
            moved = [np.asarray(a * (1 - 0.1 * i) if k in needs else a) for k, a in enumerate(arrays)]
            results.append([t.numpy().tobytes() for t in step(*map(nnative.Tensor, moved))])
        return results

    assert training(True) == training(False)


@pytest.mark.parametrize("name", ["CrossEntropyLoss", "NLLLoss"])
@pytest.mark.parametrize("shape", [(N, C), (3, C, 4)])
def test_a_replay_reports_a_class_out_of_range_and_trains_on(name, shape):
    w = nn.Parameter(np.zeros(shape))
    optimizer = nnative.optim.SGD([w], lr=1.0)

    @nnative.compile
    def step(y):
        optimizer.zero_grad()
        loss = getattr(nn, name)()(w, y)
        loss.backward()
        optimizer.step()
        return loss

    labels = np.zeros((shape[0], *shape[2:]), np.int64)
    step(labels), step(labels)
    before = w.data.copy()
    wrong = labels.copy()
    wrong.flat[3] = C
    with pytest.raises(
        ValueError, match=rf"\[compile\] expected class indices within .*, got {C} at place 3 of a target"
    ):
        step(wrong)
    moved = np.moveaxis(w.data != before, 1, -1).reshape(-1, C).any(1)
    assert not moved[3]
    assert moved[:3].all()
    assert np.isfinite(w.data).all()
    assert np.isfinite(step(labels).item())


def test_an_epoch_reports_a_class_out_of_range():
    model = nn.Linear(2, 3)
    step = nnative.compile(lambda x, y: nn.functional.cross_entropy(model(x), y))
    x, y = np.zeros((12, 2), np.float32), np.zeros(12, np.int64)
    y[7] = -3
    with pytest.raises(ValueError, match="got -3 at place 3"):
        step.epoch(x, y, batch_size=4, shuffle=False)


def test_a_class_out_of_range_of_multi_margin_is_reported():
    step = nnative.compile(lambda x, y: F.multi_margin_loss(x, y))
    step(X, LABELS)
    with pytest.raises(ValueError, match="got 9 at place 0 of a target"):
        step(X, np.full(N, 9))


def test_several_labels_out_of_range_are_reported():
    target = np.array([[0, 1, -1], [2, -1, 0]])
    step = nnative.compile(lambda x, y: F.multilabel_margin_loss(x, y))
    step(X[:2, :3], target)
    target[1, 0] = 7
    with pytest.raises(ValueError, match="got 7 at place 3"):
        step(X[:2, :3], target)
    with pytest.raises(ValueError, match=r"\[multilabel_margin_loss\] expected class indices below 3"):
        F.multilabel_margin_loss(nnative.Tensor(X[:2, :3]), target)


def test_weights_of_samples_multiply_losses_that_are_not_reduced(dtype):
    weights = RNG.uniform(0, 2, N).astype(dtype)
    x = nnative.Tensor(X.astype(dtype), requires_grad=True)
    ((F.cross_entropy(x, LABELS, reduction="none") * weights).sum() / weights.sum()).backward()
    p = np.exp(X) / np.exp(X).sum(1, keepdims=True)
    expected = weights[:, None] / weights.sum() * (p - np.eye(C)[LABELS])
    np.testing.assert_allclose(x.grad, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("name", "arguments", "arrays", "needs"), CASES, ids=IDS)
def test_weighted_losses_of_samples_are_recorded_and_torchs(name, arguments, arrays, needs):
    torch = pytest.importorskip("torch")
    ours, theirs = ours_and_theirs(torch, name, arguments, "none", "float64")
    arrays = [np.asarray(a) for a in arrays]

    def step(weights, *inputs):
        losses = ours(*[nnative.Tensor(a.data, requires_grad=i in needs) for i, a in enumerate(inputs)])
        return (losses * weights).sum() / weights.sum()

    recorded = nnative.compile(step)
    shape = theirs(*map(torch.tensor, arrays)).shape
    for seed in range(3):
        weights = np.asarray(np.random.default_rng(seed).uniform(0, 2, shape))
        value = recorded(weights, *arrays).item()
        assert value == step(*map(nnative.Tensor, (weights, *arrays))).item()
        expected = (theirs(*map(torch.tensor, arrays)) * torch.tensor(weights)).sum() / weights.sum()
        assert value == pytest.approx(expected.item(), rel=1e-9)


def test_one_hot_probabilities_are_classes(dtype):
    x = nnative.Tensor(X.astype(dtype))
    hard, soft = F.cross_entropy(x, LABELS), F.cross_entropy(x, np.eye(C, dtype=dtype)[LABELS])
    np.testing.assert_allclose(hard.item(), soft.item(), rtol=1e-6)


def test_log_softmax_and_nll_are_cross_entropy(dtype):
    x = nnative.Tensor(X.astype(dtype))
    np.testing.assert_allclose(F.nll_loss(F.log_softmax(x, 1), LABELS).item(), F.cross_entropy(x, LABELS).item(), 1e-6)


def test_everything_ignored_has_mean_nan_and_no_gradient():
    x = nnative.Tensor(X.copy(), requires_grad=True)
    loss = F.cross_entropy(x, np.full(N, -100))
    loss.backward()
    assert np.isnan(loss.item())
    np.testing.assert_array_equal(x.grad, np.zeros_like(X))
    assert F.cross_entropy(x, np.full(N, -100), reduction="sum").item() == 0


def test_old_reduction_arguments_mean_what_they_did():
    assert nn.L1Loss(size_average=False).reduction == "sum"
    assert nn.L1Loss(reduce=False).reduction == "none"
    assert nn.L1Loss(size_average=True).reduction == "mean"


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda x: F.cross_entropy(x, LABELS, np.ones(4)),
            ValueError,
            r"\[cross_entropy\] expected weight with shape \(5,",
        ),
        (
            lambda x: F.cross_entropy(x, LABELS, WEIGHT.astype("f")),
            TypeError,
            r"\[cross_entropy\] expected operands of one",
        ),
        (
            lambda x: F.cross_entropy(x, LABELS, label_smoothing=1.5),
            ValueError,
            r"label_smoothing from 0 to 1, got 1.5",
        ),
        (
            lambda x: F.cross_entropy(x, SOFT.astype("f")),
            TypeError,
            r"\[cross_entropy\] expected operands of one dtype",
        ),
        (
            lambda x: F.cross_entropy(nnative.Tensor(VOLUME), LABELS),
            ValueError,
            r"expected target with shape \(3, 4, 2\)",
        ),
        (lambda x: F.nll_loss(x, LABELS + 3), ValueError, r"\[nll_loss\] expected class indices below 5"),
        (
            lambda x: F.binary_cross_entropy(x, Q),
            ValueError,
            r"\[binary_cross_entropy\] expected input between 0 and 1",
        ),
        (lambda x: F.smooth_l1_loss(x, Y, beta=-1.0), ValueError, r"\[smooth_l1_loss\] expected beta to be at least 0"),
        (lambda x: F.huber_loss(x, Y, delta=0.0), ValueError, r"\[huber_loss\] expected delta to be above 0, got 0.0"),
        (
            lambda x: F.gaussian_nll_loss(x, Y, -P),
            ValueError,
            r"\[gaussian_nll_loss\] expected var to have no negative",
        ),
        (
            lambda x: F.gaussian_nll_loss(x, Y, P.T.copy()),
            ValueError,
            r"expected var of a shape like the input's \(7, 5\)",
        ),
        (lambda x: F.kl_div(x, Y, reduction="max"), ValueError, r"'mean', 'batchmean', 'sum', 'none', got 'max'"),
        (
            lambda x: F.l1_loss(x, Y, reduction="batchmean"),
            ValueError,
            r"one of 'mean', 'sum', 'none', got 'batchmean'",
        ),
        (lambda x: F.triplet_margin_loss(x, Y, Z, margin=0), ValueError, r"expected margin to be above 0, got 0"),
        (
            lambda x: F.triplet_margin_loss(x, Y[:3], Z),
            ValueError,
            r"expected positive with the input's shape \(7, 5\)",
        ),
        (
            lambda x: F.multi_margin_loss(x, LABELS, p=3),
            ValueError,
            r"\[multi_margin_loss\] expected p to be 1 or 2, got 3",
        ),
        (lambda x: nn.TripletMarginLoss(margin=0), ValueError, r"\[TripletMarginLoss\] expected margin to be above 0"),
        (lambda x: nn.MultiMarginLoss(p=3), ValueError, r"\[MultiMarginLoss\] expected p to be 1 or 2, got 3"),
        (lambda x: nn.MultiMarginLoss(weight=np.ones((2, 2))), ValueError, r"weight with shape \(C,\), got \(2, 2\)"),
        (lambda x: F.multi_margin_loss(x, Y), TypeError, r"\[multi_margin_loss\] expected target of an integer dtype"),
        (lambda x: F.multi_margin_loss(x, LABELS + 9), IndexError, "out of bounds"),
        (lambda x: F.cosine_embedding_loss(x, Y, SIGNS), ValueError, r"expected target with the input's shape \(7,\)"),
    ],
)
def test_wrong_arguments_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call(nnative.Tensor(X))


@pytest.mark.parametrize(
    ("loss", "option", "value"),
    [
        (nn.HuberLoss(), "delta", 0.1),
        (nn.L1Loss(), "reduction", "sum"),
        (nn.CrossEntropyLoss(), "label_smoothing", 0.5),
        (nn.CrossEntropyLoss(weight=np.ones(C)), "weight", nnative.Tensor(WEIGHT)),
    ],
)
def test_a_changed_option_is_seen_by_a_recorded_loss(loss, option, value):
    target = LABELS if isinstance(loss, nn.CrossEntropyLoss) else Y
    step = nnative.compile(lambda x: loss(x, nnative.Tensor(target)))
    before = step(X).item()
    setattr(loss, option, value)
    assert step(X).item() == loss(nnative.Tensor(X), target).item() != before


def test_weights_of_classes_that_change_in_place_are_seen_by_a_replay():
    loss = nn.CrossEntropyLoss(weight=np.ones(C))
    step = nnative.compile(loss.forward)
    step(X, LABELS)
    loss.weight.data[...] = WEIGHT
    assert step(X, LABELS).item() == F.cross_entropy(nnative.Tensor(X), LABELS, WEIGHT).item()
    assert len(step._recordings) == 1
