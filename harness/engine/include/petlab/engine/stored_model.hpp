#pragma once

#include "petlab/clip/backbone.hpp"
#include "petlab/engine/adapted_backbone.hpp"
#include "petlab/engine/adapter_checks.hpp"
#include "petlab/engine/failure_context.hpp"
#include "petlab/engine/stand_in.hpp"
#include "petlab/engine/stored_adapters.hpp"
#include "petlab/engine/tasks.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace petlab::engine {

/// Which task of a stored run each of some tasks is classified as: the run's own of that name,
/// unless the stand-in is one for all; else the stand-in, where one is named; else any, where the
/// run treats its tasks alike. Throws Error(config) with one sentence where none of these is so,
/// where the run has no such task, and where what is trained belongs to classes (a class head,
/// remembered examples, prompts of each class) that are not the task's own.
[[nodiscard]] std::vector<std::size_t> match_tasks(const StoredAdapters& stored,
                                                   const std::vector<Task>& tasks,
                                                   const StandIn& stand_in);

/// True where all tasks of a run use the same adapters in the same way.
[[nodiscard]] bool treats_tasks_alike(const StoredAdapters& stored);

/// True for changes that mean the classes of a task and no others: class heads, remembered
/// examples, prompts of each class.
[[nodiscard]] bool belongs_to_classes(const sdk::BackboneChanges& changes);

/// A backbone with the adapters of a finished run, as they come from its file. No plugin is asked.
class StoredModel {
 public:
  /// `tasks` may be others than the run's (match_tasks()); their training images are not looked at.
  /// Throws Error(config) for a backbone of other weights or settings than the run's, and
  /// Error(plugin) where the adapters do not fit it all the same.
  StoredModel(std::shared_ptr<const clip::Backbone> backbone, const StoredAdapters& stored,
              std::vector<Task> tasks, const StandIn& stand_in = {});
  StoredModel(const StoredModel&) = delete;
  StoredModel& operator=(const StoredModel&) = delete;

  [[nodiscard]] AdaptedBackbone& adapted() { return *adapted_; }
  [[nodiscard]] const std::vector<Task>& tasks() const { return tasks_; }

 private:
  std::shared_ptr<const clip::Backbone> backbone_;
  std::vector<Task> tasks_;
  AdapterChecks checks_;
  FailureContext where_;
  Adapters adapters_;
  std::optional<AdaptedBackbone> adapted_;
};

}  // namespace petlab::engine
