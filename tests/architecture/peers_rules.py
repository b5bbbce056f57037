"""The list of others' mistakes (tests/PEERS.md) may only name tests and passages that exist.

    peers_rules.py PROJECT

Prints one line an offence and fails when there is one.
"""

import pathlib
import re
import sys

LIST = pathlib.Path("tests/PEERS.md")
COMPLAINTS = 57
FINDINGS = 10

ROW = re.compile(r"^\| (F?\d+) \|")
GROUP = re.compile(r"`([\w/.-]+)`: ([^;`\[]+)")
LINK = re.compile(r"\[[^\]]+\]\(([^)#]+)(?:#([^)]+))?\)")


def has_test(file, name):
    """C++: Suite.Case; Python: Class.method; CMake: the name of a rule."""
    text = file.read_text(encoding="utf-8")
    suite, _, case = name.partition(".")
    if file.suffix == ".cpp":
        return re.search(rf"^TEST(_F|_P)?\(\s*{suite}\s*,\s*{case}\s*\)", text, re.M) is not None
    if file.suffix == ".py":
        return f"class {suite}(" in text and f"def {case}(" in text
    return f"petlab_add_rule({name} " in text


def anchors(file):
    """The headings of a page as GitHub links to them."""
    titles = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in titles}


def offences_of_row(project, number, proof):
    groups = [(path, [name.strip() for name in names.split(",")]) for path, names in GROUP.findall(proof)]
    links = LINK.findall(proof)
    if not groups and not links:
        yield f"{number}: names neither a test nor a passage"
    for path, names in groups:
        file = project / "tests" / path
        if not file.is_file():
            yield f"{number}: there is no tests/{path}"
            continue
        for name in names:
            if not has_test(file, name):
                yield f"{number}: tests/{path} has no {name}"
    for path, anchor in links:
        file = project / LIST.parent / path
        if not file.is_file():
            yield f"{number}: there is no {path}"
        elif anchor and anchor not in anchors(file):
            yield f"{number}: {path} has no heading #{anchor}"


def offences(project):
    numbers = []
    for at, line in enumerate((project / LIST).read_text(encoding="utf-8").splitlines(), 1):
        row = ROW.match(line)
        if not row:
            continue
        numbers.append(row.group(1))
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) != 4 or not all(cells):
            yield f"{LIST}:{at}: expected four cells with text"
            continue
        for offence in offences_of_row(project, row.group(1), cells[3]):
            yield f"{LIST}:{at}: {offence}"
    expected = [f"F{i + 1}" for i in range(FINDINGS)] + [str(i + 1) for i in range(COMPLAINTS)]
    if numbers != expected:
        yield f"{LIST}: has the rows {', '.join(numbers)}; expected F1 to F{FINDINGS}, then 1 to {COMPLAINTS}"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    found = list(offences(pathlib.Path(sys.argv[1])))
    print("\n".join(found) or "every test and passage that tests/PEERS.md names exists")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
