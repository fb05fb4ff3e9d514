"""PyTorch in Python. --method inv: torch.linalg.inv; cholesky: cholesky and cholesky_inverse."""

import torch
import torch.nn.functional as F

import common


class TorchTask(common.Task):
    """function() gives a list of tensors."""

    def __init__(self, function, batched=False):
        self.function, self.batched = function, batched

    def run(self):
        self.outputs = self.function()
        if self.outputs[0].is_cuda:
            torch.cuda.synchronize()

    def result(self, index):
        return (self.outputs[0][index] if self.batched else self.outputs[index]).cpu().numpy()


class TorchPeer:
    def __init__(self, device, threads, method):
        torch.set_num_threads(threads)
        self.device, self.method = device, method
        self.name = "pytorch" if method == "inv" else "pytorch cholesky_inverse"
        self.version = torch.__version__

    def tensor(self, array):
        return torch.from_numpy(array).to(self.device)

    def prepare(self, case, networks, seed):
        verb = case["verb"]
        if verb == "inverse":
            return self.inverse(case, networks, seed)
        if self.method != "inv":
            return None
        if verb == "conv-factor" and not case["bias"]:
            return self.conv_factor(case, seed)
        if verb == "dense-factor" and not case["bias"]:
            x = self.tensor(common.uniform(seed, 0, case["rows"], case["width"]))
            return TorchTask(lambda: [(x.t() @ x).div_(x.shape[0])])
        if verb == "precondition":
            g = self.tensor(common.factor(seed, 0, case["out"]))
            a = self.tensor(common.factor(seed, 1, case["in"]))
            w = self.tensor(common.uniform(seed, 2, case["out"], case["in"]))
            return TorchTask(lambda: [g @ w @ a])
        return None

    def conv_factor(self, case, seed):
        n, c, s, k = (case[key] for key in ("examples", "channels", "size", "kernel"))
        x = self.tensor(common.uniform(seed, 0, n, c, s, s))

        def run():
            p = F.unfold(x, k, padding=case["padding"], stride=case["stride"])
            p = p.transpose(1, 2).reshape(-1, p.shape[1])
            return [(p.t() @ p).div_(n)]

        return TorchTask(run)

    def inverse(self, case, networks, seed):
        def damped(k, n):
            a = self.tensor(common.factor(seed, k, n))
            a.diagonal().add_(common.DAMPING)
            return a

        def invert(a):
            if self.method == "inv":
                return torch.linalg.inv(a)
            return torch.cholesky_inverse(torch.linalg.cholesky(a))

        sources = [damped(k, n) for k, n in enumerate(common.sizes(case, networks))]
        batched = case.get("network") is None and len(sources) > 1
        if batched:
            sources = [torch.stack(sources)]
        return TorchTask(lambda: [invert(a) for a in sources], batched)


if __name__ == "__main__":
    common.main(TorchPeer, ("inv", "cholesky"))
