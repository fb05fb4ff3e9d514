"""libkfac_cuda on tensors of PyTorch, in the current stream: the structs of native/include/kfac_cuda.h by position."""

import ctypes
from ctypes import c_double, c_float, c_int, c_longlong, c_void_p

import torch

F32, BF16 = 0, 1


def structure(name, fields):
    return type(name, (ctypes.Structure,), {"_fields_": fields})


def fields(kind, names):
    return [(name, kind) for name in names.split()]


Samples = structure("Samples", [("data", c_void_p)] + fields(c_int, "dtype bias groups") + fields(
    c_longlong, "batch channels height width batch_stride channel_stride y_stride x_stride") + fields(
    c_int, "ky kx sy sx py px dy dx"))
Patches = structure("Patches", [("samples", Samples), ("out", c_void_p)])
Moment = structure("Moment", [("samples", Samples), ("moment", c_void_p), ("alpha", c_float), ("beta", c_float)])
Inversion = structure("Inversion", fields(c_void_p, "matrix inverse status dampings") + fields(
    c_float, "scale damping") + fields(c_int, "n count algorithm"))
Step = structure("Step", fields(c_void_p, "g a weight bias weight_result bias_result inner") + fields(
    c_int, "groups out in_") + [("scale", c_float)])


def samples(x, kernel=1, stride=1, padding=0, bias=0):
    """Of [rows, n], or of the patches of an NCHW image, whichever way it lies in memory."""
    if x.dim() == 2:
        x = x[:, :, None, None]
    strides = [s if size > 1 else 0 for s, size in zip(x.stride(), x.shape)]
    dtype = BF16 if x.dtype == torch.bfloat16 else F32
    return Samples(x.data_ptr(), dtype, bias, 1, *x.shape, *strides, kernel, kernel, stride, stride, padding, padding, 1, 1)


class Call:
    """A verb on its requests, with a workspace of its own; keeps its results, but not what it reads."""

    def __init__(self, library, verb, requests, device, kept):
        self.requests = (type(requests[0]) * len(requests))(*requests)
        self.device, self.kept = device, kept
        # patches are not products: they have no argument for the math
        math = () if verb == "patches" else (0,)
        query = getattr(library, f"kfac_{verb}_workspace")
        query.restype = c_longlong
        size = query(self.requests, len(requests), *math)
        if size < 0:
            raise RuntimeError(f"kfac_{verb}_workspace: status {size}")
        self.workspace = torch.empty(size + 256, dtype=torch.uint8, device=device)
        at = (self.workspace.data_ptr() + 255) // 256 * 256
        self.function = getattr(library, f"kfac_{verb}")
        self.arguments = (self.requests, len(requests), *math, c_void_p(at), c_longlong(size))

    def __call__(self):
        stream = torch.cuda.current_stream().cuda_stream if self.device == "cuda" else 0
        if code := self.function(*self.arguments, c_void_p(stream)):
            raise RuntimeError(f"{self.function.__name__}: status {code}")


class Kernels:
    def __init__(self, library, device):
        self.library, self.device = ctypes.CDLL(library), device

    def call(self, verb, requests, *kept):
        return Call(self.library, verb, requests, self.device, kept)

    def moments(self, inputs):
        """inputs: pairs of samples and number of examples. Gives the call and its results."""
        out = []
        for s, _ in inputs:
            n = s.channels * s.ky * s.kx + s.bias
            out.append(torch.empty(n, n, device=self.device))
        return self.call("accumulate", [
            Moment(s, m.data_ptr(), 1 / count, 0) for (s, count), m in zip(inputs, out)], out), out

    def inverses(self, stacks, damping):
        """Infinite where one was refused."""
        out = [torch.full_like(a, torch.inf) for a in stacks]
        status = [torch.zeros(a.shape[0], dtype=torch.int32, device=self.device) for a in stacks]
        call = self.call("invert", [
            Inversion(a.data_ptr(), x.data_ptr(), s.data_ptr(), None, 1, damping, a.shape[1], a.shape[0], 0)
            for a, x, s in zip(stacks, out, status)], out, status)
        return call, out

    def preconditioned(self, layers):
        """layers: (G^-1, dW, A^-1)."""
        out = [torch.empty_like(w) for _, w, _ in layers]
        inners = torch.empty(len(layers), dtype=torch.float64, device=self.device)
        call = self.call("precondition", [
            Step(g.data_ptr(), a.data_ptr(), w.data_ptr(), None, u.data_ptr(), None, inners.data_ptr() + 8 * i, 1,
                 *w.shape, 1) for i, ((g, w, a), u) in enumerate(zip(layers, out))], out, inners)
        return call, out

    def patches(self, s, rows):
        out = torch.empty(rows, s.channels * s.ky * s.kx + s.bias, device=self.device)
        return self.call("patches", [Patches(s, out.data_ptr())], out), [out]
