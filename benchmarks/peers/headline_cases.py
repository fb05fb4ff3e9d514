"""The cases of headline.py: inputs, ours, and what PyTorch and cuSOLVER have for the same."""

from dataclasses import dataclass, field
from typing import Callable

import torch
import torch.nn.functional as F

import common
from kernels import samples

DAMPING = 0.1


@dataclass
class Method:
    name: str
    prepare: Callable  # of the inputs: gives a function to time, and one for the error of its result or None
    tf32: bool = False


@dataclass
class Case:
    name: str
    inputs: Callable
    methods: dict  # "ceiling", "ours", "peers": lists of Method
    work: dict = field(default_factory=dict)


def relative(x, exact):
    return (torch.linalg.norm(x.double() - exact) / torch.linalg.norm(exact)).item()


def unfolded(x, layer):
    """[rows, n], a copy where the kernel is larger than one pixel."""
    if x.dim() == 2:
        return x
    if layer.get("kernel", 1) == 1:
        s = layer["stride"]
        return x[:, :, ::s, ::s].permute(0, 2, 3, 1).reshape(-1, x.shape[1])
    p = F.unfold(x, layer["kernel"], padding=layer["padding"], stride=layer["stride"])
    return p.transpose(1, 2).reshape(-1, p.shape[1])


# --- factors: inputs are (layer, tensor of activations or gradients) ---

def activations(layers, batch, device, dtype):
    result = []
    for layer in layers:
        if layer["type"] == "conv2d":
            o = common.output_size(layer)
            a = torch.randn(batch, layer["in"], layer["size"], layer["size"], device=device, dtype=dtype).relu_()
            g = torch.randn(batch, layer["out"], o, o, device=device, dtype=dtype)
        else:
            a = torch.randn(batch, layer["in"], device=device, dtype=dtype).relu_()
            g = torch.randn(batch, layer["out"], device=device, dtype=dtype)
        result += [(layer, a), ({"kernel": 1, "stride": 1}, g)]
    return result


def moments_flops(layers, batch):
    total = 0
    for layer in layers:
        positions = common.output_size(layer) ** 2 if layer["type"] == "conv2d" else 1
        n = layer["in"] * layer.get("kernel", 1) ** 2
        total += batch * positions * (n * (n + 1) + layer["out"] * (layer["out"] + 1))
    return total


