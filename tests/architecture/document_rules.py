"""The documents name commands, options, targets, files and headings that exist.

    document_rules.py links PROJECT
    document_rules.py commands PROJECT PETLAB

links: every link between documents leads to a file and, behind a '#', to a heading of it; C++ in
README.md is an excerpt of the plugin that plugins/methods/README.md shows, which the package test builds.
commands: every `petlab` command of a document, in a block of code or inside a line, is one that
`petlab --help` lists, with options of its `--help`; every `make` target is in the Makefile; those that
cost nothing are run. Documents write `petlab`, never a path to it.

Prints one line an offence and fails when there is one.
"""

import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

from source_rules import source_files

LINK = re.compile(r"\[[^\]]*\]\(([^)\s#]*)(?:#([^)\s]+))?\)")
FENCE = re.compile(r"^\s*```(\S*)\s*$")
SHELL = {"", "sh", "bash", "shell"}
INLINE = re.compile(r"`((?:petlab|make) [^`]+)`")
WITH_ACTIONS = ("datasets", "clip")
# Cost nothing, and need no data: run as they stand.
CHEAP = re.compile(r"petlab (describe (mmap|--keys)$|plugins$|reproduce --list$|datasets list$|clip info harness/)")
OWN_PATH = re.compile(r"build/bin/petlab\b")


def documents(project):
    """All pages but the history, which may name what is gone, and texts that tests compare with."""
    for file in source_files(project):
        name = file.relative_to(project).as_posix()
        if file.suffix == ".md" and name != "CHANGELOG.md" and not name.startswith("tests/golden/"):
            yield name, file.read_text(encoding="utf-8")


def anchors(text):
    titles = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in titles}


def offences_of_links(project):
    for name, text in documents(project):
        for number, line in enumerate(text.splitlines(), 1):
            for path, anchor in LINK.findall(line):
                if "://" in path or line.startswith("    "):
                    continue
                file = project / name if not path else (project / name).parent / path
                if not file.exists():
                    yield f"{name}:{number}: there is no {path}"
                elif anchor and anchor not in anchors(file.read_text(encoding="utf-8")):
                    yield f"{name}:{number}: {path or name} has no heading #{anchor}"


def offences_of_excerpts(project):
    whole = (project / "plugins/methods/README.md").read_text(encoding="utf-8")
    whole = {line.strip() for line in whole.splitlines()}
    text = (project / "README.md").read_text(encoding="utf-8")
    for block in re.findall(r"^```cpp\n(.*?)^```$", text, re.M | re.S):
        for line in block.splitlines():
            if line.strip() not in whole:
                yield f"README.md: plugins/methods/README.md does not have the line `{line.strip()}`"


def lines_of_code(text):
    """(line, code) of blocks that are indented by four or fenced without a language or as shell."""
    fence, joined, at = None, "", 0
    for number, line in enumerate(text.splitlines(), 1):
        mark = FENCE.match(line)
        if mark:
            fence = mark.group(1) if fence is None else None
            continue
        if not (fence in SHELL if fence is not None else line.startswith("    ")):
            joined = ""
            continue
        at = number if not joined else at
        joined += line.strip()
        if joined.endswith("\\"):
            joined = joined[:-1]
            continue
        yield at, joined
        joined = ""


def commands(text):
    """(line, words) of every petlab or make command of a document."""
    for number, code in lines_of_code(text):
        for part in re.split(r"\s&&\s|\s\|\s|;\s", re.sub(r"(^|\s)#.*", "", code)):
            part = re.sub(r"^(\s*\w+=\S+)+\s+", "", part).strip()
            if re.match(r"(petlab|make)(\s|$)", part):
                yield number, part
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("    "):
            for code in INLINE.findall(line):
                yield number, code


class Program:
    """petlab as its help describes it."""

    def __init__(self, path, project):
        self.path, self.project, self.helps = path, project, {}

    def run(self, *arguments):
        with tempfile.TemporaryDirectory() as home:
            return subprocess.run([self.path, *arguments], cwd=self.project, capture_output=True, text=True,
                                  timeout=60, env={**os.environ, "HOME": home})

    def help(self, *command):
        if command not in self.helps:
            self.helps[command] = self.run(*command, "--help")
        return self.helps[command].stdout if self.helps[command].returncode == 0 else ""

    def offence(self, code):
        """Why the program would refuse the command line; None when it would not."""
        try:
            words = shlex.split(code)[1:]
        except ValueError as error:
            return f"the shell would not read it: {error}"
        if not words or words[0] in ("--help", "--version", "help", "COMMAND"):
            return None
        listed = re.findall(r"^  ([a-z-]+) ", self.help(), re.M)
        if words[0] not in listed:
            return f"petlab has no command '{words[0]}'"
        command = words[:1]
        if words[0] in WITH_ACTIONS and len(words) > 1 and not words[1].startswith("-"):
            if words[1] not in re.findall(r"^  ([a-z-]+) ", self.help(words[0]), re.M):
                return f"petlab {words[0]} has no action '{words[1]}'"
            command = words[:2]
        known = set(re.findall(r"(--[a-z][a-z-]*)", self.help(*command)))
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", " ".join(words[len(command):])):
            if option not in known | {"--help"}:
                return f"petlab {' '.join(command)} has no option '{option}'"
        if CHEAP.match(code):
            outcome = self.run(*words)
            if outcome.returncode != 0:
                return f"exit code {outcome.returncode}: {outcome.stderr.strip()}"
        return None


def offences_of_commands(project, program):
    targets = set(re.findall(r"^([a-z-]+):", (project / "Makefile").read_text(encoding="utf-8"), re.M))
    seen = 0
    for name, text in documents(project):
        for number, line in enumerate(text.splitlines(), 1):
            if OWN_PATH.search(line):
                yield f"{name}:{number}: documents write `petlab`"
        for number, code in commands(text):
            seen += 1
            if code.startswith("make"):
                wanted = [word for word in shlex.split(code)[1:] if not re.match(r"-|\w+=", word)]
                for target in wanted:
                    if target not in targets:
                        yield f"{name}:{number}: `{code}`: the Makefile has no target '{target}'"
                continue
            reason = program.offence(code)
            if reason:
                yield f"{name}:{number}: `{code}`: {reason}"
    if seen == 0:
        yield "no document names a command"


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "links":
        project = pathlib.Path(sys.argv[2])
        found = [*offences_of_links(project), *offences_of_excerpts(project)]
    elif len(sys.argv) == 4 and sys.argv[1] == "commands":
        project = pathlib.Path(sys.argv[2])
        found = list(offences_of_commands(project, Program(sys.argv[3], project)))
    else:
        sys.exit(__doc__)
    for offence in found:
        print(offence)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
