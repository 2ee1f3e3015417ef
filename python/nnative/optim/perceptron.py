"""The perceptron's learning rule."""

from __future__ import annotations

import numpy as np

from nnative import _native, recording
from nnative.autograd import Array, TensorBase, wrap
from nnative.nn.linear import Linear
from nnative.optim.sgd import SGD
from nnative.tensor import Tensor


class Perceptron(SGD):
    r"""Rosenblatt's rule for a layer of threshold units: :math:`w \leftarrow w + \frac{\eta}{B} \sum (y - \hat{y}) x`.

    A unit's output is ŷ = high where ``x·w + b > 0``, else low. `learn` applies the rule to a batch of B cases: one
    case is online learning, all of them the full batch. If the classes can be separated by a hyperplane, it
    stops at one.

    Parameters
    ----------
    layer
        The layer whose weight and bias learn.
    lr
        η.
    outputs
        (low, high), such as (0, 1) or (−1, 1).

    Raises
    ------
    TypeError
        For a layer that is no `Linear`.
    ValueError
        For a learning rate that is negative, infinite or NaN, and targets that do not fit the layer.

    References
    ----------
    F. Rosenblatt, The perceptron: a probabilistic model for information storage and organization in the brain, 1958.

    Examples
    --------
    >>> import numpy as np, nnative
    >>> from nnative import nn, optim
    >>> layer = nn.Linear(2, 1)
    >>> rule = optim.Perceptron(layer, lr=0.5)
    >>> x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    >>> y = np.array([0, 0, 0, 1], np.float32)
    >>> while rule.learn(x, y).item() > 0:
    ...     pass
    >>> rule.predict(x).numpy().ravel()
    array([0., 0., 0., 1.], dtype=float32)
    """

    def __init__(self, layer: Linear, lr: float = 1.0, outputs: tuple[float, float] = (0.0, 1.0)) -> None:
        if not isinstance(layer, Linear):
            raise TypeError(f"[Perceptron] expected a Linear layer, got {type(layer).__name__}")
        super().__init__(layer.parameters(), lr)
        self.layer = layer
        self.low, self.high = outputs

    def learn(self, x: TensorBase | Array, target: TensorBase | Array) -> Tensor:
        """Apply the rule to a batch; returns ``Σ|y − ŷ| / B`` before it, 0 where every case was right.

        ``x`` is (B, in_features) and ``target`` (B, out_features), or (B) for one unit, of x's dtype or integers.
        The gradients of the layer are replaced.
        """
        x, y = _data(x), _data(target)
        shape = (x.shape[0], self.layer.out_features)
        if y.shape != shape and (y.ndim != 1 or (*y.shape, 1) != shape):
            raise ValueError(f"[Perceptron] expected targets of shape {shape}, got {y.shape}")
        if y.dtype != x.dtype:
            y = _native.cast(y, x.dtype)
        error = _native.sub(self._outputs(x), y.reshape(shape))
        gradient = _native.mul(error, 1 / max(1, x.shape[0]))
        weight, bias = self.layer.weight, self.layer.bias
        dweight, dbias = _native.linear_backward_weight(gradient, x, bias is not None)
        weight.grad = dweight
        if bias is not None:
            bias.grad = dbias
        self.step()
        return wrap(_native.sum(_native.abs(gradient), (0, 1), False, 1.0))

    def predict(self, x: TensorBase | Array) -> Tensor:
        """Return ŷ, of shape (B, out_features)."""
        return wrap(self._outputs(_data(x)))

    def _outputs(self, x: Array) -> Array:
        weight, bias = self.layer.weight, self.layer.bias
        if recording.state.recording is not None:
            for p in self.layer.parameters():
                recording.state.recording.use(p)
        field = _native.linear_forward(x, weight.data, None if bias is None else bias.data)
        # The derivative of ReLU is the step function.
        step = _native.relu_backward(_native.full(field.shape, self.high - self.low, field.dtype), field)
        return _native.add(step, float(self.low))


def _data(value: TensorBase | Array) -> Array:
    return value.data if isinstance(value, TensorBase) else np.asarray(value, order="C")
