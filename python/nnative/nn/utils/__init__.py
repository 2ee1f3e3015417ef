"""What is done to whole models besides training them."""

from nnative.nn.utils.clip_grad import clip_grad_norm_, clip_grad_value_, clip_grads_with_norm_, get_total_norm
from nnative.nn.utils.max_norm import max_norm_
from nnative.nn.utils.penalties import elastic_net_penalty, l1_penalty, l2_penalty

__all__ = [
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "elastic_net_penalty",
    "get_total_norm",
    "l1_penalty",
    "l2_penalty",
    "max_norm_",
]
