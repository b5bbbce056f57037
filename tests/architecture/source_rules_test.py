"""The rules must find what they forbid: each case is one line that is right or wrong."""

import pathlib
import tempfile
import unittest

import source_rules


class IncludeRules(unittest.TestCase):
    def offence(self, name, header, quoted=True):
        return source_rules.include_offence(name, header, quoted)

    def test_plugins_see_the_sdk_only(self):
        plugin = "plugins/methods/coop/coop.cpp"
        self.assertIsNone(self.offence(plugin, "petlab/sdk/error.hpp"))
        self.assertIsNone(self.offence(plugin, "context.hpp"))
        for part in ("base", "clip", "engine", "study", "datasets", "results", "reports"):
            self.assertIn("may not include", self.offence(plugin, f"petlab/{part}/x.hpp"))
        self.assertIn("another folder", self.offence(plugin, "../vpt/vpt.hpp"))

    def test_results_and_reports_are_free_of_torch(self):
        for folder in ("harness/base", "results", "reports"):
            self.assertIn("free of torch", self.offence(f"{folder}/src/a.cpp", "ATen/ATen.h", False))
            self.assertIsNone(self.offence(f"{folder}/src/a.cpp", "petlab/base/error.hpp"))
            if folder != "harness/base":
                self.assertIn("may not include", self.offence(f"{folder}/src/a.cpp", "petlab/sdk/plugin.hpp"))

    def test_base_stands_on_nothing(self):
        for part in ("sdk", "clip", "datasets", "results"):
            self.assertIn("may not include", self.offence("harness/base/src/a.cpp", f"petlab/{part}/x.hpp"))

    def test_dependencies_point_one_way(self):
        self.assertIn("may not", self.offence("harness/clip/src/a.cpp", "petlab/engine/trainer.hpp"))
        self.assertIn("may not", self.offence("results/src/a.cpp", "petlab/reports/table.hpp"))
        self.assertIn("may not", self.offence("harness/engine/src/run/a.cpp", "petlab/study/plan.hpp"))
        self.assertIsNone(self.offence("harness/study/src/a.cpp", "petlab/engine/run.hpp"))
        for folder in ("datasets/src", "harness/engine/src/data", "harness/study/src"):
            self.assertIn("may not", self.offence(f"{folder}/a.cpp", "petlab/datasets/tools/check.hpp"))
        self.assertIsNone(self.offence("datasets/tools/src/a.cpp", "petlab/datasets/image.hpp"))
        self.assertIsNone(self.offence("harness/app/main.cpp", "petlab/reports/table.hpp"))

    def test_public_headers_are_light(self):
        header = "harness/clip/include/petlab/clip/clip.hpp"
        self.assertIn("public header", self.offence(header, "torch/torch.h", False))
        self.assertIsNone(self.offence(header, "ATen/core/Tensor.h", False))
        self.assertIsNone(self.offence("harness/clip/src/clip.cpp", "ATen/ATen.h", False))


class FileRules(unittest.TestCase):
    def offences(self, rule, name, text):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / name
            file.write_text(text)
            return list(rule(pathlib.Path(folder)))

    def test_long_file(self):
        self.assertEqual(self.offences(source_rules.length, "a.cpp", "x\n" * 400), [])
        self.assertEqual(len(self.offences(source_rules.length, "a.cpp", "x\n" * 401)), 1)

    def test_words(self):
        rule = source_rules.words
        for text in ("see /home/ann/data", "TODO: later", "get it from pypi.org"):
            self.assertEqual(len(self.offences(rule, "a.md", text)), 1, text)
        for text in ("see $HOME/data", "TODO(#12): later", "results/work/x", "pip install torch"):
            self.assertEqual(self.offences(rule, "a.md", text), [], text)


if __name__ == "__main__":
    unittest.main()
