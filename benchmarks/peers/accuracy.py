"""Errors of libkfac_cuda beside those of PyTorch in fp32 on the same inputs, both against fp64: the verbs must be no
less accurate. Exit code 1 where one is, on the whole.

    python accuracy.py LIBKFAC_CUDA.so [--device cpu]    cpu: for the emulated kernels of the tests
"""

import argparse
import ctypes
import json
import sys
import time
from ctypes import c_double, c_float, c_int, c_longlong, c_void_p, pointer

import torch


def structure(name, fields):
    return type(name, (ctypes.Structure,), {"_fields_": fields})


def fields(kind, names):
    return [(name, kind) for name in names.split()]


Rows = structure("Rows", [("data", c_void_p)] + fields(c_int, "dtype bias groups") + fields(
    c_longlong, "batch channels height width batch_stride channel_stride y_stride x_stride") + fields(
    c_int, "ky kx sy sx py px dy dx"))
Moment = structure("Moment", [("rows", Rows), ("moment", c_void_p), ("alpha", c_float), ("beta", c_float)])
Inversion = structure("Inversion", fields(c_void_p, "matrix inverse status dampings") + fields(
    c_float, "scale damping") + fields(c_int, "n count algorithm"))
Step = structure("Step", fields(c_void_p, "g a weight bias weight_result bias_result inner") + fields(
    c_int, "groups out in_") + [("scale", c_float)])


class Kernels:
    """The verbs on tensors, in the default stream."""

    def __init__(self, library, device):
        self.library, self.device = ctypes.CDLL(library), device

    def call(self, verb, request):
        query = getattr(self.library, f"kfac_{verb}_workspace")
        query.restype = c_longlong
        size = query(pointer(request), 1, 0)
        workspace = torch.empty(max(size, 0) + 256, dtype=torch.uint8, device=self.device)
        at = (workspace.data_ptr() + 255) // 256 * 256
        code = size if size < 0 else getattr(self.library, f"kfac_{verb}")(
            pointer(request), 1, 0, c_void_p(at), c_longlong(size), c_void_p(0))
        if code:
            raise RuntimeError(f"kfac_{verb}: status {code}")
        if self.device == "cuda":
            torch.cuda.synchronize()  # then the workspace may go

    def inverse(self, a, damping):
        x, status = torch.empty_like(a), torch.zeros(1, dtype=torch.int32, device=self.device)
        self.call("invert", Inversion(a.data_ptr(), x.data_ptr(), status.data_ptr(), None, 1, damping, a.shape[0], 1, 0))
        return x if status.item() == 0 else torch.full_like(x, torch.inf)

    def moment(self, x):
        rows, n = x.shape
        m = torch.empty(n, n, device=self.device)
        request = Rows(x.data_ptr(), 0, 0, 1, rows, n, 1, 1, n, 1, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1)
        self.call("accumulate", Moment(request, m.data_ptr(), 1 / rows, 0))
        return m

    def precondition(self, g, w, a):
        u, inner = torch.empty_like(w), torch.empty(1, dtype=torch.float64, device=self.device)
        self.call("precondition", Step(g.data_ptr(), a.data_ptr(), w.data_ptr(), None, u.data_ptr(), None,
                                       inner.data_ptr(), 1, w.shape[0], w.shape[1], 1))
        return u


# Name, rank of the factor over n, decades over which its columns fall, damping; the largest eigenvalue is 200.
KINDS = [
    ("condition 20", 4, 0, 10.0),
    ("condition 2e3", 0.5, 0, 0.1),
    ("falling, condition 2e3", 2, 3, 0.1),
    ("falling, condition 2e4", 0.5, 2, 1e-2),
    ("falling, condition 2e5", 1, 2, 1e-3),
]


def factor(n, rank, decades, random, device):
    q = torch.randn(n, rank, generator=random, dtype=torch.float64).to(device)
    m = q * 10 ** (-decades * torch.arange(rank, device=device) / rank)
    m = m @ m.T
    return (m * (200 / torch.linalg.eigvalsh(m)[-1])).float()


def cases(kernels, random, sizes, most):
    """(verb, case, fp64 result, ours, {peer: its result})"""
    device = kernels.device
    for n in sizes:
        for name, rank, decades, damping in KINDS:
            for _ in range(max(1, min(5, most // n))):
                a = factor(n, int(rank * n + 0.5), decades, random, device)
                damped = a + damping * torch.eye(n, device=device)
                peers = {"linalg.inv": torch.linalg.inv(damped)}
                lower, info = torch.linalg.cholesky_ex(damped)
                if info.item() == 0:
                    peers["cholesky_inverse"] = torch.cholesky_inverse(lower)
                yield "inverse", f"n={n}, {name}", torch.linalg.inv(damped.double()), kernels.inverse(a, damping), peers
    for rows, n in ((512, 64), (4096, min(512, most)), (min(65536, 64 * most), 128)):
        for name, shift in (("centred", 0.0), ("not centred", 1.0)):
            x = torch.randn(rows, n, generator=random).add_(shift).to(device)
            exact = x.double().T @ x.double() / rows
            yield "moment", f"{rows} x {n}, {name}", exact, kernels.moment(x), {"matmul": x.T @ x / rows}
    for out, n in ((64, 147), (min(256, most), min(1152, most))):
        g, w, a = (torch.randn(*s, generator=random).to(device) for s in ((out, out), (out, n), (n, n)))
        exact = g.double() @ w.double() @ a.double()
        yield "precondition", f"{out} x {n}", exact, kernels.precondition(g, w, a), {"matmul": g @ w @ a}


def main():
    parser = argparse.ArgumentParser(description="Errors of libkfac_cuda beside those of PyTorch in fp32.")
    parser.add_argument("library")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--sizes", type=lambda text: [int(n) for n in text.split(",")],
                        default=[16, 32, 64, 100, 128, 200, 256, 512, 1024, 2304])
    parser.add_argument("--most", type=int, default=4096, help="the largest extent of other operands")
    parser.add_argument("--minutes", type=float, default=0, help="begin no other case after so many; 0 for no limit")
    parser.add_argument("--out", help="file for the errors, JSON")
    args = parser.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    random = torch.Generator().manual_seed(1)
    start, rows, logs = time.time(), [], {}

    def error(x, exact):
        return (torch.linalg.norm(x.double() - exact) / torch.linalg.norm(exact)).item()

    for verb, case, exact, ours, peers in cases(Kernels(args.library, args.device), random, args.sizes, args.most):
        errors = {peer: error(x, exact) for peer, x in peers.items()}
        row = {"verb": verb, "case": case, "ours": error(ours, exact), "peers": errors}
        rows.append(row)
        for peer, e in errors.items():
            logs.setdefault(f"{verb} beside {peer}", []).append(row["ours"] / e)
        print(f"{verb:13} {case:32} ours {row['ours']:.2e}  "
              + "  ".join(f"{peer} {e:.2e}" for peer, e in errors.items()), flush=True)
        if args.minutes and time.time() - start > 60 * args.minutes:
            print("time is up: the rest is left out")
            break
    means = {name: torch.tensor(ratios).log().mean().exp().item() for name, ratios in logs.items()}
    for name, mean in means.items():
        print(f"{name}: {mean:.2f} times its error on average, {len(logs[name])} cases{'' if mean <= 1 else '  WORSE'}")
    if args.out:
        with open(args.out, "w") as file:
            json.dump({"torch": torch.__version__, "device": args.device, "means": means, "cases": rows}, file, indent=1)
    sys.exit(any(mean > 1 for mean in means.values()))


if __name__ == "__main__":
    main()
