#include "new_method_files.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace petlab::app {
namespace {

constexpr std::string_view kPythonMethod =
    R"py("""@NAME@: what it is, from which publication. This one learns a gain for every channel of every MLP
output, which starts as zero-shot."""

import petlab
import torch


class Method(petlab.Method):
    summary = "a learned gain for every channel of every MLP output"
    version = "0.1.0"
    licence = "MIT"
    options = [petlab.Option("start", 1.0, "what the gains start from; 1: as zero-shot")]
    training = petlab.Training(optimizer="adamw", learning_rate=1e-3, source="an example")
    composable = True

    def text_template(self):
        return "a photo of a {}."

    def make_adapter(self, context):
        towers = (("vision", context.shape.vision), ("text", context.shape.text))
        return Adapter({
            name: petlab.trainable(
                torch.full((tower.layers, tower.width), self.options.start), context.device)
            for name, tower in towers})


class Adapter(petlab.Adapter):
    def __init__(self, gains):
        self.gains = gains

    def parameters(self):
        return self.gains

    def changes(self, request):
        return petlab.Changes(**{
            name: petlab.Tower(affines=[petlab.Affine(layer, "mlp", scale=gain)
                                        for layer, gain in enumerate(gains)])
            for name, gains in self.gains.items()})
)py";

constexpr std::string_view kPythonTest =
    R"py("""Test of @NAME@: python3 -m unittest. PETLAB names the program, PETLAB_BACKBONE a CLIP."""

import os
import subprocess
import unittest
from pathlib import Path


def petlab(*arguments):
    command = [os.environ.get("PETLAB", "petlab"), *arguments,
               "--plugin-dir", str(Path(__file__).parent)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Test(unittest.TestCase):
    def test_petlab_knows_it(self):
        self.assertIn("@NAME@", petlab("describe", "@NAME@"))

    @unittest.skipUnless("PETLAB_BACKBONE" in os.environ, "PETLAB_BACKBONE names no CLIP")
    def test_it_trains_something(self):
        said = petlab("describe", "@NAME@", "--count", "--backbone", os.environ["PETLAB_BACKBONE"])
        self.assertRegex(said, r"(?m)^trainable +[1-9]")


if __name__ == "__main__":
    unittest.main()
)py";

constexpr std::string_view kCppMethod =
    // Not "cpp": the formatter would indent what that holds.
    R"text(#include "petlab/sdk/module_support.hpp"
#include "petlab/sdk/plugin.hpp"

#include <iterator>

// @NAME@: what it is, from which publication. This one learns a gain for every channel of
// every MLP output, which starts as zero-shot.
namespace {

namespace sdk = petlab::sdk;

constexpr char kName[] = "@NAME@";

std::unique_ptr<sdk::Adapter> make_adapter(const sdk::Options& options,
                                           const sdk::AdapterContext& context) {
  sdk::ParameterList parameters(sdk::device_of(context.backbone()));
  sdk::BackboneChanges changes;
  for (const sdk::TowerSite& tower :
       sdk::chosen_towers(options.text("towers"), context.backbone().shape()))
    for (std::int64_t layer = 0; layer < tower.shape->layers; ++layer)
      (changes.*tower.changes)
          .affines.push_back(
              {.layer = layer,
               .place = sdk::AffinePlace::mlp,
               .scale = parameters.add(sdk::layer_name(tower, layer, "gain"),
                                       sdk::fp32_ones({tower.shape->width})),
               .shift = {}});
  return sdk::make_function_adapter(
      parameters.take(), [changes](const sdk::ChangeRequest&) { return changes; });
}

constexpr sdk::OptionSpec kOptions[] = {sdk::kTowersOption, sdk::kTemplateOption};

constexpr sdk::MethodEntry kMethods[] = {
    {.name = kName,
     .summary = "a learned gain for every channel of every MLP output",
     .options = kOptions,
     .option_count = std::size(kOptions),
     .training = {.optimizer = "adamw", .learning_rate = 1e-3, .source = "an example"},
     .composable = true,
     .make = sdk::make_function_method<kName, make_adapter>},
};

}  // namespace

PETLAB_METHODS("MIT", kMethods);
)text";

constexpr std::string_view kCppBuild = R"cmake(cmake_minimum_required(VERSION 3.25)
project(@FILE@ LANGUAGES CXX)
# cmake -S . -B build -DCMAKE_PREFIX_PATH=FOLDER_OF_PETLAB && cmake --build build && ctest --test-dir build
find_package(petlab REQUIRED)
petlab_add_plugin(NAME @FILE@ VERSION 0.1.0 SOURCES plugin.cpp)

enable_testing()
find_program(PETLAB petlab HINTS ${petlab_DIR}/../../../bin REQUIRED)
# The plugin is loaded by the program that will use it; -DBACKBONE=DIR counts what it trains on a CLIP.
set(describe ${PETLAB} describe @NAME@ --plugin-dir $<TARGET_FILE_DIR:petlab_plugin_@FILE@>)
add_test(NAME petlab_knows_it COMMAND ${describe})
if(BACKBONE)
  add_test(NAME it_trains_something COMMAND ${describe} --count --backbone ${BACKBONE})
  set_tests_properties(it_trains_something PROPERTIES PASS_REGULAR_EXPRESSION "\ntrainable +[1-9]")
endif()
)cmake";

std::string file_name(std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

std::string filled(std::string_view text, const std::string& name) {
  std::string result(text);
  for (const auto& [mark, value] :
       {std::pair<std::string, std::string>{"@NAME@", name}, {"@FILE@", file_name(name)}})
    for (auto at = result.find(mark); at != std::string::npos; at = result.find(mark, at))
      result.replace(at, mark.size(), value);
  return result;
}

}  // namespace

std::map<std::string, std::string> python_method_files(const std::string& name) {
  const std::string file = file_name(name);
  return {{file + ".py", filled(kPythonMethod, name)},
          {"test_" + file + ".py", filled(kPythonTest, name)}};
}

std::map<std::string, std::string> cpp_method_files(const std::string& name) {
  return {{"plugin.cpp", filled(kCppMethod, name)}, {"CMakeLists.txt", filled(kCppBuild, name)}};
}

}  // namespace petlab::app
