# The typed face of the compiled module, family by family.

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

# runtime
__version__: str
_kernels: list[str]

def isa() -> str: ...
def set_isa(name: str) -> None: ...
def isas() -> list[tuple[str, bool]]: ...
def num_threads() -> int: ...
def default_num_threads() -> int: ...
def set_num_threads(threads: int) -> None: ...
def kernels() -> list[str]: ...

# optim
def sgd_step(
    params: list[NDArray[Any]],
    grads: list[NDArray[Any]],
    momentum_buffers: list[NDArray[Any]],
    steps: list[NDArray[Any]],
    hyper: NDArray[Any],
) -> None: ...
def adam_step(
    params: list[NDArray[Any]],
    grads: list[NDArray[Any]],
    exp_avgs: list[NDArray[Any]],
    exp_avg_sqs: list[NDArray[Any]],
    steps: list[NDArray[Any]],
    hyper: NDArray[Any],
) -> None: ...

# random
def uniform(
    shape: tuple[int, ...], seed: int, stream: int, low: float, high: float, dtype: DTypeLike
) -> NDArray[Any]: ...
def normal(
    shape: tuple[int, ...], seed: int, stream: int, mean: float, std: float, dtype: DTypeLike
) -> NDArray[Any]: ...
def permutation(n: int, seed: int, stream: int) -> NDArray[np.int64]: ...
def philox(counter: NDArray[np.uint32], key: NDArray[np.uint32]) -> NDArray[np.uint32]: ...
