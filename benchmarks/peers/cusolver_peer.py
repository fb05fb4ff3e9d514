"""cuSOLVER itself, potrf and potri, the matrices spread over streams and all of it in one captured graph: as fast as
the library gets without Python or a framework in the way. Inverses only, and only one triangle of each."""

import ctypes
import os
import sys
from ctypes import byref, c_float, c_int, c_size_t, c_uint, c_ulonglong, c_void_p

import numpy as np

import common

STREAMS = 16
MOST = 1000  # matrices in the graph; of more only so many are done
LOWER, TO_DEVICE, TO_HOST, ON_DEVICE, THREAD_LOCAL, NO_TIMING = 0, 1, 2, 3, 1, 2


def load(name):
    """A shared library of CUDA, from the folder CUDA_LIB if that is set."""
    return ctypes.CDLL(os.path.join(os.environ.get("CUDA_LIB", ""), name), mode=ctypes.RTLD_GLOBAL)


class Library:
    """The functions of a shared library; those that return a code are checked."""

    def __init__(self, name):
        self.library = load(name)

    def __getattr__(self, function):
        call = getattr(self.library, function)

        def checked(*arguments):
            code = call(*arguments)
            if code:
                raise RuntimeError(f"{function}: error {code}")

        return checked


class GraphTask(common.Task):
    def __init__(self, peer, sources, share):
        self.cuda, self.solver = peer.cuda, peer.solver
        self.sizes, self.share = [a.shape[0] for a in sources], share
        self.sources = [self.memory(a.nbytes) for a in sources]
        self.work = [self.memory(a.nbytes) for a in sources]
        for a, at in zip(sources, self.sources):
            self.cuda.cudaMemcpy(at, a.ctypes.data_as(c_void_p), c_size_t(a.nbytes), TO_DEVICE)
        self.info = self.memory(4 * len(sources))
        self.streams = [self.new(self.cuda.cudaStreamCreate) for _ in range(min(STREAMS, len(sources)))]
        self.ends = [self.event() for _ in self.streams]
        self.start = self.event()
        self.handles = [self.new(self.solver.cusolverDnCreate) for _ in self.streams]
        for handle, stream in zip(self.handles, self.streams):
            self.solver.cusolverDnSetStream(handle, stream)
        self.elements = self.scratch_elements()
        self.scratch = [self.memory(4 * self.elements) for _ in self.streams]
        self.enqueue()  # once outside of a graph: the library loads its kernels and takes its own memory
        self.cuda.cudaDeviceSynchronize()
        try:
            self.graph = self.capture()
        except RuntimeError as e:
            print(f"cusolver: {e}; timed over streams without a graph", file=sys.stderr)
            self.graph = None

    def new(self, create, *more):
        made = c_void_p()
        create(byref(made), *more)
        return made

    def event(self):
        return self.new(self.cuda.cudaEventCreateWithFlags, c_uint(NO_TIMING))

    def memory(self, size):
        return self.new(self.cuda.cudaMalloc, c_size_t(size))

    def scratch_elements(self):
        most = 1
        for n in set(self.sizes):
            for query in (self.solver.cusolverDnSpotrf_bufferSize, self.solver.cusolverDnSpotri_bufferSize):
                size = c_int()
                query(self.handles[0], LOWER, n, self.work[0], n, byref(size))
                most = max(most, size.value)
        return most

    def enqueue(self):
        cuda, first = self.cuda, self.streams[0]
        cuda.cudaEventRecord(self.start, first)
        for stream in self.streams[1:]:
            cuda.cudaStreamWaitEvent(stream, self.start, c_uint(0))
        for i, n in enumerate(self.sizes):
            k = i % len(self.streams)
            a, info = self.work[i], c_void_p(self.info.value + 4 * i)
            cuda.cudaMemcpyAsync(a, self.sources[i], c_size_t(4 * n * n), ON_DEVICE, self.streams[k])
            end = (self.scratch[k], self.elements, info)
            self.solver.cusolverDnSpotrf(self.handles[k], LOWER, n, a, n, *end)
            self.solver.cusolverDnSpotri(self.handles[k], LOWER, n, a, n, *end)
        for stream, end in zip(self.streams[1:], self.ends[1:]):
            cuda.cudaEventRecord(end, stream)
            cuda.cudaStreamWaitEvent(first, end, c_uint(0))

    def capture(self):
        first = self.streams[0]
        self.cuda.cudaStreamBeginCapture(first, THREAD_LOCAL)
        graph = c_void_p()
        try:
            self.enqueue()
        except RuntimeError:  # what the library does in there cannot be captured
            self.cuda.library.cudaStreamEndCapture(first, byref(graph))
            self.cuda.library.cudaGetLastError()
            raise
        self.cuda.cudaStreamEndCapture(first, byref(graph))
        return self.new(self.cuda.cudaGraphInstantiate, graph, c_ulonglong(0))

    def run(self):
        self.seconds(1)

    def seconds(self, calls):
        begin, end = (self.new(self.cuda.cudaEventCreate) for _ in range(2))
        self.cuda.cudaEventRecord(begin, self.streams[0])
        for _ in range(calls):
            if self.graph is None:
                self.enqueue()
            else:
                self.cuda.cudaGraphLaunch(self.graph, self.streams[0])
        self.cuda.cudaEventRecord(end, self.streams[0])
        self.cuda.cudaEventSynchronize(end)
        milliseconds = c_float()
        self.cuda.cudaEventElapsedTime(byref(milliseconds), begin, end)
        self.cuda.cudaEventDestroy(begin)
        self.cuda.cudaEventDestroy(end)
        return milliseconds.value * 1e-3

    def result(self, index):
        n = self.sizes[index]
        a = np.empty((n, n), np.float32)
        self.cuda.cudaMemcpy(a.ctypes.data_as(c_void_p), self.work[index], c_size_t(a.nbytes), TO_HOST)
        upper = np.triu(a)  # column-major there: its lower triangle
        return upper + np.triu(a, 1).T

    def __del__(self):
        for memory in (*self.sources, *self.work, *self.scratch, self.info):
            self.cuda.cudaFree(memory)


class CusolverPeer:
    name = "cusolver graph"

    def __init__(self, device, threads, method):
        if device != "cuda":
            raise SystemExit("cuSOLVER runs on a GPU only: use --device cuda")
        self.cuda = Library("libcudart.so.13")
        for needed in ("libnvJitLink.so.13", "libcublasLt.so.13", "libcublas.so.13", "libcusparse.so.12"):
            try:
                load(needed)  # then cuSOLVER finds it, wherever it lies
            except OSError:
                pass  # it may not need it
        self.solver = Library("libcusolver.so.12")
        version = c_int()
        self.solver.cusolverGetVersion(byref(version))
        self.version = str(version.value)

    def prepare(self, case, networks, seed):
        if case["verb"] != "inverse":
            return None
        sizes = common.sizes(case, networks)
        damping = np.float32(common.DAMPING)
        sources = [
            common.factor(seed, k, n) + damping * np.eye(n, dtype=np.float32)
            for k, n in enumerate(sizes[:MOST])
        ]
        return GraphTask(self, sources, len(sources) / len(sizes))


if __name__ == "__main__":
    common.main(CusolverPeer)
