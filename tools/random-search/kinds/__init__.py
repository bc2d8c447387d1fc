"""What is drawn: each file has the kinds of one family, and adds them to the table by being imported."""

from . import decided, elementwise, indexing, layout, networks, quantized, reductions, resizing, vendor, windows

__all__ = ["decided", "elementwise", "indexing", "layout", "networks", "quantized", "reductions", "resizing", "vendor", "windows"]
