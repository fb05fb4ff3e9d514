"""The headline workloads: libkfac_cuda beside the strongest ways to do them in PyTorch, all in one process on the same
tensors, each replayed as a CUDA graph where it can be captured; and what the GPU can do at most.

    python headline.py LIBKFAC_CUDA.so --out headline.json [--part ours|peers] [--minutes 3] [--device cpu --tiny]

Results are written after every measurement; a second run with the other part adds to them. Times are medians in seconds.
"""

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path

import torch

import headline_cases
from kernels import Kernels


class Clock:
    """Seconds of a function: of a graph's replays, or of plain calls where it cannot be captured."""

    def __init__(self, device, budget):
        self.device, self.budget = device, budget

    def seconds(self, function):
        """Median, how it was measured, and the number of samples."""
        if self.device != "cuda":
            start = time.perf_counter()
            function()
            return time.perf_counter() - start, "host", 1
        if hasattr(function, "timed"):  # has graphs and events of its own
            first = function.timed()
            count = max(3, min(50, int(self.budget / first)))
            return statistics.median(function.timed() for _ in range(count)), "own graph", count
        how, run = "graph", None
        try:
            run = self.graph(function)
        except RuntimeError as e:
            torch.cuda.synchronize()
            how, run = f"calls ({str(e).splitlines()[0][:80]})", function
        first = self.once(run)
        count = max(3, min(50, int(self.budget / max(first, 1e-6))))
        return statistics.median(self.once(run) for _ in range(count)), how, count

    def graph(self, function):
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):  # what loads kernels and makes handles
            function()
        side.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=side, capture_error_mode="thread_local"):
            function()
        self.kept = graph
        return graph.replay

    @staticmethod
    def once(run):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        run()
        end.record()
        end.synchronize()
        return begin.elapsed_time(end) * 1e-3


class Results:
    def __init__(self, path):
        self.path = Path(path)
        self.all = json.loads(self.path.read_text()) if self.path.exists() else {"cases": {}}
        device = torch.cuda.get_device_properties(0).name if torch.cuda.is_available() else "cpu"
        self.all.update(torch=torch.__version__, device=device, commit=os.environ.get("KFAC_COMMIT"))

    def has(self, case, method):
        return method in self.all["cases"].get(case, {})

    def put(self, case, method, **values):
        self.all["cases"].setdefault(case, {})[method] = values
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(self.all, indent=1) + "\n")
        os.replace(new, self.path)


def measure(results, clock, case, method, function, error, work):
    """error(): of what the last call gave; work: floating-point operations or bytes, by unit."""
    if results.has(case, method):
        return
    try:
        seconds, how, count = clock.seconds(function)
        values = {"seconds": seconds, "measured": how, "samples": count}
        values.update({unit: amount / seconds for unit, amount in work.items()})
        if error:
            values["error"] = error()
    except (RuntimeError, AttributeError) as e:  # of this method alone, unless CUDA is gone
        values = {"failed": f"{type(e).__name__}: {e}"[:300]}
    results.put(case, method, **values)
    shown = f"{values['seconds'] * 1e3:10.4f} ms" if "seconds" in values else values["failed"][:100]
    wrong = f"  error {values['error']:.1e}" if "error" in values else ""
    print(f"{case:34} {method:42} {shown}{wrong}", flush=True)


def main():
    parser = argparse.ArgumentParser(description="The headline workloads beside PyTorch.")
    parser.add_argument("library")
    parser.add_argument("--out", required=True)
    parser.add_argument("--part", choices=["ours", "peers"], action="append", help="default: both")
    parser.add_argument("--minutes", type=float, default=0, help="begin nothing after so many; 0 for no limit")
    parser.add_argument("--budget", type=float, default=0.3, help="seconds of samples for each measurement")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--tiny", action="store_true", help="tiny cases, to try this script")
    parser.add_argument("--only", help="only cases whose name contains this")
    args = parser.parse_args()
    start = time.time()
    parts = args.part or ["ours", "peers"]
    results, clock = Results(args.out), Clock(args.device, args.budget)
    kernels = Kernels(args.library, args.device)
    outcome = 0
    for case in headline_cases.cases(kernels, args.tiny):
        if args.only and args.only not in case.name:
            continue
        if args.device == "cuda":
            torch.cuda.empty_cache()
        made = None
        for part, method in [(p, m) for p in ("ceiling", "ours", "peers") for m in case.methods.get(p, ())]:
            if part not in parts and not (part == "ceiling" and "ours" in parts) or results.has(case.name, method.name):
                continue
            if args.minutes and time.time() - start > 60 * args.minutes:
                print("time is up: the rest is left out")
                sys.exit(outcome)
            made = case.inputs() if made is None else made
            torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = method.tf32
            try:
                function, error = method.prepare(made)
            except (RuntimeError, OSError) as e:
                results.put(case.name, method.name, failed=f"{type(e).__name__}: {e}"[:300])
                continue
            measure(results, clock, case.name, method.name, function, error, case.work)
            if part == "ours" and "failed" in results.all["cases"][case.name][method.name]:
                outcome = 1
            del function, error
            clock.kept = None
        del made
    sys.exit(outcome)


if __name__ == "__main__":
    main()
