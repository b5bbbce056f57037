"""The sides of the benchmark as processes that work when they are told to."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import torch
from safetensors.torch import load_file

HERE = Path(__file__).resolve().parent
PEER = HERE / "peers" / "peer.py"


class Side:
    """A process that takes the commands of bench_step.cpp and answers each with a line of JSON."""

    def __init__(self, name, command, environment=None):
        self.name = name
        self.peak_bytes = 0
        self.process = subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True,
                                        env=dict(os.environ, **(environment or {})))
        self._ready = None

    @property
    def ready(self):
        """What it says of itself. Sides that are started together load together."""
        if self._ready is None:
            self._ready = self.read()
        return self._ready

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended (code {self.process.wait()}) without an answer")
        return json.loads(line)

    def ask(self, *words):
        self.ready  # the first line is not an answer
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        answer = self.read()
        self.peak_bytes = max(self.peak_bytes, answer.get("peak_bytes", 0))
        return answer

    def quit(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait()


def petlab(program, file):
    return Side("petlab", [program, file])


def peer(kind, file, cache):
    # What is compiled is kept, so that only the first benchmark on a machine waits for it.
    return Side(kind, [sys.executable, PEER, file, kind], {"TORCHINDUCTOR_CACHE_DIR": str(cache / "inductor")})


def change_apart(start, ours, theirs):
    """How far apart the first step moved the parameters on two sides: the norm of the difference as
    a share of the norm of the step, over all of them. None where nothing moved."""
    begin, ours, theirs = (load_file(file) for file in (start, ours, theirs))
    difference = way = 0.0
    for name, moved in theirs.items():
        # Adding a constant to all keys changes no attention: the gradient is rounding, and AdamW's
        # first step makes as much of it as of any other.
        if name not in ours or name.endswith("k_proj.bias"):
            continue
        difference += (ours[name] - moved).double().square().sum().item()
        way += (moved - begin[name]).double().square().sum().item()
    return (difference / way) ** 0.5 if way > 0 else None


class MatrixPeak:
    """The most FLOP/s that torch.mm reached on this machine so far, in each precision that a work
    asked for: without AVX-512, LibTorch's products in bf16 take minutes."""

    def __init__(self, threads, sizes=(2048, 4096)):
        torch.set_num_threads(threads)
        self.best = {}
        self.matrices = {name: [torch.randn(n, n).to(kind) for n in sizes]
                         for name, kind in (("fp32", torch.float32), ("bf16", torch.bfloat16))}

    def measure(self, precision, turns=2):
        for matrix in self.matrices[precision]:
            for _ in range(turns):
                start = time.perf_counter()
                torch.mm(matrix, matrix)
                seconds = time.perf_counter() - start
                self.best[precision] = max(self.best.get(precision, 0.0), 2 * len(matrix) ** 3 / seconds)
