"""CuPy on a GPU; on the CPU its model NumPy, with which this script can be tried."""

import common


class ArrayTask(common.Task):
    """function() gives a list of arrays."""

    def __init__(self, peer, function, batched=False):
        self.peer, self.function, self.batched = peer, function, batched

    def run(self):
        self.outputs = self.function()
        self.peer.wait()

    def result(self, index):
        return self.peer.host(self.outputs[0][index] if self.batched else self.outputs[index])


class CupyPeer:
    def __init__(self, device, threads, method):
        if device == "cuda":
            import cupy

            self.xp, self.name = cupy, "cupy"
            self.wait, self.host = cupy.cuda.runtime.deviceSynchronize, cupy.asnumpy
        else:
            import numpy

            self.xp, self.name = numpy, "numpy"
            self.wait, self.host = lambda: None, numpy.asarray
        self.version = self.xp.__version__

    def prepare(self, case, networks, seed):
        xp, verb = self.xp, case["verb"]
        if verb == "conv-factor" and not case["bias"]:
            return self.conv_factor(case, seed)
        if verb == "dense-factor" and not case["bias"]:
            x = xp.asarray(common.uniform(seed, 0, case["rows"], case["width"]))
            return ArrayTask(self, lambda: [x.T @ x / x.dtype.type(x.shape[0])])
        if verb == "precondition":
            g = xp.asarray(common.factor(seed, 0, case["out"]))
            a = xp.asarray(common.factor(seed, 1, case["in"]))
            w = xp.asarray(common.uniform(seed, 2, case["out"], case["in"]))
            return ArrayTask(self, lambda: [g @ w @ a])
        if verb == "inverse":
            return self.inverse(case, networks, seed)
        return None

    def conv_factor(self, case, seed):
        xp = self.xp
        n, c, s, k = (case[key] for key in ("examples", "channels", "size", "kernel"))
        x = xp.asarray(common.uniform(seed, 0, n, c, s, s))
        p, step = case["padding"], case["stride"]

        def run():
            padded = xp.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
            windows = xp.lib.stride_tricks.sliding_window_view(padded, (k, k), axis=(2, 3))
            windows = windows[:, :, ::step, ::step].transpose(0, 2, 3, 1, 4, 5)
            rows = windows.reshape(-1, c * k * k)
            return [rows.T @ rows / rows.dtype.type(n)]

        return ArrayTask(self, run)

    def inverse(self, case, networks, seed):
        xp = self.xp

        def damped(k, n):
            return xp.asarray(common.factor(seed, k, n)) + xp.float32(common.DAMPING) * xp.eye(n, dtype=xp.float32)

        sources = [damped(k, n) for k, n in enumerate(common.sizes(case, networks))]
        batched = case.get("network") is None and len(sources) > 1
        if batched:
            sources = [xp.stack(sources)]
        return ArrayTask(self, lambda: [xp.linalg.inv(a) for a in sources], batched)


if __name__ == "__main__":
    common.main(CupyPeer)
