"""Recurrent layers and attention."""

from __future__ import annotations

import numpy as np
from case import Case, Skip, maker


@maker
def recurrent(c: Case):
    op = c.pick("LSTM", "GRU", "RNN")
    gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[op]
    direction = c.pick(None, "forward", "reverse", "bidirectional")
    d = 2 if direction == "bidirectional" else 1
    t, b, i, h = c.dim(1, 4, 0), c.dim(1, 3, 0), c.dim(1, 3, 0), c.dim(1, 3, 0)
    more = [c.weight(c.numbers([d, 2 * gates * h])) if c.chance(0.6) else "", c.weight(c.rng.integers(1, t + 1, size=b).astype(np.int32)) if c.chance(0.4) else "", c.operand([d, b, h]) if c.chance(0.4) else ""]
    if op == "LSTM":
        more += [c.operand([d, b, h]) if c.chance(0.4) else "", c.weight(c.numbers([d, 3 * h])) if c.chance(0.3) else ""]
    outputs = c.pick([1, 1], [0, 1], [1], *([[1, 1, 1], [0, 0, 1]] if op == "LSTM" else []))
    y = c.node(op, [c.input([t, b, i]), c.weight(c.numbers([d, gates * h, i])), c.weight(c.numbers([d, gates * h, h])), *more], outputs=outputs, hidden_size=h, direction=direction,
               **({"linear_before_reset": c.pick(None, 1)} if op == "GRU" else {}), clip=c.pick(None, None, 0.4))
    c.outputs = [n for n in ([y] if isinstance(y, str) else y) if n]


@maker
def attention(c: Case):
    op = c.pick("Attention", "RotaryEmbedding", "MultiHeadAttention")
    b, q, k, heads, size = c.dim(1, 2, 0), c.dim(1, 4, 0), c.dim(1, 5, 0), c.pick(2, 4), c.pick(4, 8)
    if op == "Attention":
        c.opset = max(c.opset, 23)
        kv = c.pick(heads, 2, 1)
        if heads % kv:
            raise Skip
        if c.chance(0.5):
            shapes, extra = ([b, heads, q, size], [b, kv, k, size]), {}
        else:
            shapes, extra = ([b, q, heads * size], [b, k, kv * size]), {"q_num_heads": heads, "kv_num_heads": kv}
        mask = c.pick([], [], [c.weight(c.numbers([q, k]))], [c.weight(np.asarray(c.rng.random([q, k]) < 0.7))])
        c.outputs = [c.node(op, [c.operand(shapes[0], 1), c.operand(shapes[1]), c.operand(shapes[1]), *mask], is_causal=c.pick(None, 1), scale=c.pick(None, 0.3), softcap=c.pick(None, 2.0), **extra)]
    elif op == "RotaryEmbedding":
        c.opset = max(c.opset, 23)
        x = c.input([b, heads, q, size])
        n = size // 2
        positions = c.chance(0.5)
        cache = [8, n] if positions else [b, q, n]
        c.outputs = [c.node(op, [x, c.weight(c.numbers(cache)), c.weight(c.numbers(cache)), *([c.weight(c.rng.integers(0, 8, size=[b, q]))] if positions else [])], interleaved=c.pick(None, 1))]
    else:
        c.outputs = [c.node(op, [c.operand([b, q, heads * size], 1), c.operand([b, k, heads * size]), c.operand([b, k, heads * size]), *c.pick([], [c.operand([3 * heads * size])])], domain="com.microsoft", num_heads=heads, scale=c.pick(None, 0.3))]
