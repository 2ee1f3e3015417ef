"""Inference with onnxruntime."""

from __future__ import annotations

import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from harness import rows
from harness.rows import Row
from harness.work import Work, over

_threads = 1


def start(mode: str, threads: int) -> str:
    """Remember the threads for the sessions."""
    global _threads
    _threads = threads
    return str(onnxruntime.__version__)


def model(row: Row) -> bytes:
    """Return the network as ONNX: Gemm and Relu in turn."""
    nodes, arrays, flow = [], [], "x"
    layers = rows.weights(row)
    for i, (weight, bias) in enumerate(layers):
        arrays += [numpy_helper.from_array(weight, f"weight{i}"), numpy_helper.from_array(bias, f"bias{i}")]
        nodes.append(helper.make_node("Gemm", [flow, f"weight{i}", f"bias{i}"], [f"linear{i}"], transB=1))
        flow = f"linear{i}"
        if i < len(layers) - 1:
            nodes.append(helper.make_node("Relu", [flow], [f"relu{i}"]))
            flow = f"relu{i}"
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [row.batch, row.sizes[0]])
    y = helper.make_tensor_value_info(flow, TensorProto.FLOAT, [row.batch, row.sizes[-1]])
    graph = helper.make_graph(nodes, "mlp", [x], [y], arrays)
    versions = [helper.make_opsetid("", 17)]
    return bytes(helper.make_model(graph, opset_imports=versions, ir_version=9).SerializeToString())


def infer(row: Row, mode: str) -> Work:
    """Logits of one minibatch a call."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _threads
    session = onnxruntime.InferenceSession(model(row), options, providers=["CPUExecutionProvider"])
    return Work(over(lambda x: session.run(None, {"x": x})[0], [(x,) for x, _ in rows.minibatches(row)]))


BUILD = {"infer": infer}
