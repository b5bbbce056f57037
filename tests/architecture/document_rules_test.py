"""The rules must find commands, options and passages that are not there."""

import pathlib
import tempfile
import unittest

import document_rules

PETLAB = """#!/bin/sh
case "$*" in
  --help) printf '  run         run it\\n  datasets    data sets\\n  describe    describe\\n';;
  "run --help") echo '  --rows arg  only these rows';;
  "datasets --help") echo '  check         counts';;
  "datasets check --help") echo '  --near arg';;
  "describe --help") echo '  --keys';;
  *) echo 'refused' >&2; exit 2;;
esac
"""


class Documents(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.project = pathlib.Path(folder.name)
        self.petlab = self.project / "petlab"
        self.petlab.write_text(PETLAB)
        self.petlab.chmod(0o755)
        (self.project / "Makefile").write_text("demo: ## Run\n")
        (self.project / "plugins" / "methods").mkdir(parents=True)
        (self.project / "plugins" / "methods" / "README.md").write_text("```cpp\n  int one;\n```\n")

    def commands(self, text):
        (self.project / "README.md").write_text(text)
        program = document_rules.Program(str(self.petlab), self.project)
        return list(document_rules.offences_of_commands(self.project, program))

    def links(self, text):
        (self.project / "README.md").write_text(text)
        return list(document_rules.offences_of_links(self.project)) + list(
            document_rules.offences_of_excerpts(self.project))

    def test_commands_that_are_there(self):
        for text in ("    petlab run a.ini --rows b", "`petlab datasets check FOLDER --near 3`", "`make demo`",
                     "```sh\npetlab run a.ini \\\n  --rows b\n```", "    make demo  # petlab walk",
                     "    A=1 petlab run a.ini && petlab datasets check b", "`petlab COMMAND --help`"):
            self.assertEqual(self.commands(text), [], text)

    def test_commands_that_are_not_there(self):
        for text in ("    petlab walk", "`petlab run a.ini --columns b`", "    petlab datasets count",
                     "    petlab datasets check --rows b", "`make tea`", "    petlab run a.ini \\\n      --columns b",
                     "    A=1 petlab run a.ini && petlab walk", "`petlab run 'a.ini`", "`make demo` `build/bin/petlab run`",
                     "`petlab describe --keys`", "no command"):
            self.assertEqual(len(self.commands(text)), 1, text)

    def test_code_of_other_languages_is_not_a_command(self):
        self.assertEqual(self.commands("```cpp\npetlab walk\n```\n`make demo`"), [])

    def test_links(self):
        for text in ("[a](Makefile)", "# One, two\n[a](#one-two)", "[a](plugins/methods/README.md)", "[a](https://example.org/x)",
                     "```cpp\nint one;\n```"):
            self.assertEqual(self.links(text), [], text)
        for text in ("[a](gone.md)", "[a](#gone)", "![a](gone.png)", "[a](plugins/methods/README.md#gone)",
                     "```cpp\nint two;\n```"):
            self.assertEqual(len(self.links(text)), 1, text)


if __name__ == "__main__":
    unittest.main()
