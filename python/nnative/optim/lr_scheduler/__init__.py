"""Schedules: PyTorch's, with its names, arguments, defaults and `state_dict`, and a schedule for momentum."""

from nnative.optim.lr_scheduler.base import LRScheduler
from nnative.optim.lr_scheduler.combined import ChainedScheduler, SequentialLR
from nnative.optim.lr_scheduler.cosine import CosineAnnealingLR, CosineAnnealingWarmRestarts
from nnative.optim.lr_scheduler.cyclic import CyclicLR, OneCycleLR
from nnative.optim.lr_scheduler.factors import (
    ConstantLR,
    ExponentialLR,
    LinearLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)
from nnative.optim.lr_scheduler.functions import LambdaLR, MultiplicativeLR
from nnative.optim.lr_scheduler.momentum import SutskeverMomentum
from nnative.optim.lr_scheduler.plateau import ReduceLROnPlateau

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
    "SutskeverMomentum",
]
