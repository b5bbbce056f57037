"""The rule must find what is named and not there."""

import pathlib
import tempfile
import unittest

import peers_rules


class Proofs(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.project = pathlib.Path(self.folder.name)
        (self.project / "tests" / "unit").mkdir(parents=True)
        (self.project / "tests" / "unit" / "a_test.cpp").write_text(
            "TEST_F(Store, KeepsRuns) {\n// TEST(Store, IsOnlyNamed)\n")
        (self.project / "tests" / "rules_test.py").write_text("class Rules(Case):\n    def test_one(self):\n")
        (self.project / "tests" / "CMakeLists.txt").write_text("petlab_add_rule(symbols x.py)\n")
        (self.project / "README.md").write_text("# petlab\n## What a run costs, in FLOPs\n")

    def offences(self, proof):
        return list(peers_rules.offences_of_row(self.project, "1", proof))

    def test_what_is_there(self):
        for proof in ("`unit/a_test.cpp`: Store.KeepsRuns", "`rules_test.py`: Rules.test_one",
                      "`CMakeLists.txt`: symbols", "[costs](../README.md#what-a-run-costs-in-flops)",
                      "`unit/a_test.cpp`: Store.KeepsRuns; [page](../README.md)"):
            self.assertEqual(self.offences(proof), [], proof)

    def test_what_is_not_there(self):
        for proof in ("", "see the code", "`unit/b_test.cpp`: Store.KeepsRuns", "`unit/a_test.cpp`: Store.LosesRuns",
                      "`unit/a_test.cpp`: Store.IsOnlyNamed", "`unit/a_test.cpp`: Store.KeepsRuns, Store.Other",
                      "`rules_test.py`: Rules.test_two", "`CMakeLists.txt`: words",
                      "[costs](../README.md#costs)", "[gone](gone.md)"):
            self.assertEqual(len(self.offences(proof)), 1, proof)

    def test_rows(self):
        rows = [f"| {n} | a | b | [page](../README.md) |" for n in
                [f"F{i + 1}" for i in range(peers_rules.FINDINGS)] +
                [i + 1 for i in range(peers_rules.COMPLAINTS)]]
        page = self.project / peers_rules.LIST
        page.write_text("\n".join(rows))
        self.assertEqual(list(peers_rules.offences(self.project)), [])
        page.write_text("\n".join(rows[:-1]))
        self.assertEqual(len(list(peers_rules.offences(self.project))), 1)
        page.write_text("\n".join(["| F1 | a | | [page](../README.md) |"] + rows[1:]))
        self.assertEqual(len(list(peers_rules.offences(self.project))), 1)


if __name__ == "__main__":
    unittest.main()
