"""What people do to a model after exporting it: half precision, quantization, ONNX Runtime's own optimizations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from onnxruntime.transformers.float16 import convert_float_to_float16

Feeds = dict[str, np.ndarray]
Form = Callable[[Path, Path, Feeds], None]


def float16(source: Path, target: Path, feeds: Feeds) -> None:
    """Everything in float16, inputs and outputs too."""
    onnx.save(convert_float_to_float16(onnx.load(source), keep_io_types=False), target)


def float16_inside(source: Path, target: Path, feeds: Feeds) -> None:
    """float16 within, float32 at the inputs and outputs."""
    onnx.save(convert_float_to_float16(onnx.load(source), keep_io_types=True), target)


def dynamic_int8(source: Path, target: Path, feeds: Feeds) -> None:
    """Weights in int8, activations quantized as they come: MatMulInteger, ConvInteger."""
    quantize_dynamic(prepared(source), target)


def qdq(source: Path, target: Path, feeds: Feeds) -> None:
    """Static, as pairs of QuantizeLinear and DequantizeLinear."""
    quantize_static(prepared(source), target, Repeated(feeds), quant_format=QuantFormat.QDQ)


def qoperator(source: Path, target: Path, feeds: Feeds) -> None:
    """Static, as QLinearConv and its kin."""
    quantize_static(prepared(source), target, Repeated(feeds), quant_format=QuantFormat.QOperator, activation_type=QuantType.QUInt8)


def optimized(level: ort.GraphOptimizationLevel) -> Form:
    def write(source: Path, target: Path, feeds: Feeds) -> None:
        options = ort.SessionOptions()
        options.graph_optimization_level = level
        options.optimized_model_filepath = str(target)
        options.log_severity_level = 3
        ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])

    return write


# Name of the form, how it is made, and how far its gradient may lie from that of the float network by its nature.
FORMS: dict[str, Form] = {
    "float16": float16,
    "float16 inside": float16_inside,
    "optimized basic": optimized(ort.GraphOptimizationLevel.ORT_ENABLE_BASIC),
    "optimized extended": optimized(ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED),
}
QUANTIZED: dict[str, Form] = {"dynamic int8": dynamic_int8, "QDQ int8": qdq, "QOperator uint8": qoperator}


class Repeated(CalibrationDataReader):
    """The one batch that we have, once."""

    def __init__(self, feeds: Feeds):
        self.batches: Iterator[Feeds] = iter([feeds])

    def get_next(self) -> Feeds | None:
        return next(self.batches, None)


def prepared(source: Path) -> Path:
    """As ONNX Runtime's documentation asks before quantization: shapes inferred, batch normalizations folded."""
    target = source.with_name("prepared.onnx")
    if not target.exists():
        quant_pre_process(source, target, skip_symbolic_shape=True)
    return target
