#include "petlab/engine/adapted_backbone.hpp"

#include "petlab/base/error.hpp"
#include "petlab/engine/precision.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

namespace petlab::engine {

AdaptedBackbone::AdaptedBackbone(const clip::Backbone& backbone, const Adapters& adapters,
                                 const std::vector<Task>& tasks, const std::string& text_template,
                                 bool task_dependent, const AdapterChecks& checks,
                                 FailureContext& where)
    : backbone_(backbone),
      adapters_(adapters),
      checks_(checks),
      where_(where),
      texts_(backbone, tasks, text_template),
      frozen_class_features_(texts_.n_lists()) {
  find_sets(tasks, task_dependent);
  const at::NoGradGuard no_grad;
  for (std::size_t s = 0; s < sources_.size(); ++s) {
    const Source& source = sources_[s];
    const auto changes = where_.in_plugin("changes()", [&] {
      return adapters.adapters[source.adapter]->changes({.task = source.task});
    });
    const Footprint footprint = checks_.check_changes(changes, source.n_classes);
    checks_.check_finite(changes);
    if (s == 0) footprint_ = footprint;
    if (footprint != footprint_) {
      throw base::Error(base::ErrorKind::plugin,
                        "the adapters of one method change different layers or weights");
    }
  }
  for (const auto& set : sets_) {
    if (set.size() > 1 && footprint_.cannot_compose()) {
      throw base::Error(base::ErrorKind::plugin,
                        "the adapters of a method that calls itself composable replace weights or "
                        "the class scores");
    }
  }
  find_losses(tasks);
  logit_scale_ = backbone_.logit_scale();
}

void AdaptedBackbone::find_sets(const std::vector<Task>& tasks, bool task_dependent) {
  std::vector<std::int64_t> tasks_so_far(adapters_.adapters.size());
  std::vector<std::vector<std::size_t>> sets;
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    std::vector<std::size_t> set;
    for (const std::size_t adapter : adapters_.arrangement.of_task.at(t)) {
      const std::int64_t place = tasks_so_far[adapter]++;
      set.push_back(
          place_of(sources_, {.adapter = adapter,
                              .task = task_dependent ? place : 0,
                              .n_classes = static_cast<std::int64_t>(tasks[t].classes.size())}));
    }
    set_of_task_.push_back(place_of(sets, set));
  }
  sets_ = std::move(sets);
}

void AdaptedBackbone::call_changes(Prepared& prepared, std::size_t source, at::Generator* noise,
                                   std::int64_t step) {
  const Source& from = sources_[source];
  prepared.changes[source] = where_.in_plugin("changes()", [&] {
    const AutocastPause fp32(backbone_.device());
    return adapters_.adapters[from.adapter]->changes(
        {.task = from.task, .training = noise != nullptr, .noise = noise, .step = step});
  });
  if (checks_.check_changes(prepared.changes[source], from.n_classes) != footprint_) {
    throw base::Error(base::ErrorKind::plugin,
                      "changes() gives other layers or weights than before, expected the same "
                      "at every step");
  }
}

AdaptedBackbone::Prepared AdaptedBackbone::prepare(const std::vector<std::int64_t>& tasks,
                                                   at::Generator* noise, std::int64_t step) {
  Prepared prepared;
  prepared.noise = noise;
  prepared.changes.resize(sources_.size());
  prepared.overrides.resize(sets_.size());
  prepared.class_features.resize(set_of_task_.size());
  prepared.penalties.resize(set_of_task_.size());
  std::vector<bool> called(sources_.size());
  for (const std::int64_t task : tasks) {
    const auto t = static_cast<std::size_t>(task);
    const std::size_t set = set_of_task_.at(t);
    for (const std::size_t source : sets_[set]) {
      if (!called[source]) {
        called[source] = true;
        call_changes(prepared, source, noise, step);
        for (const auto& [name, value] : prepared.changes[source].weights) {
          prepared.overrides[set].emplace(name, value);
        }
      }
      if (const at::Tensor& penalty = prepared.changes[source].penalty; penalty.defined()) {
        at::Tensor& sum = prepared.penalties[t];
        sum = sum.defined() ? sum + penalty : penalty;
      }
    }
  }
  if (!footprint_.has_head) add_class_features(prepared, tasks);
  return prepared;
}

std::vector<std::vector<std::size_t>> AdaptedBackbone::connected_tasks(
    const std::vector<std::int64_t>& tasks) const {
  std::vector<std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const auto& mine = adapters_.arrangement.of_task.at(static_cast<std::size_t>(tasks[i]));
    std::vector<std::size_t> group{i};
    // Groups that this task joins become one with it.
    std::erase_if(groups, [&](const std::vector<std::size_t>& other) {
      const bool shares = std::any_of(other.begin(), other.end(), [&](std::size_t j) {
        const auto& theirs = adapters_.arrangement.of_task.at(static_cast<std::size_t>(tasks[j]));
        return std::any_of(mine.begin(), mine.end(), [&](std::size_t adapter) {
          return std::find(theirs.begin(), theirs.end(), adapter) != theirs.end();
        });
      });
      if (shares) group.insert(group.end(), other.begin(), other.end());
      return shares;
    });
    std::sort(group.begin(), group.end());
    groups.push_back(std::move(group));
  }
  return groups;
}

std::vector<const sdk::TowerChanges*> AdaptedBackbone::changes_of(const Prepared& prepared,
                                                                  std::size_t set,
                                                                  bool text) const {
  std::vector<const sdk::TowerChanges*> list;
  for (const std::size_t source : sets_[set]) {
    list.push_back(text ? &prepared.changes[source].text : &prepared.changes[source].vision);
  }
  return list;
}

clip::TowerBatch AdaptedBackbone::tower_batch(const Prepared& prepared, bool text,
                                              const std::vector<std::size_t>& sets,
                                              const std::vector<std::int64_t>& set_sizes,
                                              const at::Tensor& set_of_sample) const {
  const TowerFootprint& tower = text ? footprint_.text : footprint_.vision;
  if (tower.empty()) return {};
  std::vector<std::vector<const sdk::TowerChanges*>> towers;
  for (const std::size_t set : sets)
    towers.push_back(changes_of(prepared, set, text));
  clip::TowerBatch batch;
  if (tower.by_class || tower.conditioned) {
    batch.sets = std::move(towers);  // the prompts come row by row
  } else {
    const sdk::BackboneShape& shape = backbone_.shape();
    batch =
        clip::stack_changes(towers, text ? shape.text.layers : shape.vision.layers, set_of_sample);
  }
  batch.set_sizes = set_sizes;
  return batch;
}

}  // namespace petlab::engine
