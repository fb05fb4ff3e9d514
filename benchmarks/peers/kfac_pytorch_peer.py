"""The library kfac-pytorch: its own step on the inputs and gradients of a network's layers.

--method inverse or eigen is its compute_method. It scales factors differently from the K-FAC papers
and damps each alike, so its results are not compared with our reference.
"""

import logging
import time

import numpy as np
import torch
from kfac import __version__
from kfac.preconditioner import KFACPreconditioner

import common


class Step(common.Task):
    """Its forward and backward hooks, which make the factors, then step()."""

    checkable = False

    def __init__(self, case, layers, seed, device, method):
        self.device = device
        modules = []
        self.data = []
        for k, layer in enumerate(layers):
            module = self.module(layer).to(device)
            a, g = common.layer_inputs(seed, k, layer, case["batch"])
            grads = self.gradients(layer, a, g, seed, k, case["batch"])
            modules.append(module)
            self.data.append([torch.from_numpy(x).to(device) for x in (a, g / case["batch"])] + grads)
        self.network = torch.nn.Sequential(*modules)
        self.kfac = KFACPreconditioner(
            self.network,
            factor_update_steps=1,
            inv_update_steps=1,
            damping=common.NETWORK_DAMPING,
            kl_clip=lambda step: None,  # none; the value None itself is refused
            compute_method=method,
            loglevel=logging.NOTSET,
        )

    @staticmethod
    def module(layer):
        if layer["type"] == "conv2d":
            return torch.nn.Conv2d(
                layer["in"], layer["out"], layer["kernel"], layer["stride"], layer["padding"],
                bias=layer["bias"],
            )
        return torch.nn.Linear(layer["in"], layer["out"], bias=layer["bias"])

    def gradients(self, layer, a, g, seed, index, batch):
        if layer["type"] == "conv2d":
            k = layer["kernel"]
            columns = layer["in"] * k * k
            w = common.uniform(seed, 4 * index + 2, layer["out"], columns + layer["bias"])
            weight = w[:, :columns].reshape(layer["out"], layer["in"], k, k)
            bias = w[:, columns:].reshape(-1)
        else:
            weight, bias = g.T @ a / batch, g.mean(0)
        both = [weight, bias] if layer["bias"] else [weight]
        return [torch.from_numpy(np.ascontiguousarray(x)).to(self.device) for x in both]

        self.inverting = 0.0
        for _, layer in self.kfac._layers.values():
            layer.compute_a_inv = self.timed(layer.compute_a_inv)
            layer.compute_g_inv = self.timed(layer.compute_g_inv)

    def timed(self, inverse):
        def run(*args, **kwargs):
            start = self.sync()
            inverse(*args, **kwargs)
            self.inverting += self.sync() - start

        return run

    def sync(self):
        if self.device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()

    def run(self):
        for module, (_, _, *gradients) in zip(self.network, self.data):
            for parameter, gradient in zip(module.parameters(), gradients):
                parameter.grad = gradient.clone()
        start = self.sync()
        for module, (a, g, *_) in zip(self.network, self.data):
            self.kfac._save_input(module, [a])  # what it registers as hooks
            self.kfac._save_grad_output(module, None, (g,))
        factors = self.sync()
        self.inverting = 0.0
        self.kfac.step()
        rest = self.sync() - factors - self.inverting
        self.parts = {"factors": factors - start, "inverses": self.inverting, "preconditioning": rest}

    def result(self, index):
        return self.network[index].weight.grad.cpu().numpy()


class KfacPytorchPeer:
    def __init__(self, device, threads, method):
        torch.set_num_threads(threads)
        self.device, self.method = device, method
        self.name = "kfac-pytorch" if method == "inverse" else "kfac-pytorch eigen"
        self.version = f"{__version__} on torch {torch.__version__}"

    def prepare(self, case, networks, seed):
        if case["verb"] != "step":
            return None
        return Step(case, networks[case["network"]], seed, self.device, self.method)


if __name__ == "__main__":
    common.main(KfacPytorchPeer, ("inverse", "eigen"))
