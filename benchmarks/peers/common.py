"""What all peers share: cases, inputs, timing, results. Needs numpy."""

import json
import platform
import subprocess
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
DAMPING = 1.0  # of the verb "inverse"
NETWORK_DAMPING = 0.03  # of the verb "step"
RANK = 16
GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def load():
    """The file of cases: {"networks": ..., "cases": [...]}."""
    return json.loads((HERE.parent / "cases.json").read_text())


def _mix(z):
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def uniform(seed, stream, *shape):
    """fp32 in [-1, 1), bit for bit what the Java class Inputs makes."""
    with np.errstate(over="ignore"):
        base = _mix(np.uint64(seed) + GOLDEN * np.uint64(stream + 1))
        index = np.arange(1, int(np.prod(shape)) + 1, dtype=np.uint64)
        bits = _mix(base + GOLDEN * index) >> np.uint64(40)
    return (bits.astype(np.float32) * np.float32(2.0**-23) - np.float32(1)).reshape(shape)


def factor(seed, stream, n):
    """[n, n]: the second moment, near 1, of a few samples; it has to be damped."""
    x = uniform(seed, stream, RANK, n)
    return np.float32(3 / RANK) * (x.T @ x)


def sizes(case, networks):
    """The sizes of the matrices of the verb "inverse"."""
    if case.get("network") is None:
        return [case["n"]] * case["count"]
    result = []
    for layer in networks[case["network"]]:
        result += [layer["in"] * layer.get("kernel", 1) ** 2 + layer["bias"], layer["out"]]
    return result


def output_size(layer):
    return (layer["size"] + 2 * layer["padding"] - layer["kernel"]) // layer["stride"] + 1


def layer_inputs(seed, index, layer, batch):
    """Input and gradient at the output of a network's layer, as [N, C, H, W] or [N, C]."""
    if layer["type"] == "conv2d":
        o = output_size(layer)
        a = uniform(seed, 4 * index, batch, layer["in"], layer["size"], layer["size"])
        g = uniform(seed, 4 * index + 1, batch, layer["out"], o, o)
    else:
        a = uniform(seed, 4 * index, batch, layer["in"])
        g = uniform(seed, 4 * index + 1, batch, layer["out"])
    return a, g
