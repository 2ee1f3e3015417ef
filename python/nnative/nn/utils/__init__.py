"""What is done to whole models besides training them."""

from nnative.nn.utils.batchnorm import fold_batchnorm, recalibrate_batchnorm
from nnative.nn.utils.monte_carlo import mc_dropout

__all__ = ["fold_batchnorm", "mc_dropout", "recalibrate_batchnorm"]
