"""The architectures, one function each: what it builds and where it comes from. The table in docs/models.md has their order."""

from .registry import FAMILIES, Family

# Importing a module fills the table.
from . import classification, transformers, segmentation, detection, correspondence, restoration, text  # noqa: F401  isort: skip

__all__ = ["FAMILIES", "Family"]
