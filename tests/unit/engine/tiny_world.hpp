#pragma once

#include "petlab/clip/backbone.hpp"
#include "petlab/clip/tokenizer.hpp"
#include "petlab/engine/run.hpp"
#include "petlab/engine/sharing.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

// A world small enough that a run takes a moment: a random CLIP of 2 + 2 layers, tasks of random
// pictures, and methods that a test defines in place.
namespace petlab::engine::testing {

/// A vocabulary of 525 tokens.
[[nodiscard]] clip::Tokenizer tiny_tokenizer();

/// Image 16 px, patch 8, both towers 2 layers; widths 16 and 12. The same weights for the same
/// seed.
[[nodiscard]] std::shared_ptr<const clip::Backbone> tiny_backbone(std::uint64_t seed = 1);

struct TinyTask {
  std::string name;
  std::vector<std::string> classes;
  std::int64_t n_train = 6;
  std::int64_t n_test = 5;
};

/// Adds a task of random pictures: pictures of a class share a pattern that depends on its index.
void add_task(RunInputs& inputs, const TinyTask& task, std::uint64_t seed = 7);

/// Three tasks: two with the same classes, one with others; of different sizes.
[[nodiscard]] RunInputs tiny_inputs(const sdk::MethodEntry& method,
                                    const sdk::GroupingEntry* grouping = nullptr);

/// Options with which a method of the project fits the tiny towers, where its defaults do not.
[[nodiscard]] std::map<std::string, std::string> tiny_options(const sdk::MethodEntry& method);

[[nodiscard]] RunSpec tiny_spec(const std::string& method, Sharing sharing,
                                std::int64_t epochs = 3);

/// The adapter source of tasks whose methods ask for no features.
[[nodiscard]] AdapterSource tiny_source(const clip::Backbone& backbone,
                                        const std::vector<Task>& tasks);

/// The adapter of `owner` as the run with this seed makes it, used by all of `tasks`.
[[nodiscard]] std::unique_ptr<sdk::Adapter> tiny_adapter(const sdk::MethodEntry& method,
                                                         const clip::Backbone& backbone,
                                                         const std::vector<Task>& tasks,
                                                         std::uint64_t seed, Scope scope,
                                                         const std::string& owner);

/// As the worker does it.
[[nodiscard]] results::RunRecord run(const RunSpec& spec, const RunInputs& inputs);

/// run() that must succeed.
[[nodiscard]] results::RunRecord run_well(const RunSpec& spec, const RunInputs& inputs);

/// Deep prompts, 2 tokens a layer, N(0, 0.5).
[[nodiscard]] const sdk::MethodEntry& both_prompts();   // both towers, composable
[[nodiscard]] const sdk::MethodEntry& text_prompts();   // text tower only
[[nodiscard]] const sdk::MethodEntry& image_prompts();  // image tower only
[[nodiscard]] const sdk::MethodEntry& whole_copy();     // a trainable copy of all weights
[[nodiscard]] const sdk::MethodEntry& nothing();        // zero-shot

/// Everything in one group.
[[nodiscard]] const sdk::GroupingEntry& all_in_one();
/// Two groups by the cosine of the tasks' gradients over one epoch.
[[nodiscard]] const sdk::GroupingEntry& by_gradients();

}  // namespace petlab::engine::testing