def our_moments(kernels):
    def prepare(inputs):
        of = []
        for layer, x in inputs:
            k = layer.get("kernel", 1)
            of.append((samples(x, k, layer.get("stride", 1), layer.get("padding", 0)), x.shape[0]))
        call, out = kernels.moments(of)

        def error():
            worst = 0.0
            for i in {0, len(out) // 3, len(out) - 1}:
                layer, x = inputs[i]
                p = unfolded(x.float(), layer).double()
                worst = max(worst, relative(out[i], p.T @ p / x.shape[0]))
            return worst

        return call, error
    return prepare


def torch_moments(dtype):
    def prepare(inputs):
        def run():
            return [(p.T @ p).div_(x.shape[0])
                    for layer, x in inputs for p in [unfolded(x.to(dtype), layer)]]
        return run, None
    return prepare


def conv_weight_moments(inputs):
    """The convolution weight gradient of x with itself where that holds all that A is made of, else unfold and matmul."""
    def run():
        out = []
        for layer, x in inputs:
            k = layer.get("kernel", 1)
            if k > 1 and layer["stride"] == 1 and layer["padding"] == k // 2:
                c = x.shape[1]
                out.append(torch.nn.grad.conv2d_weight(x, (c, c, 2 * k - 1, 2 * k - 1), x, padding=k - 1))
            else:
                p = unfolded(x, layer)
                out.append(p.T @ p)
        return out
    return run, None


def moments_case(kernels, name, layers, batch, dtype):
    short = "bf16" if dtype == torch.bfloat16 else "fp32"
    peers = [Method("unfold, matmul bf16", torch_moments(torch.bfloat16))]
    if dtype == torch.float32:
        peers = [Method("unfold, matmul tf32", torch_moments(dtype), tf32=True),
                 Method("conv2d_weight(x, ., x)", lambda i: conv_weight_moments(i)),
                 Method("conv2d_weight(x, ., x), tf32", lambda i: conv_weight_moments(i), tf32=True),
                 Method("unfold, matmul fp32", torch_moments(dtype))] + peers
    else:
        peers.append(Method("conv2d_weight(x, ., x), bf16", lambda i: conv_weight_moments(i)))
    return Case(f"{name}, {short}", lambda: activations(layers, batch, kernels.device, dtype),
                {"ours": [Method("kfac4j", our_moments(kernels))], "peers": peers},
                {"flops": moments_flops(layers, batch)})


def one_factor(kernels, name, layer, batch, dtype=torch.float32):
    case = moments_case(kernels, name, [layer], batch, dtype)
    inputs = case.inputs
    case.inputs = lambda: inputs()[:1]
    case.work = {}
    return case


# --- inverses: inputs are stacks [count, n, n] ---

def stacks(sizes, device):
    result = []
    for count, n in sizes:
        x = torch.randn(count, n, max(16, n // 2), device=device)
        result.append(x @ x.mT / n)
    return result


def our_inverses(kernels):
    def prepare(inputs):
        call, out = kernels.inverses(inputs, DAMPING)

        def error():
            a = inputs[0][:1].double()
            return relative(out[0][:1], torch.linalg.inv(a + DAMPING * torch.eye(a.shape[1], device=a.device)))
        return call, error
    return prepare


def torch_inverses(invert):
    def prepare(inputs):
        eyes = [DAMPING * torch.eye(a.shape[1], device=a.device) for a in inputs]
        return lambda: [invert(a + eye) for a, eye in zip(inputs, eyes)], None
    return prepare


def cusolver_inverses(inputs):
    from cusolver_peer import CusolverPeer, GraphTask
    sources = [m.cpu().numpy() for a in inputs for m in a + DAMPING * torch.eye(a.shape[1], device=a.device)]
    task = GraphTask(CusolverPeer("cuda", 1, "default"), sources, 1.0)

    def run():
        task.run()
    run.timed = lambda: task.seconds(1)
    return run, None


def inverse_case(kernels, name, sizes):
    peers = [Method("cholesky_ex, cholesky_inverse", torch_inverses(
                lambda a: torch.cholesky_inverse(torch.linalg.cholesky_ex(a).L))),
             Method("linalg.inv", torch_inverses(torch.linalg.inv))]
    if kernels.device == "cuda" and sum(count for count, _ in sizes) <= 1000:
        peers.insert(0, Method("cuSOLVER potrf, potri, 16 streams, graph", cusolver_inverses))
    return Case(name, lambda: stacks(sizes, kernels.device),
                {"ours": [Method("kfac4j", our_inverses(kernels))], "peers": peers},
                {"flops": sum(count * n**3 for count, n in sizes)})


# --- preconditioning: inputs are (G^-1, dW, A^-1) ---

def gradients(layers, device):
    result = []
    for layer in layers:
        out, n = layer["out"], layer["in"] * layer.get("kernel", 1) ** 2
        g, w, a = (torch.randn(*s, device=device) / s[0] ** 0.5 for s in ((out, out), (out, n), (n, n)))
        result.append((g, w, a))
    return result


def our_step(kernels):
    def prepare(inputs):
        call, out = kernels.preconditioned(inputs)

        def error():
            g, w, a = (x.double() for x in inputs[0])
            return relative(out[0], g @ w @ a)
        return call, error
    return prepare


def torch_step(inputs):
    return lambda: [g @ w @ a for g, w, a in inputs], None


def step_case(kernels, name, layers):
    flops = sum(2 * w[0] * w[1] * (w[0] + w[1]) for w in
                ((layer["out"], layer["in"] * layer.get("kernel", 1) ** 2) for layer in layers))
    return Case(name, lambda: gradients(layers, kernels.device),
                {"ours": [Method("kfac4j", our_step(kernels))],
                 "peers": [Method("matmul tf32", torch_step, tf32=True), Method("matmul fp32", torch_step)]},
                {"flops": flops})


# --- patches, a whole step, ceilings ---

def patches_case(kernels, name, layer, batch):
    def ours(x):
        k, s, p = layer["kernel"], layer["stride"], layer["padding"]
        call, out = kernels.patches(samples(x, k, s, p), batch * common.output_size(layer) ** 2)
        return call, lambda: relative(out[0], unfolded(x, layer).double())

    def theirs(x):
        return lambda: F.unfold(x, layer["kernel"], padding=layer["padding"], stride=layer["stride"]), None

    size, c = layer["size"], layer["in"]
    return Case(name, lambda: torch.randn(batch, c, size, size, device=kernels.device),
                {"ours": [Method("kfac4j", ours)], "peers": [Method("F.unfold", theirs)]},
                {"bytes": 4 * batch * c * (size**2 + common.output_size(layer) ** 2 * layer["kernel"] ** 2)})


def whole_step(kernels, name, layers, batch):
    """Factors, their inverses and the preconditioned gradient of a network, one verb feeding the next."""
    def inputs():
        return activations(layers, batch, kernels.device, torch.float32), [
            w for _, w, _ in gradients(layers, kernels.device)]

    def ours(made):
        of, weights = made
        moments, factors = kernels.moments([
            (samples(x, layer.get("kernel", 1), layer.get("stride", 1), layer.get("padding", 0)), x.shape[0])
            for layer, x in of])
        invert, inverses = kernels.inverses([m[None] for m in factors], DAMPING)
        step, _ = kernels.preconditioned([(inverses[2 * i + 1][0], w, inverses[2 * i][0]) for i, w in enumerate(weights)])

        def run():
            moments()
            invert()
            step()
        return run, None

    def theirs(made):
        of, weights = made
        moments, _ = torch_moments(torch.float32)(of)

        def run():
            x = [torch.cholesky_inverse(torch.linalg.cholesky_ex(m + DAMPING * torch.eye(len(m), device=m.device)).L)
                 for m in moments()]
            return [x[2 * i + 1] @ w @ x[2 * i] for i, w in enumerate(weights)]
        return run, None

    return Case(name, inputs, {"ours": [Method("kfac4j", ours)],
                               "peers": [Method("torch, factors in tf32", theirs, tf32=True)]})


def ceilings(device, tiny):
    n = 64 if tiny else 8192

    def product(dtype):
        def prepare(_):
            a, b = (torch.randn(n, n, device=device, dtype=dtype) for _ in range(2))
            return lambda: a @ b, None
        return prepare

    def copy(_):
        a = torch.randn(n, n, 4 if not tiny else 1, device=device)
        b = torch.empty_like(a)
        return lambda: b.copy_(a), None

    return [Case("ceiling: copy", tuple, {"ceiling": [Method("copy_", copy)]}, {"bytes": 8 * n * n * (1 if tiny else 4)}),
            Case("ceiling: product", tuple,
                 {"ceiling": [Method("fp32", product(torch.float32)), Method("tf32", product(torch.float32), tf32=True),
                              Method("bf16", product(torch.bfloat16))]}, {"flops": 2 * n**3})]


def conv(channels, size, kernel):
    return {"type": "conv2d", "in": channels, "out": channels, "size": size, "kernel": kernel, "stride": 1,
            "padding": kernel // 2, "bias": False}


def cases(kernels, tiny):
    networks = common.load()["networks"]
    layers, batch = (networks["tiny"], 3) if tiny else (networks["resnet-50"], 64)
    name = "tiny" if tiny else "ResNet-50"
    sizes = [(1, n) for layer in layers for n in (layer["in"] * layer.get("kernel", 1) ** 2, layer["out"])]
    many, images, side = (5, 2, 6) if tiny else (10_000, 64, 28)
    c = 4 if tiny else 64
    yield from ceilings(kernels.device, tiny)
    yield moments_case(kernels, f"{len(sizes)} factors of {name}", layers, batch, torch.float32)
    yield moments_case(kernels, f"{len(sizes)} factors of {name}", layers, batch, torch.bfloat16)
    yield inverse_case(kernels, f"{len(sizes)} inverses of {name}", sizes)
    for n in (64, 32, 128) if not tiny else (5, 40):
        yield inverse_case(kernels, f"{many} inverses, n = {n}", [(many, n)])
    yield step_case(kernels, f"preconditioning of {name}", layers)
    yield patches_case(kernels, f"patches {2 * side}x{2 * side} c{c} n{images} k3", conv(c, 2 * side, 3), images)
    yield whole_step(kernels, f"a whole step of {name}", layers, batch)
    for k in (3, 5):
        yield one_factor(kernels, f"one factor {side}x{side} c{c} n{images} k{k}", conv(c, side, k), images)
    dense = {"type": "dense", "in": 16 if tiny else 512, "out": 1}
    yield one_factor(kernels, f"one factor {40 if tiny else 4096} x {dense['in']}", dense, 40 if tiny else 4096)
    for n in (10,) if tiny else (1024, 4608):
        yield inverse_case(kernels, f"one inverse, n = {n}", [(1, n)])
