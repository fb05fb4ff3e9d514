"""Writes the TorchScript functions that the JVM's libtorch peer runs, which DJL has no calls for.

    python torchscript.py ../src/main/resources/io/github/kfac4j/benchmarks/peers
"""

import sys
from pathlib import Path

import torch
import torch.nn.functional as F


class ConvFactor(torch.nn.Module):
    """x [N, C, H, W]; kernel, stride, padding as 0-d integer tensors: (1/N) sum of patch patch'."""

    def forward(self, x, kernel, stride, padding):
        k = int(kernel)
        p = F.unfold(x, [k, k], padding=[int(padding)] * 2, stride=[int(stride)] * 2)
        p = p.transpose(1, 2).reshape(-1, p.shape[1])
        return torch.matmul(p.t(), p).div_(x.shape[0])


class CholeskyInverse(torch.nn.Module):
    """a [n, n] or [count, n, n], symmetric and positive definite."""

    def forward(self, a):
        return torch.cholesky_inverse(torch.linalg.cholesky(a))


def main():
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for name, module in {"conv_factor": ConvFactor(), "cholesky_inverse": CholeskyInverse()}.items():
        torch.jit.save(torch.jit.script(module), str(out / f"{name}.pt"))


if __name__ == "__main__":
    main()
