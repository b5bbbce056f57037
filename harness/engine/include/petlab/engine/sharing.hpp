#pragma once

#include "petlab/engine/failure_context.hpp"
#include "petlab/engine/run_spec.hpp"
#include "petlab/engine/tasks.hpp"
#include "petlab/sdk/grouping.hpp"
#include "petlab/sdk/method.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace petlab::engine {

/// Whose an adapter is.
enum class Scope { shared, group, task };

/// "shared", "group", "task", as in results::ParameterCount.
[[nodiscard]] std::string_view to_string(Scope scope);

struct Owner {
  Scope scope = Scope::shared;
  std::string name;  ///< of the task, or of the group (its tasks with '+'); "" for shared
  /// What its seed comes from beside the scope: the task's name, the group's number. Which tasks a
  /// group has does not change how its adapter starts.
  std::string seed_name = {};

  bool operator==(const Owner&) const = default;
};

/// Which adapters there are and which of them each task uses.
struct Arrangement {
  std::vector<Owner> owners;  ///< one an adapter
  std::vector<std::vector<std::size_t>>
      of_task;  ///< adapters of a task: shared or group, then task
};

/// The arrangement that a sharing stands for. `partition` is used by sharings with groups only; it
/// must hold every task once, in canonical form.
[[nodiscard]] Arrangement arrange(Sharing sharing, const std::vector<std::string>& tasks,
                                  const sdk::Partition& partition = {});

/// The adapters of an arrangement with their parameters.
struct Adapters {
  Arrangement arrangement;
  std::vector<std::unique_ptr<sdk::Adapter>> adapters;    ///< one an owner
  std::vector<std::vector<sdk::NamedTensor>> parameters;  ///< one list an owner

  /// All parameters, each tensor once, in the order of the owners.
  [[nodiscard]] std::vector<at::Tensor> trainable() const;
  /// The factor of the learning rate of each of trainable(), by Training::rate_by_parameter and
  /// rate_by_scope. Throws Error(config) naming a pattern that fits no parameter.
  [[nodiscard]] std::vector<double> rate_factors(const Training& training) const;
};

/// What adapters are made for: the run's tasks, and how to get the features of the training images
/// of one of them (an index into `tasks`).
struct AdapterSource {
  const sdk::BackboneView& backbone;
  const std::vector<Task>& tasks;
  std::function<sdk::LabelledFeatures(std::size_t task)> training_features;
};

/// Lets the method make the adapters of the arrangement, each with a CPU generator of its own whose
/// seed comes from `seed` and the owner alone. Throws Error(plugin) for parameters that break the
/// contract of sdk::Adapter.
[[nodiscard]] Adapters make_adapters(const sdk::Method& method, const std::string& method_name,
                                     const AdapterSource& source, Arrangement arrangement,
                                     std::uint64_t seed, FailureContext& where);

/// Asks the adapters for their parameters again. Throws Error(plugin) where one is another tensor
/// than when it was made: the optimizer trains the one that it was given.
void check_same_parameters(const Adapters& adapters, const std::string& method_name,
                           FailureContext& where);

}  // namespace petlab::engine
