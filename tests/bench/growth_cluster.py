"""How submit, collect, plan and the start of a worker grow with the runs of a study.

What is measured is petlab itself, a process a step, on a data set of 96 images and a backbone of two layers
a tower, so that neither decides. Half of each study gets results (made up: nothing is trained), some of
them published, the others in the store. The commands of Slurm are stand-ins that answer at once.
"""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

RUNS = (100, 1000, 5000, 10_000, 20_000)
SEEDS = 10  # of a row: more runs are more rows
PUBLISHED = 500  # results that are collected at most
KINDS = (("coop", "joint"), ("coop", "per-task"), ("vpt-deep", "joint"), ("vpt-deep", "per-task"))
ARRAY = 1001  # Slurm's default for the most tasks of an array

# Names of the curves. Without commas: they are a column of a CSV.
SUBMIT, DRY_RUN = "cluster: submit", "cluster: submit --dry-run (half is done)"
COLLECT, PLAN = "cluster: collect one result", "cluster: plan (half is done)"
WORKER = "cluster: a worker finds its order"


def write_study(file, runs):
    """Rows that differ in method, sharing and learning rate, 10 seeds each."""
    text = (f"[study]\nname = growth\nseeds = 1-{SEEDS}\n"
            "[dataset]\nname = folder\nroot = images\ntrain-fraction = 0.4\n"
            "[backbone]\ndir = clip\n[train]\nepochs = 10\nbatch = 2\n")
    for row in range(runs // SEEDS):
        method, sharing = KINDS[row % len(KINDS)]
        text += (f"[row.{method}-{row}]\nmethod = {method}\nsharing = {sharing}\n"
                 f"learning-rate = {(row + 1) / 1e5:.5f}\n")
    file.write_text(text)


def write_slurm(folder):
    """Stand-ins for the commands that petlab calls; what squeue says is the file `queue`."""
    folder.mkdir()
    (folder / "queue").write_text("")
    for name, line in (("sbatch", "echo $$"), ("scontrol", f'echo "MaxArraySize = {ARRAY}"'),
                       ("squeue", f'exec cat "{folder}/queue"')):
        (folder / name).write_text(f"#!/bin/sh\n{line}\n")
        (folder / name).chmod(0o755)


def write_queue(slurm, jobs, first, runs):
    """The tasks from the first on wait: an order each, in the arrays that were submitted."""
    arrays = [line.split()[0] for line in (jobs / "state/arrays").read_text().splitlines()]
    (slurm / "queue").write_text("".join(
        f"{arrays[task // ARRAY]}_{task % ARRAY}|PENDING||N/A|Priority\n" for task in range(first, runs)))


class Cluster:
    """petlab in a folder of its own, and what its steps cost."""

    def __init__(self, binaries, folder, data):
        self.binaries, self.folder, self.data = binaries, folder, data
        self.slurm = folder / "slurm"
        write_slurm(self.slurm)
        self.environment = {**os.environ, "PATH": f"{self.slurm}:{os.environ['PATH']}"}

    def tool(self, *arguments):
        # What is only there to be measured later need not wait for a disk.
        memory = Path("/dev/shm")
        environment = {**os.environ, **({"TMPDIR": str(memory)} if memory.is_dir() else {})}
        return subprocess.run([self.binaries / "growth_cluster", *map(str, arguments)], check=True, text=True,
                              stdout=subprocess.PIPE, env=environment).stdout

    def write(self, curve, x, seconds, memory, processor):
        print(f"  {curve:<40} {x:7d} {seconds:9.4f} s {processor:9.4f} s of the processor"
              + (f", {memory / 1e6:.0f} MB" if memory else ""), flush=True)
        with open(self.data, "a") as file:
            file.write(f"{curve},{x},{seconds},{memory},{processor}\n")

    def petlab(self, curve, x, expected, *arguments, times=1):
        """One call, measured. What it prints has to say what was expected: else something else was measured."""
        printed = self.folder / "printed"
        with open(printed, "w") as out:
            start = time.perf_counter()
            process = subprocess.Popen([self.binaries / "petlab", *map(str, arguments)], cwd=self.folder,
                                       env=self.environment, stdout=out, stderr=subprocess.STDOUT)
            _, status, use = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        text = printed.read_text()
        if process.returncode != 0 or expected not in text:
            raise RuntimeError(f"petlab {arguments[0]} ended with {process.returncode} and did not say "
                               f"'{expected}':\n{text[-2000:]}")
        self.write(curve, x, seconds / times, use.ru_maxrss * 1024, (use.ru_utime + use.ru_stime) / times)

    def measure(self, runs):
        half = runs // 2
        published = min(half, PUBLISHED)
        write_study(self.folder / "study.ini", runs)
        (self.slurm / "queue").write_text("")
        study = ("study.ini", "--store", "a.sqlite", "--cache-dir", "cache", "--threads", "1")
        jobs = self.folder / "a.sqlite.jobs/1"
        self.petlab(SUBMIT, runs, f"{runs} runs in {runs} tasks", "submit", *study)
        self.tool("record", jobs, published, half, self.folder / "a.sqlite")
        self.tool("publish", jobs, published)
        seconds, processor = map(float, self.tool("find-order", jobs).split())
        self.petlab(COLLECT, runs, f"{published} runs added", "collect", "--store", "a.sqlite", times=published)
        self.petlab(DRY_RUN, runs, f"{half} done, 0 failed before, 0 queued or running, {runs - half} to submit",
                    "submit", *study, "--dry-run")
        write_queue(self.slurm, jobs, half, runs)
        self.petlab(PLAN, runs, f"{runs} runs: {half} done, 0 failed, 0 running, {runs - half} queued",
                    "plan", *study)
        self.write(WORKER, runs, seconds, 0, processor)
        for left in self.folder.glob("a.sqlite*"):
            shutil.rmtree(left) if left.is_dir() else left.unlink()


def measure(binaries, data, most_runs):
    """Appends the curves for studies of at most so many runs to the file."""
    with tempfile.TemporaryDirectory(prefix="petlab-growth-") as folder:
        cluster = Cluster(binaries, Path(folder), data)
        cluster.tool("world", folder)
        for runs in (n for n in RUNS if n <= most_runs):
            cluster.measure(runs)
