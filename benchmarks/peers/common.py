"""What all peers share: cases, inputs, timing, results. Needs numpy."""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
DAMPING = 1.0  # of the verb "inverse"
NETWORK_DAMPING = 0.03  # of the verb "step"
RANK = 16
GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def load():
    """The file of cases: {"networks": ..., "cases": [...]}."""
    return json.loads((HERE.parent / "cases.json").read_text())


def _mix(z):
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def uniform(seed, stream, *shape):
    """fp32 in [-1, 1), bit for bit what the Java class Inputs makes."""
    with np.errstate(over="ignore"):
        base = _mix(np.uint64(seed) + GOLDEN * np.uint64(stream + 1))
        index = np.arange(1, int(np.prod(shape)) + 1, dtype=np.uint64)
        bits = _mix(base + GOLDEN * index) >> np.uint64(40)
    return (bits.astype(np.float32) * np.float32(2.0**-23) - np.float32(1)).reshape(shape)


def factor(seed, stream, n):
    """[n, n]: the second moment, near 1, of a few samples; it has to be damped."""
    x = uniform(seed, stream, RANK, n)
    return np.float32(3 / RANK) * (x.T @ x)


def sizes(case, networks):
    """The sizes of the matrices of the verb "inverse"."""
    if case.get("network") is None:
        return [case["n"]] * case["count"]
    result = []
    for layer in networks[case["network"]]:
        result += [layer["in"] * layer.get("kernel", 1) ** 2 + layer["bias"], layer["out"]]
    return result


def output_size(layer):
    return (layer["size"] + 2 * layer["padding"] - layer["kernel"]) // layer["stride"] + 1


def layer_inputs(seed, index, layer, batch):
    """Input and gradient at the output of a network's layer, as [N, C, H, W] or [N, C]."""
    if layer["type"] == "conv2d":
        o = output_size(layer)
        a = uniform(seed, 4 * index, batch, layer["in"], layer["size"], layer["size"])
        g = uniform(seed, 4 * index + 1, batch, layer["out"], o, o)
    else:
        a = uniform(seed, 4 * index, batch, layer["in"])
        g = uniform(seed, 4 * index + 1, batch, layer["out"])
    return a, g


class Task:
    """A case made ready. Peers override what is needed."""

    share = 1.0  # how much of the case one run does
    checkable = True  # whether result() follows our conventions
    parts = {}  # seconds by verb of the last run

    def run(self):
        """Does it once, complete when it returns."""
        raise NotImplementedError

    def result(self, index):
        """One matrix of the result as an array of numpy."""
        raise NotImplementedError

    def seconds(self, calls):
        start = time.perf_counter()
        for _ in range(calls):
            self.run()
        return time.perf_counter() - start


def sample(task, samples):
    """Seconds per call of the whole case, after calls that warm up."""
    total, calls = 0.0, 1
    while total < 0.3:
        taken = task.seconds(calls)
        total, last, calls = total + taken, taken / calls, calls * 2
    calls = max(1, int(np.ceil(0.05 / last)))
    return [task.seconds(calls) / calls / task.share for _ in range(samples)]


def serve(peer):
    """Answers the Java command, which measures this process in turn with its own: JSON lines."""
    case_task = None
    networks = load()["networks"]
    for line in sys.stdin:
        request = json.loads(line)
        op = request["op"]
        answer = {}
        try:
            if op == "hello":
                answer = {"name": peer.name, "version": peer.version}
            elif op == "prepare":
                case_task = peer.prepare(request["case"], networks, request["seed"])
                answer = {"able": case_task is not None}
                if case_task is not None:
                    answer.update(share=case_task.share, checkable=case_task.checkable)
            elif op == "run":
                answer = {"seconds": case_task.seconds(request["calls"]), "parts": case_task.parts}
            elif op == "result":
                matrix = np.ascontiguousarray(case_task.result(request["index"]), np.float32)
                matrix.tofile(request["file"])
            elif op == "release":
                case_task = None
            else:
                answer = {"error": f"unknown operation {op}"}
        except Exception as e:  # the other side tells the user
            answer = {"error": f"{type(e).__name__}: {e}"}
        print(json.dumps(answer), flush=True)


def machine():
    def first(path, key):
        for line in Path(path).read_text().splitlines():
            if line.startswith(key):
                return line.split(":", 1)[1].strip()
        return ""

    def query(field):
        command = ["nvidia-smi", f"--query-gpu={field}", "--format=csv,noheader"]
        try:
            return subprocess.run(command, capture_output=True, text=True).stdout.strip() or None
        except OSError:
            return None

    flags = first("/proc/cpuinfo", "flags").split()
    vectors = ", AVX-512" if "avx512f" in flags else ", AVX2" if "avx2" in flags else ""
    return {
        "cpu": first("/proc/cpuinfo", "model name") + vectors,
        "cores": len(os.sched_getaffinity(0)),
        "memoryInBytes": int(first("/proc/meminfo", "MemTotal").split()[0]) * 1024,
        "os": f"{platform.system()} {platform.machine()}",
        "gpu": query("name"),
        "driver": query("driver_version"),
    }


def commit():
    if "KFAC_COMMIT" in os.environ:  # outside a checkout
        return os.environ["KFAC_COMMIT"]
    command = ["git", "-C", str(HERE), "describe", "--always", "--dirty", "--exclude=*"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip() or None


def main(make_peer, methods=("default",)):
    """Measures one peer alone, or serves. make_peer(device, threads, method) gives an object with
    name, version and prepare(case, networks, seed), which returns a Task or None."""
    parser = argparse.ArgumentParser(description="Measures this peer on the cases of cases.json.")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--method", choices=methods, default=methods[0])
    parser.add_argument("--verb", help="only this verb")
    parser.add_argument("--case", help="only cases whose name contains this")
    parser.add_argument("--samples", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", help="file of results to write")
    parser.add_argument("--serve", action="store_true", help="answer JSON lines, for the Java side")
    args = parser.parse_args()
    peer = make_peer(args.device, args.threads, args.method)
    if args.serve:
        serve(peer)
        return
    data = load()
    measurements = []
    for case in data["cases"]:
        if case["set"] == "tiny" or args.verb not in (None, case["verb"]):
            continue
        if args.case and args.case not in case["name"]:
            continue
        task = peer.prepare(case, data["networks"], args.seed)
        if task is None:
            continue
        seconds = sample(task, args.samples)
        print(f"{peer.name:28} {case['verb']:20} {case['name']:28} {np.median(seconds) * 1e3:12.4f} ms")
        pair = {"own": peer.name, "ownSeconds": seconds}
        if task.parts:
            pair["ownParts"] = task.parts
        measurements.append({
            "verb": case["verb"], "name": case["name"], "device": args.device, "flops": 0.0,
            "commit": commit(), "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "pairs": [pair],
        })
    if args.out:
        results = {
            "schema": 1, "command": " ".join(sys.argv), "machine": machine(),
            "versions": {peer.name: peer.version}, "threads": args.threads, "seed": args.seed,
            "gemmGflops": 0.0, "measurements": measurements,
        }
        Path(args.out).write_text(json.dumps(results, indent=2) + "\n")
