"""Data sets, loaders and readers: arrays in, whole batches of arrays out."""

from nnative.data.dataset import ArrayDataset
from nnative.data.datasets import Digits, Mnist, digits, mnist
from nnative.data.idx import read_idx
from nnative.data.loader import DataLoader
from nnative.errors import DataError

__all__ = ["ArrayDataset", "DataError", "DataLoader", "Digits", "Mnist", "digits", "mnist", "read_idx"]
