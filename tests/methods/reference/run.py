"""What the methods of one family must give, by their references.

    run.py FAMILY MODEL FOLDER

MODEL is a model directory; FOLDER holds one folder a case, with case.json (method, options, template
of the texts, tasks with their classes and adapters) and inputs.safetensors (`adapter.I.NAME`,
`pixels.T`, `labels.T`). FAMILY is a module beside this file with a table METHODS: name of a method
-> function (clip, task, options) -> logits [images, classes], or (logits, penalty). Each case gets
expected.safetensors: the logits of each task, the loss of a step (the sum over the tasks of their
mean cross-entropies and penalties) and its gradient with respect to every parameter.
"""

import importlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

from hooked_clip import HookedClip


@dataclass
class Task:
    """A task as a reference sees it. `adapters` holds the parameters by name of each adapter that
    the task uses: the shared or the group's first, the task's own second."""

    index: int
    name: str
    classes: list
    template: str
    pixels: torch.Tensor
    labels: torch.Tensor
    adapters: list
    users: list  # of each of these adapters: the tasks that use it, {"name", "classes"}, in order
    images: dict  # of each task by name: its images and labels, which are its training images, too

    @property
    def texts(self):
        return [self.template.replace("{}", name) for name in self.classes]


def run_case(folder, clip, methods):
    case = json.loads((folder / "case.json").read_text())
    inputs = load_file(folder / "inputs.safetensors")
    adapters = []
    for index in range(case["adapters"]):
        prefix = f"adapter.{index}."
        adapters.append({name[len(prefix):]: value.requires_grad_()
                         for name, value in inputs.items() if name.startswith(prefix)})
    users = [[t for t in case["tasks"] if index in t["adapters"]] for index in range(len(adapters))]
    images = {t["name"]: (inputs[f"pixels.{i}"], inputs[f"labels.{i}"])
              for i, t in enumerate(case["tasks"])}
    expected, loss = {}, 0.0
    for index, entry in enumerate(case["tasks"]):
        task = Task(
            index, entry["name"], entry["classes"], case["template"], inputs[f"pixels.{index}"],
            inputs[f"labels.{index}"], [adapters[i] for i in entry["adapters"]],
            [users[i] for i in entry["adapters"]], images)
        result = methods[case["method"]](clip, task, case["options"])
        logits, penalty = result if isinstance(result, tuple) else (result, 0.0)
        expected[f"logits.{index}"] = logits.detach()
        loss = loss + F.cross_entropy(logits, task.labels) + penalty
    expected["loss"] = loss.detach()
    names = [(i, name) for i, adapter in enumerate(adapters) for name in adapter]
    gradients = torch.autograd.grad(loss, [adapters[i][name] for i, name in names],
                                    allow_unused=True) if names else []
    for (i, name), gradient in zip(names, gradients):
        if gradient is None:
            gradient = torch.zeros_like(adapters[i][name])
        expected[f"gradient.{i}.{name}"] = gradient
    save_file({name: value.contiguous() for name, value in expected.items()},
              folder / "expected.safetensors")


def main():
    torch.set_num_threads(1)
    methods = importlib.import_module(sys.argv[1]).METHODS
    clip = HookedClip(sys.argv[2])
    for case in sorted(Path(sys.argv[3]).glob("*/case.json")):
        run_case(case.parent, clip, methods)


if __name__ == "__main__":
    main()
