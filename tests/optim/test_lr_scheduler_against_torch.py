"""Schedules beside PyTorch's: the same rates and momenta, bit for bit, and one state_dict."""

import copy

import pytest

import nnative
from nnative import optim

torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")

# Both warn of steps before the optimizer's when schedules are nested; warnings have a test of their own.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


class Decay:
    """A factor with a state."""

    def __init__(self, rate):
        self.rate = rate

    def __call__(self, step):
        return self.rate**step


def chained(lib, optimizer):
    s = lib.lr_scheduler
    return s.ChainedScheduler(
        [s.ConstantLR(optimizer, 0.1, 7), s.ExponentialLR(optimizer, 0.9), s.StepLR(optimizer, 5)]
    )


def sequential(lib, optimizer):
    s = lib.lr_scheduler
    parts = [
        s.LinearLR(optimizer, 0.1, total_iters=4),
        s.CosineAnnealingLR(optimizer, 9),
        s.ExponentialLR(optimizer, 0.8),
    ]
    return s.SequentialLR(optimizer, parts, [5, 20])


def nested(lib, optimizer):
    s = lib.lr_scheduler
    inner = s.SequentialLR(optimizer, [s.ConstantLR(optimizer, 0.5, 3), s.StepLR(optimizer, 2)], [4])
    return s.SequentialLR(optimizer, [inner, s.PolynomialLR(optimizer, 20, 2.0)], [12])


SIMPLE = {
    "lambda": ("LambdaLR", {"lr_lambda": lambda t: 0.95**t}),
    "lambdas": ("LambdaLR", {"lr_lambda": [lambda t: 1 / (t + 1), Decay(0.9)]}),
    "multiplicative": ("MultiplicativeLR", {"lr_lambda": lambda t: 0.95 if t % 2 else 1.01}),
    "step": ("StepLR", {"step_size": 4, "gamma": 0.3}),
    "milestones": ("MultiStepLR", {"milestones": [3, 8, 8, 15], "gamma": 0.5}),
    "constant": ("ConstantLR", {"factor": 0.3, "total_iters": 6}),
    "linear": ("LinearLR", {}),
    "linear down": ("LinearLR", {"start_factor": 0.9, "end_factor": 0.0, "total_iters": 20}),
    "exponential": ("ExponentialLR", {"gamma": 0.93}),
    "polynomial": ("PolynomialLR", {}),
    "polynomial 2": ("PolynomialLR", {"total_iters": 20, "power": 2.5}),
    "cosine": ("CosineAnnealingLR", {"T_max": 7, "eta_min": 0.01}),
    "cosine once": ("CosineAnnealingLR", {"T_max": 50}),
    "restarts": ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2, "eta_min": 0.001}),
    "restarts alike": ("CosineAnnealingWarmRestarts", {"T_0": 5}),
    "cyclic": ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.2, "step_size_up": 4}),
    "cyclic lists": (
        "CyclicLR",
        {
            "base_lr": [0.01, 0.02],
            "max_lr": [0.2, 0.3],
            "step_size_up": 4,
            "step_size_down": 7,
            "mode": "triangular2",
            "base_momentum": [0.7, 0.8],
            "max_momentum": [0.9, 0.95],
        },
    ),
    "cyclic exp": ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.2, "step_size_up": 4, "mode": "exp_range", "gamma": 0.95}),
    "cyclic custom": (
        "CyclicLR",
        {
            "base_lr": 0.01,
            "max_lr": 0.2,
            "step_size_up": 4,
            "scale_fn": Decay(0.97),
            "scale_mode": "iterations",
            "cycle_momentum": False,
        },
    ),
    "one cycle": ("OneCycleLR", {"max_lr": 0.3, "total_steps": 40}),
    "one cycle linear": (
        "OneCycleLR",
        {"max_lr": [0.3, 0.4], "epochs": 5, "steps_per_epoch": 7, "anneal_strategy": "linear"},
    ),
    "one cycle three": (
        "OneCycleLR",
        {"max_lr": 0.3, "total_steps": 40, "three_phase": True, "div_factor": 9.0, "pct_start": 0.2},
    ),
    "averaging": ("SWALR", {"swa_lr": 0.05}),
    "averaging linear": ("SWALR", {"swa_lr": [0.05, 0.5], "anneal_epochs": 7, "anneal_strategy": "linear"}),
    "averaging at once": ("SWALR", {"swa_lr": 0.05, "anneal_epochs": 0}),
    "one cycle constant": ("OneCycleLR", {"max_lr": 0.3, "total_steps": 40, "cycle_momentum": False}),
}
COMBINED = {
    "chained": chained,
    "sequential": sequential,
    "nested": nested,
}
CASES = [*SIMPLE, *COMBINED]
METRICS = [
    1.0,
    0.9,
    0.9,
    0.8999,
    0.95,
    0.7,
    0.7,
    0.7,
    0.7,
    0.7,
    0.7,
    0.7,
    float("nan"),
    0.7,
    0.7,
    0.6,
    0.6,
    0.6,
    0.6,
    1,
]
PLATEAUS = [
    {"patience": 1},
    {"patience": 2, "mode": "max", "cooldown": 2, "factor": 0.5},
    {"patience": 0, "threshold": 0.05, "threshold_mode": "abs", "min_lr": [1e-3, 1e-2]},
    {"patience": 0, "threshold": 0.05, "threshold_mode": "abs", "mode": "max", "eps": 1e-2, "min_lr": 1e-4},
]


