"""PyTorch in Python. --method

inv: fp32 and torch.linalg.inv; cholesky: cholesky_ex and cholesky_inverse, inverses only;
tf32, bf16: products in these formats, so less accurate than fp32, no inverses;
conv_weight: the convolution weight gradient of x with itself, which holds all that A is made of where the stride is 1
and the padding "same". A itself would still have to be put together from it."""

import torch
import torch.nn.functional as F

import common


class TorchTask(common.Task):
    """function() gives a list of tensors."""

    def __init__(self, function, batched=False, checkable=True):
        self.function, self.batched, self.checkable = function, batched, checkable

    def run(self):
        self.outputs = self.function()
        if self.outputs[0].is_cuda:
            torch.cuda.synchronize()

    def result(self, index):
        return (self.outputs[0][index] if self.batched else self.outputs[index]).cpu().numpy()


NAMES = {
    "inv": "pytorch",
    "cholesky": "pytorch cholesky_inverse",
    "tf32": "pytorch tf32",
    "bf16": "pytorch bf16",
    "conv_weight": "pytorch conv2d_weight",
}


class TorchPeer:
    def __init__(self, device, threads, method):
        if device == "cuda" and not torch.cuda.is_available():
            raise SystemExit("this PyTorch has no GPU to work on")
        torch.set_num_threads(threads)
        torch.backends.cuda.matmul.allow_tf32 = method == "tf32"
        torch.backends.cudnn.allow_tf32 = method == "tf32"
        self.device, self.method, self.name = device, method, NAMES[method]
        self.dtype = torch.bfloat16 if method == "bf16" else torch.float32
        self.exact = method in ("inv", "cholesky")
        self.version = torch.__version__

    def tensor(self, array):
        return torch.from_numpy(array).to(self.device, self.dtype)

    def task(self, function):
        return TorchTask(function, checkable=self.exact)

    def prepare(self, case, networks, seed):
        verb = case["verb"]
        if verb == "inverse":
            return self.inverse(case, networks, seed) if self.exact else None
        if verb == "conv-factor" and self.method == "conv_weight":
            return self.conv_weight(case, seed)
        if self.method in ("cholesky", "conv_weight"):
            return None
        if verb == "conv-factor" and not case["bias"]:
            return self.conv_factor(case, seed)
        if verb == "dense-factor" and not case["bias"]:
            x = self.tensor(common.uniform(seed, 0, case["rows"], case["width"]))
            return self.task(lambda: [(x.t() @ x).div_(x.shape[0])])
        if verb == "precondition":
            g = self.tensor(common.factor(seed, 0, case["out"]))
            a = self.tensor(common.factor(seed, 1, case["in"]))
            w = self.tensor(common.uniform(seed, 2, case["out"], case["in"]))
            return self.task(lambda: [g @ w @ a])
        return None

    def conv_factor(self, case, seed):
        n, c, s, k = (case[key] for key in ("examples", "channels", "size", "kernel"))
        x = self.tensor(common.uniform(seed, 0, n, c, s, s))

        def run():
            p = F.unfold(x, k, padding=case["padding"], stride=case["stride"])
            p = p.transpose(1, 2).reshape(-1, p.shape[1])
            return [(p.t() @ p).div_(n)]

        return self.task(run)

    def conv_weight(self, case, seed):
        n, c, s, k = (case[key] for key in ("examples", "channels", "size", "kernel"))
        if case["stride"] != 1 or case["padding"] != k // 2:
            return None
        x = self.tensor(common.uniform(seed, 0, n, c, s, s))
        shape = (c, c, 2 * k - 1, 2 * k - 1)
        return self.task(lambda: [torch.nn.grad.conv2d_weight(x, shape, x, padding=k - 1)])

    def inverse(self, case, networks, seed):
        def damped(k, n):
            a = self.tensor(common.factor(seed, k, n))
            a.diagonal().add_(common.DAMPING)
            return a

        def invert(a):
            if self.method == "inv":
                return torch.linalg.inv(a)
            return torch.cholesky_inverse(torch.linalg.cholesky_ex(a).L)

        sources = [damped(k, n) for k, n in enumerate(common.sizes(case, networks))]
        batched = case.get("network") is None and len(sources) > 1
        if batched:
            sources = [torch.stack(sources)]
        return TorchTask(lambda: [invert(a) for a in sources], batched)


if __name__ == "__main__":
    common.main(TorchPeer, tuple(NAMES))
