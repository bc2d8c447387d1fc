"""What is drawn: each file has the kinds of one family, and adds them to the table by being imported."""

from . import elementwise, indexing, layout, networks, quantized, reductions, vendor, windows

__all__ = ["elementwise", "indexing", "layout", "networks", "quantized", "reductions", "vendor", "windows"]
