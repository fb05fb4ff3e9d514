"""Makes the folders kfac-jax-MODE: what kfac-jax's blocks saw and computed, by estimation mode.

    PYTHONPATH=<checkout of google-deepmind/kfac-jax> python make_kfac_jax.py <folder "golden">

Needs jax and absl-py. Where dm-tree or distrax are missing, stand-ins take their place: an empty
module, and the three things that the losses used here ask of their distributions.
"""

import json
import pathlib
import struct
import sys
import types

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)


def stand_in(name, **members):
    try:
        __import__(name)
    except ImportError:
        sys.modules[name] = types.SimpleNamespace(**members)


class Categorical:
    def __init__(self, logits, dtype=None):
        self.logits = logits
        self.probs = jax.nn.softmax(logits)

    def sample(self, seed):
        return jax.random.categorical(seed, self.logits)

    def log_prob(self, labels):
        return jnp.take_along_axis(jax.nn.log_softmax(self.logits), labels[..., None], -1)[..., 0]


stand_in("tree")
stand_in(
    "distrax",
    Categorical=Categorical,
    Distribution=None,
    MultivariateNormalDiag=None,
    Bernoulli=None,
    OneHotCategorical=None,
)

import kfac_jax  # noqa: E402

EXAMPLES, CLASSES = 5, 3
OLD, NEW = 0.95, 0.05
DAMPINGS = {"": 0.01, "-more": 0.3}
MODES = {
    "fisher_empirical": "empirical",
    "fisher_gradients": "mc",
    "fisher_exact": "exact",
    "fisher_curvature_prop": "curvature-prop",
}
random = np.random.default_rng(40083)

PARAMS = {
    "conv1": (random.normal(size=(3, 2, 2, 3)), random.normal(size=3)),
    "conv2": (random.normal(size=(2, 2, 3, 2)),),
    "norm": (random.normal(size=2) + 1, random.normal(size=2)),
    "sequence": (random.normal(size=(2, 4)), random.normal(size=4)),
    "fc": (random.normal(size=(4, CLASSES)), random.normal(size=CLASSES)),
}
IMAGES = random.normal(size=(EXAMPLES, 7, 5, 2))
LABELS = random.integers(0, CLASSES, size=EXAMPLES)
CONVS = {"conv1": ((2, 1), ((1, 1), (0, 0))), "conv2": ((1, 1), ((0, 0), (0, 0)))}


def conv(name, x, params):
    strides, padding = CONVS[name]
    return jax.lax.conv_general_dilated(
        x, params[name][0], strides, padding, dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def network(params, x, shifts=None):
    """Logits; `shifts` are added to the layers' outputs, to differentiate by them."""

    def out(name, y):
        return y if shifts is None else y + shifts[name]

    x = jnp.tanh(out("conv1", conv("conv1", x, params) + params["conv1"][1]))
    x = jnp.tanh(out("conv2", conv("conv2", x, params)))
    scale, shift = params["norm"]
    y = x * scale + shift
    y = kfac_jax.register_scale_and_shift(y, x, scale, shift)
    x = jnp.tanh(out("norm", y))
    x = x.reshape(x.shape[0], -1, x.shape[-1])
    w, b = params["sequence"]
    y = kfac_jax.register_dense(jnp.matmul(x, w) + b, x, w, b, variant="repeated_dense")
    x = jnp.tanh(out("sequence", y)).mean(axis=1)
    w, b = params["fc"]
    y = kfac_jax.register_dense(jnp.matmul(x, w) + b, x, w, b)
    return out("fc", y)


def summed_loss(logits, labels):
    return -jnp.sum(jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], -1))


def loss(params, batch):
    logits = network(params, batch[0])
    kfac_jax.register_softmax_cross_entropy_loss(logits, batch[1])
    return summed_loss(logits, batch[1]) / EXAMPLES


def empirical_gradients(like):
    """Per-example gradients of the summed loss, without kfac-jax."""
    zeros = {name: jnp.zeros(y.shape) for name, y in like.items()}
    grad = jax.grad(lambda s: summed_loss(network(PARAMS, IMAGES, s), LABELS))
    return grad(zeros)


def images(x):
    """Channels first."""
    return np.moveaxis(x, -1, 1)


def input_tensors(passes, gradient, mode):
    """What the blocks received; several passes one after the other, as further examples."""
    tensors = {}
    inputs = {n: np.concatenate([p[n][0] for p in passes]) for n in PARAMS}
    tangents = {n: np.concatenate([p[n][1] for p in passes]) for n in PARAMS}
    if mode == "fisher_empirical":
        divided = tangents
        tangents = empirical_gradients(tangents)
        for name in PARAMS:
            np.testing.assert_allclose(
                divided[name], tangents[name] / np.sqrt(EXAMPLES), rtol=1e-12, atol=1e-14
            )
    for name in PARAMS:
        order = images if name in CONVS else np.asarray
        tensors[name + ".input"] = order(inputs[name])
        tensors[name + ".output_grad"] = order(tangents[name])
    tensors.update(gradient_tensors(gradient))
    return tensors


def gradient_tensors(params):
    tensors = {}
    for name, values in params.items():
        weight = np.asarray(values[0])
        tensors[name + ".weight_grad"] = (
            weight.transpose(3, 2, 0, 1) if weight.ndim == 4 else weight.T
        )
        if len(values) == 2:
            tensors[name + ".bias_grad"] = np.asarray(values[1])
    return tensors


