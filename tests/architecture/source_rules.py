"""Rules about source files: who may include whom, how long a file may be, which words are out.

    source_rules.py includes|length|words PROJECT

Prints one line an offence, `file:line: reason`, and fails when there is one.
"""

import pathlib
import re
import subprocess
import sys

# Folder -> the parts (petlab/<part>/) that its files may include. The first match counts.
LAYERS = [
    ("harness/base", {"base"}),
    ("harness/sdk", {"sdk", "base"}),
    ("harness/kernels", {"kernels", "sdk", "base"}),
    ("harness/clip", {"clip", "kernels", "sdk", "base"}),
    ("harness/pretrain", {"pretrain", "clip", "kernels", "sdk", "datasets", "datasets/tools", "base"}),
    ("harness/engine", {"engine", "clip", "kernels", "sdk", "datasets", "results", "base"}),
    ("harness/study", {"study", "engine", "clip", "kernels", "sdk", "datasets", "results", "base"}),
    ("harness/app",
     {"app", "study", "engine", "pretrain", "clip", "sdk", "datasets", "datasets/tools", "results", "reports",
      "kernels", "base"}),
    ("plugins", {"sdk"}),
    ("datasets/tools", {"datasets/tools", "datasets", "sdk", "base"}),
    ("datasets", {"datasets", "sdk", "base"}),
    ("results", {"results", "base"}),
    ("reports", {"reports", "results", "base"}),
]
# These never see a tensor, so that results can be read years later without torch.
TORCH_FREE = ("harness/base", "results", "reports")

MAX_LINES = 400
LENGTH_SUFFIXES = {".cpp", ".hpp", ".py", ".cmake", ".sh"}

# Paths of somebody's machine and addresses of registries: set-up goes by names of packages.
FORBIDDEN = [
    (re.compile(r"(?<![\w.])/(home|Users|root|work)/\w"), "a path of one machine"),
    (re.compile(r"registry\.npmjs|pypi\.org|pythonhosted|deb\.debian|download\.pytorch|huggingface\.co"),
     "the address of a registry"),
    (re.compile(r"\b(TODO|FIXME|XXX)\b(?!\(#\d+\))"), "unfinished work without an issue number"),
]
TEXT_SUFFIXES = {".cpp", ".hpp", ".py", ".cmake", ".sh", ".md", ".txt", ".ini", ".sql", ".json", ""}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
OF_TORCH = re.compile(r"^(torch|ATen|c10)/")
# What of torch a public header may include: each of these compiles in a second or two.
LIGHT = re.compile(r"^(ATen/core/(Tensor|Generator)|ATen/ops/\w+|c10/core/Device|torch/headeronly/\w+)\.h$")


def source_files(project):
    """The project's own files: those that git tracks or would track, else all but built ones."""
    git = subprocess.run(
        ["git", "-C", str(project), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True)
    if git.returncode == 0:
        files = [project / name for name in git.stdout.decode().split("\0") if name]
    else:
        skip = re.compile(r"/(\.venv|\.git|build[^/]*|cache|data|out|__pycache__)/")
        files = [f for f in project.rglob("*") if not skip.search(f"/{f.relative_to(project)}")]
    return sorted(f for f in files if f.is_file() and not f.is_symlink())


def numbered_lines(file):
    return enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), start=1)


def layer_of(name):
    for folder, allowed in LAYERS:
        if name.startswith(folder + "/"):
            return folder, allowed
    return None, None


def include_offence(name, header, quoted):
    """Why the file `name` may not include `header`; None when it may."""
    folder, allowed = layer_of(name)
    if folder is None:
        return None
    part = re.match(r"petlab/(datasets/tools|\w+)/", header)
    if part and part[1] not in allowed:
        return f"{folder} may not include petlab/{part[1]}"
    if OF_TORCH.match(header):
        if folder in TORCH_FREE:
            return f"{folder} is free of torch"
        if name.endswith(".hpp") and "/include/" in name and not LIGHT.match(header):
            return "too slow for a public header: see LIGHT in source_rules.py for what it may include"
    if quoted and not part and ".." in header:
        return "a private header of another folder"
    return None


def includes(project):
    for file in source_files(project):
        if file.suffix not in {".cpp", ".hpp"}:
            continue
        name = file.relative_to(project).as_posix()
        for number, line in numbered_lines(file):
            match = INCLUDE.match(line)
            reason = match and include_offence(name, match[2], match[1] == '"')
            if reason:
                yield f"{name}:{number}: {match[2]}: {reason}"


def length(project):
    for file in source_files(project):
        if file.suffix in LENGTH_SUFFIXES or file.name in {"CMakeLists.txt", "Makefile"}:
            lines = sum(1 for _ in numbered_lines(file))
            if lines > MAX_LINES:
                yield f"{file.relative_to(project)}:{lines}: over {MAX_LINES} lines; one idea a file"


def words(project):
    own = pathlib.Path(__file__).resolve().parent
    for file in source_files(project):
        if file.suffix not in TEXT_SUFFIXES or file.resolve().parent == own:
            continue
        if file.stat().st_size > 1 << 20:
            continue  # data, not prose or source
        for number, line in numbered_lines(file):
            for pattern, reason in FORBIDDEN:
                if pattern.search(line):
                    yield f"{file.relative_to(project)}:{number}: {reason}: {line.strip()[:80]}"


RULES = {"includes": includes, "length": length, "words": words}


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in RULES:
        sys.exit(__doc__)
    offences = list(RULES[sys.argv[1]](pathlib.Path(sys.argv[2]).resolve()))
    print("\n".join(offences) or f"{sys.argv[1]}: no offence")
    sys.exit(1 if offences else 0)


if __name__ == "__main__":
    main()
