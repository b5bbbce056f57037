#pragma once

#include "petlab/sdk/adapter.hpp"
#include "petlab/sdk/options.hpp"

#include <ATen/core/Generator.h>

#include <memory>
#include <string>

namespace petlab::sdk {

/// How long the code of a method's publication trains, and how its learning rate goes: what a
/// protocol with `budget = published` takes in the place of its own. One of `epochs` and `steps` is
/// above 0, but where nothing is published for these shots.
struct PublishedBudget {
  std::int64_t epochs = 0;                  ///< passes over the training images
  std::int64_t steps = 0;                   ///< optimizer steps, in the place of epochs
  std::int64_t batch = 0;                   ///< images in one step
  const char* schedule = "cosine";          ///< or "constant"
  const char* schedule_interval = "epoch";  ///< what a cosine counts: "epoch" or "step"
  double end_learning_rate = 0.0;           ///< of a cosine
  std::int64_t warmup_epochs = 0;           ///< at the protocol's warm-up rate
};

/// `shots`: training images of each class (of each task); 0 where classes have different numbers.
using BudgetFunction = PublishedBudget (*)(std::int64_t shots);

/// The budget of code on Dassl (CoOp's and MaPLe's families): batches, and epochs of which the
/// first is a warm-up, with a cosine over epochs.
template <std::int64_t kEpochs, std::int64_t kBatch>
PublishedBudget dassl_budget(std::int64_t /*shots*/) {
  return {.epochs = kEpochs, .batch = kBatch, .warmup_epochs = 1};
}

/// How the method's own publication trains it: the defaults of the run's optimizer options. What is
/// common to all methods (epochs, batches, schedule) belongs to the protocol.
struct TrainingDefaults {
  const char* optimizer = "sgd";  ///< "sgd" or "adamw"
  double learning_rate = 0.002;
  double weight_decay = 5e-4;
  double momentum = 0.9;            ///< sgd only
  double epsilon = 1e-8;            ///< adam and adamw only
  const char* source = "";          ///< where the values come from
  BudgetFunction budget = nullptr;  ///< null where no public code trains the method on CLIP
};

/// A way to adapt the backbone. Says what an adapter is; how many there are and which tasks use
/// which is decided by the host (sharing).
class Method {
 public:
  virtual ~Method() = default;

  /// The text around a class name, with exactly one "{}", e.g. "a photo of a {}.".
  [[nodiscard]] virtual std::string text_template() const = 0;

  /// A new adapter. Throws Error(config) when the options do not fit the backbone's shape.
  [[nodiscard]] virtual std::unique_ptr<Adapter> make_adapter(
      const AdapterContext& context) const = 0;
};

using MethodFactory = std::unique_ptr<Method> (*)(const Options&);

/// One method of a plugin. Only literals and a function pointer: no code runs at load time.
struct MethodEntry {
  const char* name = "";     ///< as in the protocol, lower case with dashes
  const char* summary = "";  ///< one line
  const OptionSpec* options = nullptr;
  std::uint64_t option_count = 0;
  TrainingDefaults training = {};
  /// True when changes of two adapters of this method can be composed (prompts: yes; trainable
  /// copies of weights: no). `grouped+specific` and `joint+specific` need it.
  bool composable = false;
  /// True when changes() depends on the task that it is asked for (task embeddings, gates, heads
  /// and prompts that belong to the classes of a task).
  bool task_dependent = false;
  MethodFactory make = nullptr;
  /// What the method is where a report has to know it: a value of `trait` below, or "". A name
  /// (lower-case letters, digits, dashes), stored with each run; reports pass over those that they
  /// do not know.
  const char* trait = "";
};

/// Values of MethodEntry::trait.
namespace trait {
/// The backbone as it is, nothing is adapted: what other methods are compared with.
inline constexpr const char* kBaseline = "baseline";
}  // namespace trait

}  // namespace petlab::sdk
