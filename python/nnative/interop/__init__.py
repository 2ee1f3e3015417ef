"""Files that other programs read."""

from nnative.interop.safetensors import load_file, load_metadata, save_file

__all__ = ["load_file", "load_metadata", "save_file"]
