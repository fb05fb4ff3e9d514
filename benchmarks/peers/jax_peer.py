"""JAX, compiled. Inverses by Cholesky and two triangular solves, as kfac-jax does it."""

import functools
import os

import common


class JaxTask(common.Task):
    def __init__(self, function, *arguments, batched=False):
        self.function, self.arguments, self.batched = function, arguments, batched

    def run(self):
        import jax

        self.outputs = jax.block_until_ready(self.function(*self.arguments))

    def result(self, index):
        import numpy as np

        return np.asarray(self.outputs[0][index] if self.batched else self.outputs[index])


class JaxPeer:
    name = "jax"

    def __init__(self, device, threads, method):
        os.environ["JAX_PLATFORMS"] = "cpu" if device == "cpu" else "cuda"
        os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"  # else most of the GPU's memory is gone for the others
        if device == "cpu":  # XLA takes as many threads as there are cores to run on
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
        import jax

        jax.config.update("jax_default_matmul_precision", "highest")
        self.jax, self.version = jax, jax.__version__

    def prepare(self, case, networks, seed):
        jnp, verb = self.jax.numpy, case["verb"]
        if verb == "conv-factor" and not case["bias"]:
            n, c, s = case["examples"], case["channels"], case["size"]
            x = jnp.asarray(common.uniform(seed, 0, n, c, s, s))
            return JaxTask(self.jax.jit(functools.partial(self.conv_factor, case)), x)
        if verb == "dense-factor" and not case["bias"]:
            x = jnp.asarray(common.uniform(seed, 0, case["rows"], case["width"]))
            return JaxTask(self.jax.jit(lambda x: [x.T @ x / x.shape[0]]), x)
        if verb == "precondition":
            g = jnp.asarray(common.factor(seed, 0, case["out"]))
            a = jnp.asarray(common.factor(seed, 1, case["in"]))
            w = jnp.asarray(common.uniform(seed, 2, case["out"], case["in"]))
            return JaxTask(self.jax.jit(lambda g, w, a: [g @ w @ a]), g, w, a)
        if verb == "inverse":
            return self.inverse(case, networks, seed)
        return None

    def conv_factor(self, case, x):
        k, s, p = case["kernel"], case["stride"], case["padding"]
        patches = self.jax.lax.conv_general_dilated_patches(
            x, (k, k), (s, s), [(p, p), (p, p)], dimension_numbers=("NCHW", "OIHW", "NCHW")
        )
        rows = patches.transpose(0, 2, 3, 1).reshape(-1, patches.shape[1])
        return [rows.T @ rows / x.shape[0]]

    def inverse(self, case, networks, seed):
        jnp, linalg = self.jax.numpy, self.jax.scipy.linalg
        sources = [
            jnp.asarray(common.factor(seed, k, n)) + common.DAMPING * jnp.eye(n)
            for k, n in enumerate(common.sizes(case, networks))
        ]
        batched = case.get("network") is None and len(sources) > 1

        def invert(a):
            return linalg.cho_solve(linalg.cho_factor(a), jnp.eye(a.shape[0]))

        if batched:
            sources = [jnp.stack(sources)]
            invert = self.jax.vmap(invert)
        return JaxTask(self.jax.jit(lambda m: [invert(a) for a in m]), sources, batched=batched)


if __name__ == "__main__":
    common.main(JaxPeer)
