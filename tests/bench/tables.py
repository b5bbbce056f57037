"""The benchmark's results as Markdown and CSV."""

import csv
import os
import platform

import torch

import plot


def facts(options, peak, seconds, busy):
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), "")
    return {"processor": model, "level": options.level, "cores": os.cpu_count(), "threads": options.threads, "torch": torch.__version__,
            "python": platform.python_version(), "compiled": options.compile, "peak": dict(peak),
            "model": "a tiny CLIP (a test of the benchmark, no measurement)" if options.tiny
            else "ViT-B/16, seeded random weights", "seconds": seconds, "load": busy}


def duration(seconds):
    if seconds >= 600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def ratio(values):
    return f"{values[0]:.2f}x ({values[1]:.2f} to {values[2]:.2f})"


def met(values, goal):
    return "yes" if values[0] >= goal else "no"


def share_of_step(result, peak):
    """Of the matrix-multiply peak in a step of petlab."""
    return result["flops"] / result["step_seconds"] / peak[result["precision"]]


def memory_share(result, side):
    return result["memory"]["petlab"] / result["memory"][side]


def same(check):
    if check["same"] is None:
        return ""
    change = max((value for value in check["change"].values() if value is not None), default=float("nan"))
    return (f"{'yes' if check['same'] else 'NO'}: losses {check['loss_apart']:.4f} apart, "
            f"first step {100 * change:.2g} % apart")


def one_line(result, peak):
    parts = [f"petlab {duration(result['seconds']['petlab'][0])}"]
    parts += [f"{name} {duration(result['seconds'][name][0])} = {ratio(result['ratio'][name])}"
              for name in ("published", "strong")]
    parts.append(f"({result['strong_kind']}; memory {', '.join(f'{v / 2**20:.0f}' for v in result['memory'].values())}"
                 f" MiB; same: {same(result['check']) or 'not compared'}; took {result['took']:.0f} s)")
    if result["flops"]:
        parts.append(f"{100 * share_of_step(result, peak):.0f} % of the peak")
    return ", ".join(parts)


def rows(results, peak):
    """(work, petlab, published, strong, then ratio, goal and met against each), as texts."""
    for r in results:
        goals = r["goals"] or ("", "")
        cells = [r["title"], *(duration(r["seconds"][side][0]) for side in ("petlab", "published", "strong"))]
        for side, goal in zip(("published", "strong"), goals):
            cells += [ratio(r["ratio"][side]), f"{goal}x" if goal else "", met(r["ratio"][side], goal) if goal else ""]
        if "warm" in r:
            cells[0] += ", features not kept from before"
        yield cells
        if "warm" in r:
            warm = [r["title"] + ", features kept by an earlier run", duration(r["warm"]["seconds"][0]), *cells[2:4]]
            for side, goal in zip(("published", "strong"), goals):
                warm += [ratio(r["warm"]["ratio"][side]), f"{goal}x", met(r["warm"]["ratio"][side], goal)]
            yield warm
        if r["memory_goals"]:
            cells = ["peak memory of that step's process",
                     *(f"{r['memory'][side] / 2**20:,.0f} MiB" for side in ("petlab", "published", "strong"))]
            for side, goal in zip(("published", "strong"), r["memory_goals"]):
                share = memory_share(r, side)
                cells += [f"{share:.2f}x", f"{goal}x", "yes" if share <= goal else "no"]
            yield cells
        if r["peak_goal"]:
            share = share_of_step(r, peak)
            yield ["share of the matrix-multiply peak in that step", f"{100 * share:.0f} %", "", "",
                   f"{100 * share:.0f} %", f"{100 * r['peak_goal']:.0f} %",
                   "yes" if share >= r["peak_goal"] else "no", "", "", ""]


HEADER = ["work", "petlab", "published way", "strong peer", "published / petlab", "goal", "met",
          "strong / petlab", "goal", "met"]


def markdown(facts, results):
    peak = facts["peak"]
    products = " and ".join(f"{value / 1e9:,.0f} GFLOP/s in {name}" for name, value in peak.items())
    lines = [
        f"{facts['processor']}, CPU level {facts['level']}, {facts['threads']} threads of {facts['cores']} cores; LibTorch and PyTorch "
        f"{facts['torch']}, Python {facts['python']}; {facts['model']}. "
        + (f"Matrix products of torch.mm reach {products}. " if products else "") +
        f"Ratios: median over rounds (smallest to largest)."
        + (f" **The machine was not quiet**: load {facts['load']:.1f} at the start." if facts["load"] > 1.0 else ""),
        "",
        "| " + " | ".join(HEADER) + " |", "|" + "---|" * len(HEADER)]
    lines += ["| " + " | ".join(cells) + " |" for cells in rows(results, peak)]
    lines += ["", "| work | rounds | strong peer as | one-off seconds, petlab / published / strong "
              "| peak MiB, petlab / published / strong | GFLOP of petlab's step, share of the peak | the same work? |",
              "|---|---|---|---|---|---|---|"]
    for r in results:
        once = " / ".join(f"{r['once'][side]:.1f}" for side in ("petlab", "published", "strong"))
        memory = " / ".join(f"{r['memory'][side] / 2**20:,.0f}" for side in ("petlab", "published", "strong"))
        kind = "compiled" if r["strong_kind"] == "strong-compiled" else "eager"
        work = f"{r['flops'] / 1e9:,.0f}, {100 * share_of_step(r, peak):.0f} %" if r["flops"] else ""
        lines.append(f"| {r['name']} | {r['rounds']} | {kind} | {once} | {memory} | {work} | {same(r['check'])} |")
    return "\n".join(lines) + "\n"


def write(folder, facts, results):
    (folder / "bench.md").write_text(markdown(facts, results))
    (folder / "bench.svg").write_text(plot.svg(facts, results))
    with open(folder / "bench.csv", "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["work", "side", "seconds", "seconds_min", "seconds_max", "ratio_to_petlab", "ratio_min",
                      "ratio_max", "goal", "peak_bytes", "rounds"])
        for r in results:
            for at, side in enumerate(("petlab", "published", "strong")):
                goal = r["goals"][at - 1] if at and r["goals"] else ""
                out.writerow([r["name"], side, *r["seconds"][side], *(r["ratio"].get(side, ["", "", ""])), goal,
                              r["memory"][side], r["rounds"]])
