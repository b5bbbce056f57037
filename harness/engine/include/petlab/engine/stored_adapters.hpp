#pragma once

#include "petlab/engine/failure_context.hpp"
#include "petlab/engine/sharing.hpp"
#include "petlab/engine/tasks.hpp"
#include "petlab/results/record.hpp"
#include "petlab/sdk/changes.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace petlab::engine {

/// What the file of a run's adapters says of them all.
struct AdapterFacts {
  std::string identity;  ///< of the run
  std::string method;
  std::string plugin;
  std::string plugin_version;
  results::NamedValues options;  ///< record_options()
  std::string sharing;
  std::uint64_t seed = 0;
  std::string text_template;  ///< with one "{}", where the class name goes
  std::string precision;
  std::string backbone;           ///< its name
  std::string backbone_weights;   ///< clip::Backbone::weight_hash()
  std::string backbone_settings;  ///< clip::Backbone::settings_hash()
  std::string licence;            ///< a note, for people
};

/// A task that the run trained on.
struct StoredTask {
  std::string name;
  std::vector<std::string> classes;   ///< as they stand in the texts, in label order
  std::vector<std::size_t> adapters;  ///< that it uses, in the order in which they are composed
};

/// An adapter as a finished run leaves it: what it trained, and what that makes of the backbone.
struct StoredAdapter {
  Owner owner;  ///< without seed_name
  std::vector<sdk::NamedTensor> parameters;
  /// What changes() gives in evaluation, so that no plugin is needed to use the adapter: one for
  /// each of its tasks in their order, or one for all of them. Without penalty, noise and dropout,
  /// which belong to training.
  std::vector<sdk::BackboneChanges> changes;
};

/// The adapters of a run with all that is needed to classify with them, but for the backbone.
struct StoredAdapters {
  AdapterFacts facts;
  std::vector<StoredTask> tasks;
  std::vector<StoredAdapter> adapters;

  /// Tasks that use an adapter, as indices into `tasks`.
  [[nodiscard]] std::vector<std::size_t> tasks_of(std::size_t adapter) const;
};

/// "shared", "group a+b", "task a".
[[nodiscard]] std::string owner_text(const Owner& owner);

/// The adapters of a run at their present values. `task_dependent` as in sdk::MethodEntry. Calls
/// changes() once for each adapter, or for each of its tasks.
[[nodiscard]] StoredAdapters take_adapters(const Adapters& adapters, const std::vector<Task>& tasks,
                                           bool task_dependent, AdapterFacts facts,
                                           FailureContext& where);

/// Writes a safetensors file, whole or not at all, synced (results/README.md has the layout). The
/// same adapters give the same bytes. Parameters are tensors "OWNER/NAME", e.g. "shared/prompts" or
/// "task art/vision.0.up"; what changes hold besides them "OWNER/changes/PART.TENSOR", of several
/// tasks "OWNER/changes/TASK/PART.TENSOR". The header says the rest.
void write_adapters(const StoredAdapters& adapters, const std::filesystem::path& file);

/// Reads what write_adapters() wrote, on the CPU: values, strides and all. The file is treated as
/// hostile. Throws Error(data) naming the file and what is wrong with it.
[[nodiscard]] StoredAdapters read_adapters(const std::filesystem::path& file);

}  // namespace petlab::engine
