"""The works of the benchmark: what one measured unit is, how often it is measured, and the goals."""

import math
from dataclasses import dataclass

from inputs import CLASSES, TASKS

OFFICE_HOME = {"Art": 2427, "Clipart": 4365, "Product": 4439, "Real World": 4357}
TEN_PERCENT = {name: round(0.1 * n) for name, n in OFFICE_HOME.items()}
TEST_IMAGES = 14028
EPOCHS = 10

# As the methods' own publications train them; harness/plugins have the same defaults.
SGD = dict(optimizer="sgd", weight_decay=5e-4, momentum=0.9)
TRAINING = {
    "mmap": dict(SGD, learning_rate=0.0035),
    "maple": dict(SGD, learning_rate=0.0035),
    "coop": dict(SGD, learning_rate=0.002),
    "lora": dict(optimizer="adamw", learning_rate=2e-4, weight_decay=1e-2, momentum=0.0),
    "vpt-deep": dict(SGD, learning_rate=0.0025),
    "full-fine-tuning": dict(optimizer="adamw", learning_rate=1e-5, weight_decay=0.1, momentum=0.0),
}


# The peers have MmAP without words at its start, of rank 1: as much work for each side.
MMAP_OF_THE_PEERS = {"preset": "rank-1", "init": ""}


@dataclass
class Work:
    name: str
    title: str
    method: str
    sharing: str = "per-task"
    tasks: int = 4
    batch: int = 4
    precision: str = "fp32"
    phase: str = "train"
    rounds: int = 3
    units: int = 1  # steps, or test images, a side does in one round
    goals: tuple = ()  # against the published way, against the strong peer
    memory_goals: tuple = ()
    peak_goal: float = 0.0  # share of the machine's matrix-multiply peak
    partition: tuple = ()
    options: tuple = ()  # of the method: (name, value)

    def spec(self, threads, model, pictures, folder, tiny):
        groups = ",".join("+".join(TASKS[t] for t in group) for group in self.partition)
        return dict(
            TRAINING[self.method], name=self.name, method=self.method, sharing=self.sharing, phase=self.phase,
            tasks=TASKS[: self.tasks], classes=CLASSES, batch=self.batch, precision=self.precision,
            options=self.options_for(tiny),
            partition=[list(group) for group in self.partition], groups=groups,
            epochs=1000000 if self.phase == "train" else 0, test_images=100000, threads=threads,
            model=str(model), pictures=str(pictures), start=str(folder / f"{self.name}.start.safetensors"),
            cache=str(folder / "cache"),
            save_limit=600_000 if self.method == "full-fine-tuning" else 1 << 40)

    def options_for(self, tiny):
        """The tiny CLIP has two layers."""
        if tiny and self.method == "maple":
            return {"depth": "2"}
        if self.method == "mmap":
            return MMAP_OF_THE_PEERS
        return {name: "1" if tiny and name == "layers" else value for name, value in self.options}


STEP = "training step, batch 4 of each of 4 tasks, "
ALONE = STEP + "an adapter each"
JOINT = STEP + "one adapter"
WORKS = [
    Work("mmap", "MmAP " + ALONE + ", fp32", "mmap", goals=(6, 1.5), memory_goals=(0.35, 0.8)),
    Work("maple", "MaPLe " + ALONE + ", fp32", "maple", goals=(6, 1.5), rounds=2),
    Work("mmap-joint", "MmAP " + JOINT + ", fp32", "mmap", "joint", rounds=2),
    Work("maple-joint", "MaPLe " + JOINT + ", fp32", "maple", "joint", rounds=2),
    Work("mmap-bf16", "MmAP " + ALONE + ", bf16", "mmap", precision="bf16", goals=(6, 1.5)),
    Work("maple-bf16", "MaPLe " + ALONE + ", bf16", "maple", precision="bf16", goals=(6, 1.5)),
    Work("coop", f"CoOp, {EPOCHS} epochs of Office-Home 10 % ({sum(TEN_PERCENT.values()):,} pictures), "
         "batch 32, fp32", "coop", batch=32, goals=(50, 1.5), rounds=2),
    Work("vpt", "VPT-deep training step, batch 16, fp32", "vpt-deep", "joint", tasks=1, batch=16, rounds=5,
         goals=(1.3, 1.1), peak_goal=0.75),
    Work("lora-top", "LoRA in the upper 3 blocks of both towers, training step, batch 16, fp32", "lora", "joint",
         tasks=1, batch=16, options=(("layers", "top3"), ("dropout", "0"))),
    Work("full", "full fine-tuning step, batch 16, fp32", "full-fine-tuning", "joint", tasks=1, batch=16,
         goals=(1.1, 1.0)),
    Work("evaluate", f"evaluation, {TEST_IMAGES:,} images, MmAP prompts in both towers, fp32", "mmap",
         phase="evaluate", units=128, goals=(1.5, 1.1), rounds=2),
    Work("groups", "MmAP in grouped+specific over 4 tasks: one mixed batch against a loop over tasks, fp32", "mmap",
         "grouped+specific", partition=((0, 1), (2, 3)), goals=(2, 1.5), rounds=2),
    Work("study", "embedded ablation study, one seed, all cores, wall time", "study", goals=(8, 2)),
]


def coop_rounds(work):
    """How often all tasks take a step in CoOp's epochs. The domains differ in size: their batches
    together, as so many steps of all of them."""
    return sum(math.ceil(n / work.batch) for n in TEN_PERCENT.values()) * EPOCHS / work.tasks
