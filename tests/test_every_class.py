"""What holds for every layer, activation, loss and optimizer: a class is taken in here by being public.

A class whose constructor needs arguments, or whose call needs more than one array, fails here until it has its line in
the tables below.
"""

import inspect

import numpy as np
import pytest

import nnative
from nnative import _native, nn, optim, random

N, C = 96, 24
RNG = np.random.default_rng(8)
X, Y, Z = RNG.standard_normal((3, N, C))
P, Q = RNG.uniform(0.05, 0.95, (2, N, C))
P, Q = P / P.sum(1, keepdims=True), Q / Q.sum(1, keepdims=True)
SIGNS = np.sign(RNG.standard_normal((N, C)))
LABELS = RNG.integers(0, C, N)
SEVERAL = np.where(np.arange(C) < 3, np.array([RNG.permutation(C) for _ in range(N)]), -1)

ARGUMENTS = {
    "BatchNorm1d": lambda: (C,),
    "Bilinear": lambda: (C, C, 7),
    "DenseBlock": lambda: (nn.Linear(C, 4), nn.ReLU()),
    "Embedding": lambda: (C, 5),
    "GroupNorm": lambda: (4, C),
    "LayerNorm": lambda: (C,),
    "Linear": lambda: (C, 7),
    "LogSoftmax": lambda: (1,),
    "Maxout": lambda: (C, 7, 3),
    "ModuleDict": lambda: ({"a": nn.Linear(C, 7), "b": nn.Linear(7, 3)},),
    "ModuleList": lambda: ([nn.Linear(C, 7), nn.Linear(7, 3)],),
    "ParameterList": lambda: ([nnative.full((C,), 0.7)],),
    "RMSNorm": lambda: (C,),
    "Residual": lambda: (nn.Linear(C, C),),
    "Sequential": lambda: (nn.Linear(C, 7), nn.ReLU()),
    "Softmax": lambda: (1,),
    "Softmin": lambda: (1,),
    "Threshold": lambda: (0.2, 1.0),
    "Unflatten": lambda: (1, (4, C // 4)),
}
CALLS = {
    "ModuleDict": lambda m, x: m["b"](m["a"](x)),
    "ModuleList": lambda m, x: m[1](m[0](x)),
    "ParameterList": lambda m, x: x * m[0],
}
ARRAYS = {
    "BCELoss": [P, Q],
    "BCEWithLogitsLoss": [X, Q],
    "Bilinear": [X, Y],
    "CosineEmbeddingLoss": [X, Y, SIGNS[:, 0]],
    "CrossEntropyLoss": [X, LABELS],
    "Embedding": [LABELS],
    "GaussianNLLLoss": [X, Y, P],
    "HingeEmbeddingLoss": [X, SIGNS],
    "KLDivLoss": [np.log(P), Q],
    "MarginRankingLoss": [X, Y, SIGNS],
    "MultiLabelMarginLoss": [X, SEVERAL],
    "MultiLabelSoftMarginLoss": [X, (SIGNS > 0) * 1.0],
    "MultiMarginLoss": [X, LABELS],
    "NLLLoss": [np.log(P), LABELS],
    "PoissonNLLLoss": [X, np.floor(5 * P)],
    "SoftMarginLoss": [X, SIGNS],
    "TripletMarginLoss": [X, Y, Z],
}
VARIANTS = {  # what decides about other kernels or other state than the defaults
    "BatchNorm1d without affine": lambda: nn.BatchNorm1d(C, affine=False),
    "BatchNorm1d without statistics": lambda: nn.BatchNorm1d(C, track_running_stats=False),
    "BatchNorm1d of averages": lambda: nn.BatchNorm1d(C, momentum=None),
    "BatchNorm1d of runs": lambda: nn.Sequential(nn.Unflatten(1, (4, 6)), nn.BatchNorm1d(4)),
    "Dropout in classic mode": lambda: nn.Dropout(0.3, mode="classic"),
    "Embedding with options": lambda: nn.Embedding(
        C, 5, padding_idx=2, max_norm=0.7, norm_type=1.0, scale_grad_by_freq=True
    ),
    "GroupNorm without affine": lambda: nn.GroupNorm(4, C, affine=False),
    "GroupNorm of runs": lambda: nn.Sequential(nn.Unflatten(1, (4, 6)), nn.GroupNorm(2, 4)),
    "LayerNorm without affine": lambda: nn.LayerNorm(C, elementwise_affine=False),
    "LayerNorm without bias": lambda: nn.LayerNorm(C, bias=False),
    "Linear without bias": lambda: nn.Linear(C, 7, bias=False),
    "PReLU of channels": lambda: nn.PReLU(C),
    "RMSNorm without affine": lambda: nn.RMSNorm(C, elementwise_affine=False),
    "Residual with a shortcut": lambda: nn.Residual(nn.Linear(C, 7), nn.Linear(C, 7, bias=False)),
}
NO_DIFFERENCES = ("Step", "Sign", "Embedding with options")  # what they return as gradient is no derivative
MIXED = ("BatchNorm1d without statistics", "Embedding with options")  # rows that are a batch's, weights that move
CONTAINERS = ("DenseBlock", "ModuleDict", "ModuleList", "ParameterList", "Residual", "Sequential")
CLASSES = [name for name in nn.__all__ if inspect.isclass(getattr(nn, name)) and name not in ("Module", "Parameter")]
OPTIMIZERS = [name for name in optim.__all__ if inspect.isclass(getattr(optim, name)) and name != "Optimizer"]


class Owner(nn.Module):
    """A module that calls one of the class."""

    def __init__(self, name):
        super().__init__()
        self.part = VARIANTS[name]() if name in VARIANTS else getattr(nn, name)(*ARGUMENTS.get(name, tuple)())
        self.call = CALLS.get(name, lambda part, *tensors: part(*tensors))

    def forward(self, *tensors):
        return self.call(self.part, *tensors)


def arrays(name, dtype):
    given = ARRAYS.get(name.split()[0], [X, Y] if name.endswith("Loss") else [X])
    return [a.astype(dtype) if a.dtype.kind == "f" else a for a in given]


def bits(tensors):
    return [np.asarray(t).tobytes() for t in tensors]


def train(name, dtype, compiled):
    """Return the bits of four steps, the third one in evaluation mode: results, gradients, and the state at the end."""
    random.manual_seed(3)
    layer, factor = Owner(name).to(dtype), nn.Parameter(np.full((), 0.9, dtype))
    parameters = [factor, *layer.parameters()]
    optimizer = optim.SGD(parameters, lr=0.01, momentum=0.9)

    def step(first, *others):
        optimizer.zero_grad()
        y = layer(first * factor if first.dtype.kind == "f" else first, *others)
        if not layer.training:
            return (y,)
        (y * y).sum().backward()
        optimizer.step()
        return y, *[nnative.Tensor(p.grad) for p in parameters if p.grad is not None]

    step = nnative.compile(step) if compiled else step
    results = []
    for i in range(4):
        layer.train(i != 2)
        results.append(bits(step(*map(nnative.Tensor, arrays(name, dtype)))))
    if compiled:
        assert len(step._recordings) == 2  # training and evaluation
    return results, bits(layer.state_dict().values()), bits(parameters), random.default_generator.stream


@pytest.mark.parametrize("name", [*CLASSES, *VARIANTS])
def test_recorded_steps_have_the_bits_of_eager_ones_on_any_threads_and_instruction_set(
    name, dtype, fma_isas, set_threads
):
    isas = fma_isas or [_native.isa()]
    _native.set_isa(isas[0])
    set_threads(1)
    want = train(name, dtype, compiled=False)
    for isa, threads, compiled in [(isas[0], 1, True), (isas[0], 3, True), (isas[-1], 2, True), (isas[-1], 3, False)]:
        _native.set_isa(isa)
        set_threads(threads)
        assert train(name, dtype, compiled) == want, (isa, threads, compiled)


@pytest.mark.parametrize("name", [name for name in (*CLASSES, *VARIANTS) if name not in NO_DIFFERENCES])
@pytest.mark.parametrize("training", [True, False])
def test_gradients_are_the_differences_of_results(name, training):
    layer = Owner(name).double().train(training)
    inputs = [a[:6] for a in arrays(name, "float64")]
    parameters = list(layer.parameters())
    target = name.endswith("Loss") and name not in ("CosineEmbeddingLoss", "MarginRankingLoss", "TripletMarginLoss")
    checked = [i for i, a in enumerate(inputs) if a.dtype.kind == "f" and not (i and (target or a is inputs[-1]))]

    def result(*tensors):
        random.manual_seed(3)
        given = [nnative.Tensor(a) for a in inputs]
        for i, t in zip(checked, tensors, strict=False):
            given[i] = t
        return layer(*given)

    leaves = [nnative.Tensor(inputs[i].copy(), requires_grad=True) for i in checked]
    assert nn.utils.gradcheck(result, [*leaves, *parameters])


@pytest.mark.parametrize("name", [n for n in (*CLASSES, *VARIANTS) if n not in MIXED and not n.endswith("Loss")])
def test_a_row_does_not_depend_on_the_batch_around_it(name, dtype):
    layer = Owner(name).to(dtype).eval()
    tensors = [nnative.Tensor(a) for a in arrays(name, dtype)]
    whole = layer(*tensors).detach().numpy()
    for rows in (slice(0, 1), slice(5, 8), slice(40, N)):
        part = layer(*[nnative.Tensor(np.ascontiguousarray(t.data[rows])) for t in tensors])
        np.testing.assert_array_equal(part.detach().numpy(), whole[rows])


@pytest.mark.parametrize("name", [name for name in CLASSES if name not in CONTAINERS])
def test_what_is_printed_and_saved_is_torchs(name):
    torch = pytest.importorskip("torch")
    if not hasattr(torch.nn, name):
        return
    given = ARGUMENTS.get(name, tuple)()
    ours, theirs = getattr(nn, name)(*given), getattr(torch.nn, name)(*given)
    assert repr(ours) == repr(theirs)
    ours.load_state_dict(theirs.state_dict())
    theirs.load_state_dict({key: torch.tensor(np.asarray(value)) for key, value in ours.state_dict().items()})
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for key, value in theirs.state_dict().items():
        assert np.asarray(ours.state_dict()[key]).dtype == value.numpy().dtype
        np.testing.assert_array_equal(ours.state_dict()[key], value)


SWITCHED_ON = {
    "amsgrad": True,
    "centered": True,
    "dampening": 0.1,
    "decoupled_weight_decay": True,
    "initial_accumulator_value": 0.1,
    "l1": 1e-3,
    "l2": 1e-3,
    "lr_decay": 0.1,
    "maximize": True,
    "momentum": 0.5,
    "t0": 2,
    "weight_decay": 0.1,
}


class Training:
    """A network, an optimizer with its default options or with all that there are, and a step."""

    def __init__(self, name, dtype, switched_on):
        random.manual_seed(1)
        self.model = nn.Sequential(nn.Linear(C, 33), nn.ReLU(), nn.Linear(33, C)).to(dtype)
        self.layer = nn.Linear(C, 5, dtype=dtype)
        target = self.layer if name == "Perceptron" else self.model.parameters()
        constructor = getattr(optim, name)
        options = SWITCHED_ON if switched_on else {}
        known = inspect.signature(constructor).parameters
        self.optimizer = constructor(target, **{k: v for k, v in options.items() if k in known})

    def loss(self, x, y):
        self.optimizer.zero_grad()
        loss = nn.functional.cross_entropy(self.model(x), y)
        loss.backward()
        return loss

    def step(self, x, y):
        if isinstance(self.optimizer, optim.Perceptron):
            return self.optimizer.learn(x, y)
        if isinstance(self.optimizer, optim.LBFGS):
            return self.optimizer.step(lambda: self.loss(x, y))
        loss = self.loss(x, y)
        self.optimizer.step()
        return loss


@pytest.mark.parametrize("switched_on", [False, True])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_have_one_result_recorded_and_eager_on_any_threads_and_instruction_set(
    name, switched_on, dtype, fma_isas, set_threads
):
    def run(isa, threads, compiled):
        _native.set_isa(isa)
        set_threads(threads)
        training = Training(name, dtype, switched_on)
        step = nnative.compile(training.step) if compiled else training.step
        labels = np.eye(5)[LABELS % 5] if name == "Perceptron" else LABELS
        losses = [step(nnative.Tensor(X.astype(dtype)), labels) for _ in range(5)]
        return bits([loss.detach() for loss in losses]), bits([*training.model.parameters(), training.layer.weight])

    isas = fma_isas or [_native.isa()]
    want = run(isas[0], 1, False)
    assert len(set(want[0])) > 1  # it learns
    recorded = name != "LBFGS"  # which looks at losses
    for isa, threads, compiled in [(isas[0], 1, recorded), (isas[0], 3, recorded), (isas[-1], 2, False)]:
        assert run(isa, threads, compiled) == want, (isa, threads, compiled)
