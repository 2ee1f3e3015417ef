"""Differentiable operations: one class each, with forward and backward, and the function that applies it."""

from nnative.ops.arithmetic import add, div, eq, ge, gt, le, lt, maximum, minimum, mul, ne, pow, sub
from nnative.ops.cast import cast, clone
from nnative.ops.elementwise import abs, clip, exp, log, neg, sqrt, where
from nnative.ops.gather import index
from nnative.ops.linear import linear, matmul
from nnative.ops.reduce import argmax, max, mean, min, sum
from nnative.ops.shape import (
    broadcast_to,
    cat,
    concatenate,
    flatten,
    permute,
    reshape,
    squeeze,
    stack,
    transpose,
    unsqueeze,
)

__all__ = [
    "abs",
    "add",
    "argmax",
    "broadcast_to",
    "cast",
    "cat",
    "clip",
    "clone",
    "concatenate",
    "div",
    "eq",
    "exp",
    "flatten",
    "ge",
    "gt",
    "index",
    "le",
    "linear",
    "log",
    "lt",
    "matmul",
    "max",
    "maximum",
    "mean",
    "min",
    "minimum",
    "mul",
    "ne",
    "neg",
    "permute",
    "pow",
    "reshape",
    "sqrt",
    "squeeze",
    "stack",
    "sub",
    "sum",
    "transpose",
    "unsqueeze",
    "where",
]
