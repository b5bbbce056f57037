"""The whole embedded ablation study: `petlab run` with all cores against peers that do its rows.

The peers do a part of each row's steps and test pictures and are scaled; petlab's runs are done
whole, from the start of the program to the last record in the store.
"""

import json
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

import works

ROOT = Path(__file__).resolve().parents[2]
PROTOCOL = ROOT / "harness/protocols/demo.ini"
PEER = Path(__file__).resolve().parent / "peers" / "study_peer.py"


def one_seed_protocol(folder):
    """The demo with its first seed, without the row whose groups come from gradients, and with the
    MmAP that the peers have."""
    text = PROTOCOL.read_text()
    own = "".join(f"option.{name} = {value}\n" for name, value in works.MMAP_OF_THE_PEERS.items())
    text = re.sub(r"(?<=^\[method\.mmap\]\n)(?:.+\n)*", lambda section: own + re.sub(
        r"^option\.(?:preset|init|init-adapters|composition|m|n) = .*\n", "", section[0], flags=re.M), text, flags=re.M)
    text = re.sub(r"^\[row\.mmap-gradient-groups\]\n(?:.+\n)*", "", text, flags=re.M)
    text = re.sub(r"^seeds = .*$", "seeds = 1", text, flags=re.M)
    for path in re.findall(r"^(?:root|dir) = (.+)$", text, flags=re.M):
        text = text.replace(f"= {path}\n", f"= {(PROTOCOL.parent / path).resolve()}\n")
    file = folder / "study.ini"
    file.write_text(text)
    return file


def petlab_seconds(program, protocol, folder, cache):
    """Nothing kept from before but the decoded pictures, which the peers get decoded, too."""
    for old in folder.glob("study.sqlite*"):
        if old.is_file():
            old.unlink()
    for old in (cache / "features").glob("*") if (cache / "features").is_dir() else ():
        old.unlink()
    start = time.perf_counter()
    subprocess.run([program, "run", protocol, "--store", folder / "study.sqlite", "--cache-dir", cache,
                    "--no-table"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT)
    return time.perf_counter() - start


def peer_rows(rows, side, processes, threads, sample):
    """Seconds of each row, done by `processes` at once; a row's seconds are their mean."""
    running = [subprocess.Popen([sys.executable, PEER, rows, side, str(threads), str(sample)],
                                stdout=subprocess.PIPE, text=True) for _ in range(processes)]
    outputs = [process.communicate()[0] for process in running]
    if any(process.returncode for process in running):
        raise RuntimeError(f"the study's {side} peer failed")
    parsed = [[json.loads(line) for line in output.splitlines()] for output in outputs]
    return {same[0]["row"]: statistics.mean(one["seconds"] for one in same) for same in zip(*parsed)}


def measure(work, options, folder, peak):
    begun = time.perf_counter()
    protocol = one_seed_protocol(folder)
    cache = options.cache / "study-cache"
    out = folder / "study"
    tool = options.program.with_name("bench_study")
    subprocess.run([tool, protocol, cache, out], check=True)
    rows = out / "rows.json"
    sample = 2 if options.quick else 5
    published = peer_rows(rows, "published", 1, options.threads, sample)
    ours = petlab_seconds(options.program.with_name("petlab"), protocol, folder, cache)
    # The strong peer fills the machine with runs of one thread, or gives each run all threads.
    apart = peer_rows(rows, "strong", options.threads, 1, sample)
    whole = peer_rows(rows, "strong", 1, options.threads, sample)
    seconds = {"petlab": ours, "published": sum(published.values()),
               "strong": min(sum(apart.values()) / options.threads, sum(whole.values()))}
    return {
        "name": work.name, "title": f"{work.title} ({len(published)} runs)", "rounds": 1,
        "seconds": {side: [value] * 3 for side, value in seconds.items()},
        "ratio": {side: [seconds[side] / ours] * 3 for side in ("published", "strong")},
        "goals": work.goals, "memory_goals": (), "peak_goal": 0.0, "strong_kind": "strong", "strong_choice": {},
        "memory": dict.fromkeys(seconds, 0), "once": dict.fromkeys(seconds, 0.0), "check": {"same": None},
        "flops": None, "precision": "fp32", "took": time.perf_counter() - begun,
        "rows": {"published": published, "strong_apart": apart, "strong_whole": whole},
    }