def make(name, lib, optimizer, **more):
    if name in COMBINED:
        return COMBINED[name](lib, optimizer)
    kind, options = SIMPLE[name]
    return getattr(lib.swa_utils if kind == "SWALR" else lib.lr_scheduler, kind)(optimizer, **options, **more)


def optimizers(kind):
    """Return nnative's and PyTorch's optimizer of two groups."""
    for lib, zeros in ((optim, nnative.zeros), (torch.optim, torch.zeros)):
        groups = [{"params": [zeros(2, requires_grad=True)]}, {"params": [zeros(3, requires_grad=True)], "lr": 0.25}]
        options = {"momentum": 0.9} if kind == "SGD" else {}
        yield getattr(lib, kind)(groups, lr=0.1, **options)


def options(optimizer):
    return [{k: v for k, v in group.items() if k not in ("params",)} for group in optimizer.param_groups]


def plain(state):
    """Return a state_dict without bound methods, which PyTorch's CyclicLR keeps until it is saved."""
    return {k: plain(v) if isinstance(v, dict) else v for k, v in state.items()}


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize("name", CASES)
def test_same_rates_momenta_and_state(name, kind):
    a, b = optimizers(kind)
    ours, theirs = make(name, optim, a), make(name, torch.optim, b)
    for _ in range(35):
        assert options(a) == options(b)
        assert ours.get_last_lr() == theirs.get_last_lr()
        assert ours.last_epoch == theirs.last_epoch if hasattr(theirs, "last_epoch") else True
        assert plain(ours.state_dict()) == plain(theirs.state_dict())
        for optimizer, schedule in ((a, ours), (b, theirs)):
            optimizer.step()
            schedule.step()


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("to_torch", [False, True])
def test_state_moves_both_ways(name, to_torch):
    a, b = optimizers("SGD")
    ours, theirs = make(name, optim, a), make(name, torch.optim, b)
    for _ in range(11):
        for optimizer, schedule in ((a, ours), (b, theirs)):
            optimizer.step()
            schedule.step()
    source, saved = (a, ours) if to_torch else (b, theirs)
    fresh = list(optimizers("SGD"))[to_torch]
    schedule = make(name, torch.optim if to_torch else optim, fresh)
    fresh.load_state_dict({"state": {}, "param_groups": source.state_dict()["param_groups"]})
    state = copy.deepcopy(saved.state_dict())
    schedule.load_state_dict(state)
    if not to_torch:  # PyTorch's CyclicLR takes an entry out
        assert state == plain(saved.state_dict())
    for _ in range(15):
        assert options(fresh) == options(source)
        assert schedule.get_last_lr() == saved.get_last_lr()
        for optimizer, s in ((fresh, schedule), (source, saved)):
            optimizer.step()
            s.step()


@pytest.mark.parametrize("name", SIMPLE)
def test_last_epoch_resumes_alike(name):
    results = []
    for lib, optimizer in zip((optim, torch.optim), optimizers("SGD"), strict=True):
        schedule = make(name, lib, optimizer)
        for _ in range(6):
            optimizer.step()
            schedule.step()
        schedule = make(name, lib, optimizer, last_epoch=5)
        path = []
        for _ in range(12):
            path.append((schedule.get_last_lr(), options(optimizer)))
            optimizer.step()
            schedule.step()
        results.append(path)
    assert results[0] == results[1]


@pytest.mark.parametrize("name", [n for n in SIMPLE if "cycl" not in n])
def test_a_given_epoch_uses_the_closed_form(name):
    results = []
    for lib, optimizer in zip((optim, torch.optim), optimizers("SGD"), strict=True):
        schedule = make(name, lib, optimizer)
        path = []
        for epoch in (1, 4, 5, 12, 3, 0, 8):
            schedule.step(epoch)
            path.append(schedule.get_last_lr())
        results.append(path)
    assert results[0] == results[1]


def test_restarts_within_an_epoch():
    a, b = optimizers("SGD")
    options = {"T_0": 4, "T_mult": 2}
    ours, theirs = (
        lib.lr_scheduler.CosineAnnealingWarmRestarts(o, **options) for lib, o in ((optim, a), (torch.optim, b))
    )
    for i in range(60):
        ours.step(i / 3)
        theirs.step(i / 3)
        assert ours.get_last_lr() == theirs.get_last_lr()
    for schedule in (ours, theirs):
        with pytest.raises(ValueError, match="Expected non-negative epoch, but got -1"):
            schedule.step(-1)


@pytest.mark.parametrize("settings", PLATEAUS)
def test_plateaus(settings):
    a, b = optimizers("Adam")
    ours, theirs = (lib.lr_scheduler.ReduceLROnPlateau(o, **settings) for lib, o in ((optim, a), (torch.optim, b)))
    for i, metric in enumerate(METRICS):
        if i == 9:  # each goes on from the other's state
            mine, torchs = copy.deepcopy(ours.state_dict()), copy.deepcopy(theirs.state_dict())
            ours.load_state_dict(torchs)
            theirs.load_state_dict(mine)
        ours.step(metric)
        theirs.step(metric)
        assert ours.get_last_lr() == theirs.get_last_lr()
        assert ours.state_dict() == theirs.state_dict()
        assert (ours.in_cooldown, ours.best) == (theirs.in_cooldown, theirs.best)


def test_every_schedule_and_average_of_torch_is_here():
    for ours, theirs in ((optim.lr_scheduler, torch.optim.lr_scheduler), (optim.swa_utils, torch.optim.swa_utils)):
        assert set(theirs.__all__) <= set(ours.__all__)
