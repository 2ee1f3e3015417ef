"""The peers: the same work in other libraries.

A peer module imports its library, and has `start(mode, threads) -> version` and `BUILD`, a function
`(row, mode) -> Work` for each kind of row it offers. It raises `NotOffered` where a mode does not do a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

How = Literal["eager", "once", "many"]


@dataclass(frozen=True)
class Peer:
    """One library in one mode."""

    name: str
    title: str
    module: str
    mode: str
    how: How  # eager, compiled and called once a step, or many steps a call
    distribution: str


PEERS: tuple[Peer, ...] = (
    Peer("nnative-eager", "nnative eager", "nnative_peer", "eager", "eager", "nnative"),
    Peer("nnative-step", "nnative recorded step", "nnative_peer", "step", "once", "nnative"),
    Peer("nnative-epoch", "nnative recorded epoch", "nnative_peer", "epoch", "many", "nnative"),
    Peer("torch-eager", "PyTorch eager", "torch_peer", "eager", "eager", "torch"),
    Peer("torch-slices", "PyTorch eager, sliced tensor", "torch_peer", "slices", "eager", "torch"),
    Peer("torch-model", "torch.compile of the model", "torch_peer", "model", "once", "torch"),
    Peer("torch-step", "torch.compile of the whole step", "torch_peer", "step", "once", "torch"),
    Peer("jax-sync", "JAX jit, synchronous", "jax_peer", "sync", "once", "jax"),
    Peer("jax-async", "JAX jit, asynchronous", "jax_peer", "async", "once", "jax"),
    Peer("jax-scan", "JAX lax.scan", "jax_peer", "scan", "many", "jax"),
    Peer("onnxruntime", "onnxruntime", "onnxruntime_peer", "session", "once", "onnxruntime"),
    Peer("sklearn", "scikit-learn MLPClassifier", "sklearn_peer", "partial_fit", "eager", "scikit-learn"),
    Peer("numpy", "NumPy", "numpy_peer", "float32", "eager", "numpy"),
)

# Not libraries, so not among the peers: what none of them can beat, and plain loops in the place of kernels.
MACHINE = Peer("machine", "the machine's limit", "machine_peer", "limit", "many", "machine")
LOOPS = Peer("loops", "plain loops over the same arrays", "machine_peer", "loops", "many", "machine")
ISSUE = Peer("issue", "instructions that do nothing", "machine_peer", "issue", "many", "machine")

PEER = {peer.name: peer for peer in PEERS}
