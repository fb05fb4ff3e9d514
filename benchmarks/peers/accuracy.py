"""Errors of libkfac_cuda beside those of PyTorch in fp32 on the same inputs, both against fp64: the verbs must be no
less accurate. Exit code 1 where one is, on the whole.

    python accuracy.py LIBKFAC_CUDA.so [--device cpu]    cpu: for the emulated kernels of the tests
"""

import argparse
import itertools
import json
import os
import sys
import time

import torch

from kernels import Kernels, samples


class Verbs:
    """The verbs one at a time, complete when they return."""

    def __init__(self, library, device):
        self.kernels, self.device = Kernels(library, device), device

    def finish(self, call, results):
        call()
        if self.device == "cuda":
            torch.cuda.synchronize()
        return results[0]

    def inverses(self, a, damping):
        return self.finish(*self.kernels.inverses([a], damping))

    def moment(self, x):
        return self.finish(*self.kernels.moments([(samples(x), x.shape[0])]))

    def precondition(self, g, w, a):
        return self.finish(*self.kernels.preconditioned([(g, w, a)]))


# Name, rank of the factor over n, decades over which its columns fall, damping; the largest eigenvalue is 200. Rank 0: a
# flat spectrum from 10 to 200.
KINDS = [
    ("near a multiple of 1", 4, 0, 1000.0),
    ("condition 20", 4, 0, 10.0),
    ("flat, condition 20", 0, 0, 0.0),
    ("condition 2e3", 0.5, 0, 0.1),
    ("falling, condition 2e3", 2, 3, 0.1),
    ("falling, condition 2e4", 0.5, 2, 1e-2),
    ("falling, condition 2e5", 1, 2, 1e-3),
    ("falling to 1e-5, condition 5e4", 1, 5, 4e-3),
]
SMALL = list(range(1, 201))  # every size up to here, and then these
LARGE = [256, 512, 1024, 2304]
FEW = [1, 7, 8, 16, 31, 32, 33, 48, 64, 65, 100, 127, 128, 129, 160, 200, 256, 512, 1024]  # a sample of them
BANDS = [8, 32, 64, 128, 200, 4608]  # sizes up to these are looked at together


def factors(count, n, rank, decades, random, device):
    if rank == 0:
        q = torch.linalg.qr(torch.randn(count, n, n, generator=random, dtype=torch.float64)).Q.to(device)
        m = q * torch.linspace(10, 200, n, dtype=torch.float64, device=device) @ q.mT
        return ((m + m.mT) / 2).float()
    columns = max(1, int(rank * n + 0.5))
    q = torch.randn(count, n, columns, generator=random, dtype=torch.float64).to(device)
    m = q * 10 ** (-decades * torch.arange(columns, device=device) / columns)
    m = m @ m.mT
    return (m * (200 / torch.linalg.eigvalsh(m)[:, -1:, None])).float()


def inverses(kernels, random, sizes, count):
    """One row for every size and kind: stacks of so many matrices, one matrix at a time beyond 200."""
    for n in sizes:
        for name, rank, decades, damping in KINDS:
            a = factors(count if n <= 200 else 1, n, rank, decades, random, kernels.device)
            damping = torch.tensor(damping).item()  # a number of fp32
            exact = torch.linalg.inv(a.double() + damping * torch.eye(n, dtype=torch.float64, device=a.device))
            damped = a + damping * torch.eye(n, device=a.device)
            peers = {"linalg.inv": torch.linalg.inv(damped)}
            lower, info = torch.linalg.cholesky_ex(damped)
            if not info.any():
                peers["cholesky_inverse"] = torch.cholesky_inverse(lower)
            yield "inverse", n, name, exact, kernels.inverses(a, damping), peers


def products(kernels, random, most):
    device = kernels.device
    for rows, n in ((512, 64), (4096, min(512, most)), (min(65536, 64 * most), 128)):
        for name, shift in (("centred", 0.0), ("not centred", 1.0)):
            x = torch.randn(rows, n, generator=random).add_(shift).to(device)
            exact = x.double().T @ x.double() / rows
            yield "moment", n, f"{rows} x {n}, {name}", exact, kernels.moment(x), {"matmul": x.T @ x / rows}
    for out, n in ((64, 147), (min(256, most), min(1152, most))):
        g, w, a = (torch.randn(*s, generator=random).to(device) for s in ((out, out), (out, n), (n, n)))
        exact = g.double() @ w.double() @ a.double()
        yield "precondition", n, f"{out} x {n}", exact, kernels.precondition(g, w, a), {"matmul": g @ w @ a}


def main():
    parser = argparse.ArgumentParser(description="Errors of libkfac_cuda beside those of PyTorch in fp32.")
    parser.add_argument("library")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--sizes", type=lambda text: [int(n) for n in text.split(",")], default=SMALL + LARGE)
    parser.add_argument("--few", dest="sizes", action="store_const", const=FEW, help="a sample of the sizes")
    parser.add_argument("--matrices", type=int, default=9, help="of each size up to 200 and each kind")
    parser.add_argument("--most", type=int, default=4096, help="the largest extent of other operands")
    parser.add_argument("--minutes", type=float, default=0, help="begin no other case after so many; 0 for no limit")
    parser.add_argument("--out", help="file for the errors, JSON")
    args = parser.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    random = torch.Generator().manual_seed(1)
    start, rows = time.time(), []
    kernels = Verbs(args.library, args.device)

    def error(x, exact):  # of each matrix
        return (torch.linalg.matrix_norm(x.double() - exact) / torch.linalg.matrix_norm(exact)).clamp_min(1e-9)

    def write(means):  # as it goes: an interruption leaves the results so far
        if args.out:
            with open(args.out + ".new", "w") as file:
                json.dump({"torch": torch.__version__, "device": args.device, "means": means, "cases": rows}, file)
            os.replace(args.out + ".new", args.out)

    sizes = sorted(args.sizes, key=lambda n: (n > 200, n * 97 % 101, n))  # mixed, for when time is up early
    for verb, n, case, exact, ours, peers in itertools.chain(
        products(kernels, random, args.most), inverses(kernels, random, sizes, args.matrices)
    ):
        own = error(ours, exact)
        ratios = {peer: (own / error(x, exact)).median().item() for peer, x in peers.items()}
        rows.append({"verb": verb, "n": n, "case": case, "ours": own.median().item(), "ratios": ratios})
        write({})
        if args.minutes and time.time() - start > 60 * args.minutes:
            print("time is up: the rest is left out")
            break

    def mean(ratios):  # geometric
        return torch.tensor(ratios).clamp_min(1e-6).log().mean().exp().item()

    means, bands = {}, {}
    for row in rows:
        for peer, ratio in row["ratios"].items():
            name = f"{row['verb']} beside {peer}" + (f", {row['case']}" if row["verb"] == "inverse" else "")
            band = next(b for b in BANDS if row["n"] <= b)
            bands.setdefault(name, {}).setdefault(band, []).append(ratio)
    for name, of in bands.items():
        # Up to 32 x 32 it is fp64 beside fp32, which would hide what the others are like.
        larger = [ratio for band, ratios in of.items() if band > 32 for ratio in ratios]
        means[name] = mean(larger or [ratio for ratios in of.values() for ratio in ratios])
        text = "  ".join(f"n <= {band}: {mean(r):.2f} (most {max(r):.2f})" for band, r in sorted(of.items()))
        print(f"{name}: {means[name]:.2f} times its error{'' if means[name] <= 1 else '  WORSE'}; {text}", flush=True)
    write(means)
    sys.exit(any(not value <= 1 for value in means.values()))


if __name__ == "__main__":
    main()
