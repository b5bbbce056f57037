"""Measures one work: starts the sides, checks that they do the same, and takes turns."""

import json
import statistics
import time

import sides
import works

# What the first step may differ by: the loss (petlab prints three digits of it), and how far the
# parameters went, as a share of the way.
LOSS = 1e-3
CHANGE = {"fp32": 0.02, "bf16": 0.5}


def spread(values):
    return [statistics.median(values), min(values), max(values)]


def check(work, folder, spec, all_sides):
    """One step on every side, from the same parameters: the same loss, the same way of the parameters."""
    losses, saved = {}, {}
    for side in all_sides:
        first = side.ask("go", 1)
        if "images_seconds" in first:
            side.images = first
            first = side.ask("go", 1)
        side.first = first
        losses[side.name] = first["loss"]
        saved[side.name] = folder / f"{work.name}.{side.name}.safetensors"
        side.ask("save", saved[side.name])
    apart = max(abs(loss - losses["petlab"]) for loss in losses.values())
    change = {name: sides.change_apart(spec["start"], saved["petlab"], file)
              for name, file in saved.items() if name != "petlab"}
    for file in saved.values():
        file.unlink()
    return {"losses": losses, "loss_apart": apart, "change": change,
            "same": apart <= LOSS * (1 if work.precision == "fp32" else 20)
            and all(value is not None and value <= CHANGE[work.precision] for value in change.values())}


def choose_strong(work, candidates):
    """The faster of the strong peer as it is and compiled, by a turn of each; the other ends."""
    if len(candidates) == 1:
        return candidates[0]
    seconds = {side.name: side.ask("go", work.units)["seconds"] for side in candidates}
    best = min(candidates, key=lambda side: seconds[side.name])
    for side in candidates:
        if side is not best:
            # Memory of the smaller one: compiling takes some that training does not.
            best.other_peak = side.peak_bytes
            side.quit()
    best.choice = seconds
    return best


class Scale:
    """From what a side did in one round to the seconds of the whole work."""

    def __init__(self, work):
        self.work = work
        self.once = {}  # seconds that a side spends once

    def total(self, side, answer):
        seconds, done = answer["seconds"], answer["done"]
        if self.work.name == "coop":
            return self.once.get(side, 0.0) + seconds / done * works.coop_rounds(self.work)
        if self.work.phase == "evaluate":
            return self.once.get(side, 0.0) + seconds / done * works.TEST_IMAGES
        return seconds / done


def one_off(work, scale, all_sides, typical):
    """What is done once: the frozen image features of CoOp, the class features of an evaluation."""
    for side in all_sides:
        if work.name == "coop":
            pictures = work.batch * work.tasks
            seconds = 0.0
            if side.name == "petlab":
                seconds = max(0.0, side.first["seconds"] - typical[side.name])
            elif hasattr(side, "images"):
                seconds, pictures = side.images["images_seconds"], side.images["done"]
            scale.once[side.name] = seconds / pictures * sum(works.TEN_PERCENT.values())
        elif work.phase == "evaluate":
            if side.name == "petlab":
                scale.once[side.name] = max(0.0, side.first["seconds"] - typical[side.name])
            else:
                scale.once[side.name] = side.first.get("texts_seconds", 0.0)


def units_of(work, side):
    # The published way takes 100 test images at a time.
    return 100 if work.phase == "evaluate" and side.name == "published" else work.units


def measure(work, options, folder, peak):
    """Everything about one work as a dictionary that goes into the tables."""
    begun = time.perf_counter()
    spec = work.spec(options.threads, options.model, options.pictures, folder, options.tiny)
    file = folder / f"{work.name}.json"
    file.write_text(json.dumps(spec))
    ours = sides.petlab(options.program, file)
    running = [ours]
    try:
        spec["of_task"] = ours.ready["of_task"]
        file.write_text(json.dumps(spec))
        published = sides.peer("published", file, options.cache)
        running.append(published)
        strong = []
        for kind in ["strong"] + (["strong-compiled"] if options.compile else []):
            strong.append(sides.peer(kind, file, options.cache))
            running.append(strong[-1])
        for side in running:
            side.ready  # noqa: B018: waits until all have loaded
        if work.phase == "train":
            same = check(work, folder, spec, running)
        else:
            same = {"same": None}
            for side in running:
                side.first = side.ask("go", units_of(work, side))
        best = choose_strong(work, strong)
        three = [ours, published, best]
        answers = {side.name: [] for side in three}
        peak.measure(work.precision)
        for turn in range(options.rounds or work.rounds):
            if turn >= 2 and time.perf_counter() - begun > options.seconds:
                break
            for side in three[turn % 3:] + three[:turn % 3]:
                answers[side.name].append(side.ask("go", units_of(work, side)))
            if work.peak_goal:
                peak.measure(work.precision, 1)
        flops = ours.ask("flops")["flops"] if work.phase == "train" else None
    finally:
        for side in running:
            side.quit()
    typical = {name: statistics.median(a["seconds"] for a in all_answers)
               for name, all_answers in answers.items()}
    scale = Scale(work)
    one_off(work, scale, three, typical)
    totals = {("strong" if side.name == best.name else side.name):
              [scale.total(side.name, a) for a in answers[side.name]] for side in three}
    result = {
        "name": work.name, "title": work.title, "rounds": len(totals["petlab"]),
        "seconds": {name: spread(values) for name, values in totals.items()},
        "ratio": {name: spread([t / p for t, p in zip(totals[name], totals["petlab"])])
                  for name in ("published", "strong")},
        "goals": work.goals, "memory_goals": work.memory_goals, "peak_goal": work.peak_goal,
        "strong_kind": best.name, "strong_choice": getattr(best, "choice", {}),
        "memory": {"petlab": ours.peak_bytes, "published": published.peak_bytes,
                   "strong": min(best.peak_bytes, getattr(best, "other_peak", best.peak_bytes))},
        "once": {name: scale.once.get(side.name, 0.0)
                 for name, side in (("petlab", ours), ("published", published), ("strong", best))},
        "units": {side.name: sum(a["done"] for a in answers[side.name]) for side in three},
        "check": same, "flops": flops, "step_seconds": typical["petlab"] / units_of(work, ours),
        "precision": work.precision,
        "took": time.perf_counter() - begun,
    }
    if work.name == "coop":
        warm = [t - scale.once["petlab"] for t in totals["petlab"]]
        result["warm"] = {"seconds": spread(warm),
                          "ratio": {name: spread([t / w for t, w in zip(totals[name], warm)])
                                    for name in ("published", "strong")}}
    return result
