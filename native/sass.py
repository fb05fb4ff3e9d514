#!/usr/bin/env python3
"""What the machine code of the main loops costs: instructions for a warp and 32 tokens, registers, blocks of an SM.

usage: sass.py CUOBJDUMP LIBKFAC_CUDA.so|CUBIN...    exit 1 where a limit below is missed

Of each kernel with tensor instructions the loop that holds most of them, directly. cuobjdump comes with CUDA's toolkit,
and with the wheel of Triton.
"""
import collections
import os
import re
import subprocess
import sys

KINDS = {"HMMA": "HMMA", "LDSM": "LDSM", "LDGSTS": "LDGSTS", "float": "FADD FFMA FMUL FMNMX",
         "integer": "IADD3 IADD IMAD ISETP LOP3 SEL LEA SHF VIADD PLOP3 IABS I2F F2I VIADDMNMX VIMNMX UIADD3 UIMAD ULOP3 "
                    "ULEA USHF UISETP USEL",
         "global": "LDG LD STG ST LDL STL", "division": "MUFU"}
KINDS = {kind: set(opcodes.split()) for kind, opcodes in KINDS.items()}
# Most instructions for 32 tokens of the 128-tiles of the product loop: by numbers, and terms between promotions.
LIMITS = {("SplitHalves", 96): 200, ("SplitHalves", 16): 310, ("Exact16", 96): 110}
CAPACITY = {"80": 164, "90": 228}  # KB of shared memory of an SM; each block takes 1 KB more than it asks for


def output(tool, *arguments):
    path = os.path.dirname(os.path.abspath(tool)) + os.pathsep + os.environ["PATH"]
    run = subprocess.run([tool, *arguments], capture_output=True, text=True, env=dict(os.environ, PATH=path))
    if run.returncode:
        sys.exit(f"{tool}: {run.stderr.strip()}")
    return run.stdout


def functions(tool, file):
    """(architecture, name): [(address, instruction)]."""
    found, arch, now = {}, "", []
    for line in output(tool, "-sass", file).splitlines():
        if m := re.search(r"(?:arch = |EF_CUDA_|\.target\s+)sm_?(\d+)", line, re.I):
            arch = m.group(1)
        elif m := re.search(r"Function : (\S+)", line):
            now = found.setdefault((arch, m.group(1)), [])
        elif m := re.match(r"\s*/\*([0-9a-f]{4,5})\*/\s+(.*?);", line):
            now.append((int(m.group(1), 16), m.group(2)))
    return found


def opcode(text):
    return re.sub(r"^@!?U?P\w+\s+", "", text).split()[0].split(".")[0]


def main_loop(instructions):
    best, most = [], 0
    for at, text in instructions:
        m = re.search(r"BRA.*?0x([0-9a-f]+)", text)
        if not m or int(m.group(1), 16) >= at:
            continue
        body = [opcode(t) for a, t in instructions if int(m.group(1), 16) <= a <= at]
        tensor = body.count("HMMA")
        if tensor > most or tensor == most and tensor and len(body) < len(best):
            best, most = body, tensor
    return best


def describe(mangled):
    """Kernel, numbers, side, terms and tokens of a name with a Tiling."""
    m = re.search(r"(\w+?_kernel)I.*?6Tiling.*?(SplitHalves|Exact16).*?Li(\d+)ELi\d+ELi(\d+)E", mangled)
    if not m:
        return None
    kernel = re.sub(r".*\d{2}(?=[a-z])", "", m.group(1))
    where = re.search(r"(Plain|Window)", mangled)
    return kernel, m.group(2), int(m.group(3)), int(m.group(4)), where.group(1) if where else ""


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    missed, seen = [], 0
    for file in sys.argv[2:]:
        use = output(sys.argv[1], "-res-usage", file)
        registers = dict(re.findall(r"Function (\S+?):\s+REG:(\d+)", use))
        print(f"| {'sm, kernel':58} | registers | KB | blocks | all | {' | '.join(KINDS)} | other |")
        for (arch, name), instructions in sorted(functions(sys.argv[1], file).items()):
            body = main_loop(instructions)
            what = describe(name)
            if not body or not what:
                continue
            seen += 1
            kernel, numbers, side, terms, where = what
            planes = 2 if numbers == "SplitHalves" else 1
            steps = body.count("HMMA") / ((side // 32) * 4 * 2 * (3 if planes == 2 else 1))
            count = collections.Counter(body)
            sums = [sum(count[o] for o in opcodes) for opcodes in KINDS.values()]
            threads, shared = 2 * side, 3 * 32 * side * 2 * 2 * planes // 1024
            regs = int(registers[name])
            warps = threads // 32
            blocks = min(65536 // (-(-regs * 32 // 256) * 256 * warps), CAPACITY[arch[:2]] // (shared + 1), 64 // warps)
            each = len(body) / steps
            format_ = re.search(r"Exact16INS_\d+(Bfloat|Half)", name)
            title = f"{arch} {kernel} {side} {format_.group(1) if format_ else 'split'} {where}"
            rest = (len(body) - sum(sums)) / steps
            print(f"| {title:58} | {regs} | {shared} | {blocks} | {each:.0f} | "
                  f"{' | '.join(f'{s / steps:.1f}' for s in sums)} | {rest:.1f} |")
            if side == 128 and each > LIMITS[numbers, terms]:
                missed.append(f"{title}: {each:.0f} instructions, at most {LIMITS[numbers, terms]}")
            for kind in ("global", "division"):
                if sums[list(KINDS).index(kind)]:
                    missed.append(f"{title}: {kind} in the main loop")
    print("\n".join(missed or [f"{seen} main loops within their limits"]))
    sys.exit(bool(missed) or not seen)


if __name__ == "__main__":
    main()