def factor_tensors(names, state):
    """A of convolutions in the order (channel, row, column)."""
    tensors = {}
    for name, block in zip(names, state.blocks_states):
        if name in ("conv1", "conv2", "fc"):
            a, g = (np.asarray(f.value) for f in block.factors)
            if name in CONVS:
                kh, kw, c, _ = PARAMS[name][0].shape
                order = np.arange(kh * kw * c).reshape(kh, kw, c).transpose(2, 0, 1).ravel()
                order = np.concatenate([order, np.arange(order.size, a.shape[0])])
                a = a[np.ix_(order, order)]
            tensors[name + ".A"] = a
            tensors[name + ".G"] = g
        elif name == "norm" and hasattr(block, "matrix"):
            tensors[name + ".G"] = np.asarray(block.matrix.value)
    return tensors


def write(path, tensors):
    header, data = {}, b""
    for name, value in tensors.items():
        raw = np.ascontiguousarray(value, dtype="<f8").tobytes()
        header[name] = {
            "dtype": "F64",
            "shape": list(np.shape(value)),
            "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def configuration(fisher, damping, **more):
    conv1 = {"type": "conv2d", "in_channels": 2, "out_channels": 3, "kernel": [3, 2]}
    conv2 = {"type": "conv2d", "in_channels": 3, "out_channels": 2, "kernel": [2, 2]}
    layers = {
        "conv1": {**conv1, "stride": [2, 1], "padding": [1, 0]},
        "conv2": {**conv2, "bias": False},
        "norm": {"type": "scale_shift", "channels": 2, "structure": "full", "channels_last": True},
        "sequence": {"type": "dense", "in_features": 2, "out_features": 4},
        "fc": {"type": "dense", "in_features": 4, "out_features": CLASSES},
    }
    return {
        "convention": "kfac-jax",
        "fisher": fisher,
        "damping": damping,
        "decay": OLD,
        **more,
        "layers": [{"name": name, **layer} for name, layer in layers.items()],
    }


DIAGONAL = {
    "dense": kfac_jax.DenseDiagonal,
    "conv2d": kfac_jax.Conv2DDiagonal,
    "scale_and_shift": kfac_jax.ScaleAndShiftDiagonal,
}
KRONECKER = {"scale_and_shift": kfac_jax.ScaleAndShiftFull}


def run(mode, blocks):
    """One update: what each pass brought to the blocks, the names of the blocks, the state."""
    estimator = kfac_jax.BlockDiagonalCurvature(
        func=loss, default_estimation_mode=mode, layer_tag_to_block_ctor=blocks
    )
    args = (PARAMS, (IMAGES, LABELS))
    state = estimator.init(jax.random.PRNGKey(0), args, None, None)
    shapes = {tuple(np.shape(v) for v in values): name for name, values in PARAMS.items()}
    names = [shapes[tuple(b.parameters_shapes)] for b in estimator.blocks]
    passes = []
    update = estimator._update_blocks

    def recording(infos, *rest, **named):
        passes.append(
            {
                name: (np.asarray(i.primals.inputs[0]), np.asarray(i.tangents.outputs[0]))
                for name, i in zip(names, infos)
            }
        )
        return update(infos, *rest, **named)

    object.__setattr__(estimator, "_update_blocks", recording)
    state = estimator.update_curvature_matrix_estimate(
        state=state,
        ema_old=OLD,
        ema_new=NEW,
        identity_weight=0.0,
        batch_size=EXAMPLES,
        rng=jax.random.PRNGKey(7),
        func_args=args,
    )
    return estimator, passes, names, state


def main(folder):
    gradient = jax.tree_util.tree_map(lambda p: random.normal(size=p.shape), PARAMS)
    for mode, fisher in MODES.items():
        target = pathlib.Path(folder) / ("kfac-jax-" + mode.replace("_", "-"))
        target.mkdir(parents=True, exist_ok=True)
        for case, blocks in (("kronecker", KRONECKER), ("diagonal", {**KRONECKER, **DIAGONAL})):
            estimator, passes, names, state = run(mode, blocks)
            if mode in ("fisher_exact", "fisher_curvature_prop"):
                # the loss is a likelihood of its natural parameters: the GGN is the Fisher
                same = run(mode.replace("fisher", "ggn"), blocks)[3]
                jax.tree_util.tree_map(np.testing.assert_array_equal, state, same)
            if case == "kronecker":
                write(target / "input.safetensors", input_tensors(passes, gradient, mode))
            for ending, damping in DAMPINGS.items():
                for exact in (False, True):
                    if case == "diagonal" and (ending or not exact):
                        continue
                    result = estimator.multiply_inverse(
                        state, gradient, damping, exact, False, None
                    )
                    tensors = gradient_tensors(result)
                    if case == "diagonal":
                        name = case
                        config = configuration(fisher, damping, approximation=case)
                        config["layers"][3]["approximation"] = "kronecker"
                    else:
                        name = "exact" if exact else "factored"
                        tensors.update(factor_tensors(names, state))
                        config = configuration(fisher, damping, damping_mode=name)
                    write(target / (name + ending + ".safetensors"), tensors)
                    text = json.dumps(config)
                    (target / (name + ending + ".json")).write_text(text + "\n")
        print(mode, len(passes), "passes")


if __name__ == "__main__":
    main(sys.argv[1])
