#include "petlab/engine/stored_model.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/suggestion.hpp"
#include "petlab/base/text.hpp"
#include "petlab/engine/tasks.hpp"
#include "petlab/sdk/device_copy.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace petlab::engine {
namespace {

/// An adapter whose changes are known. request.task counts the tasks that use it, in their order.
class KnownAdapter final : public sdk::Adapter {
 public:
  explicit KnownAdapter(std::vector<sdk::BackboneChanges> changes) : changes_(std::move(changes)) {}

  [[nodiscard]] std::vector<sdk::NamedTensor> parameters() const override { return {}; }
  [[nodiscard]] sdk::BackboneChanges changes(const sdk::ChangeRequest& request) const override {
    return changes_.at(static_cast<std::size_t>(request.task));
  }
  void add(sdk::BackboneChanges changes) { changes_.push_back(std::move(changes)); }

 private:
  std::vector<sdk::BackboneChanges> changes_;
};

std::string run_text(const StoredAdapters& stored) {
  return "run " + base::short_hash(stored.facts.identity) + " ('" + stored.facts.method + "', " +
         stored.facts.sharing + ")";
}

std::optional<std::size_t> find_task(const StoredAdapters& stored, const std::string& name) {
  for (std::size_t t = 0; t < stored.tasks.size(); ++t)
    if (stored.tasks[t].name == name) return t;
  return std::nullopt;
}

/// What the adapter makes of one of the run's tasks.
const sdk::BackboneChanges& changes_for(const StoredAdapters& stored, std::size_t adapter,
                                        std::size_t task) {
  const std::vector<sdk::BackboneChanges>& changes = stored.adapters[adapter].changes;
  if (changes.size() == 1) return changes.front();
  const std::vector<std::size_t> tasks = stored.tasks_of(adapter);
  return changes[static_cast<std::size_t>(std::find(tasks.begin(), tasks.end(), task) -
                                          tasks.begin())];
}

void check_classes(const StoredAdapters& stored, std::size_t own, const Task& task) {
  const StoredTask& known = stored.tasks[own];
  const bool is_bound = std::any_of(
      known.adapters.begin(), known.adapters.end(),
      [&](std::size_t adapter) { return belongs_to_classes(changes_for(stored, adapter, own)); });
  if (!is_bound || known.classes == task.classes) return;
  const auto [mine, theirs] = std::mismatch(known.classes.begin(), known.classes.end(),
                                            task.classes.begin(), task.classes.end());
  base::throw_config_error("what " + run_text(stored) + " trained for task '" + known.name +
                           "' belongs to its " + std::to_string(known.classes.size()) +
                           " classes, and '" + task.name + "' has " +
                           std::to_string(task.classes.size()) + ", which differ: " +
                           (mine == known.classes.end() ? "'" + *theirs + "' is not among them"
                                                        : "expected '" + *mine + "'" +
                                                              (theirs == task.classes.end()
                                                                   ? std::string(" too")
                                                                   : ", found '" + *theirs + "'")));
}

void check_backbone(const StoredAdapters& stored, const clip::Backbone& backbone) {
  const auto check = [&](const char* what, const std::string& found, const std::string& expected) {
    if (found != expected)
      base::throw_config_error(run_text(stored) + " adapted backbone '" + stored.facts.backbone +
                               "'; this one has other " + what + " (" + base::short_hash(found) +
                               ", expected " + base::short_hash(expected) + ")");
  };
  check("weights", backbone.weight_hash(), stored.facts.backbone_weights);
  check("settings", backbone.settings_hash(), stored.facts.backbone_settings);
}

/// The same changes on the device.
sdk::BackboneChanges on_device(sdk::BackboneChanges changes, c10::Device device) {
  if (device.is_cpu()) return changes;  // with the strides that they had
  sdk::visit_tensors(changes, [&](at::Tensor& tensor, const sdk::TensorSpec&) {
    if (tensor.defined()) tensor = sdk::to_device(tensor, device);
  });
  return changes;
}

Adapters known_adapters(const StoredAdapters& stored, const std::vector<std::size_t>& own,
                        c10::Device device) {
  Adapters result;
  std::map<std::size_t, std::size_t> places;  // of the adapters that are used
  std::vector<KnownAdapter*> known;
  for (const std::size_t task : own) {
    std::vector<std::size_t>& of_task = result.arrangement.of_task.emplace_back();
    for (const std::size_t adapter : stored.tasks[task].adapters) {
      const auto [place, is_new] = places.emplace(adapter, known.size());
      if (is_new) {
        auto made = std::make_unique<KnownAdapter>(std::vector<sdk::BackboneChanges>{});
        known.push_back(made.get());
        result.arrangement.owners.push_back(stored.adapters[adapter].owner);
        result.adapters.push_back(std::move(made));
        result.parameters.emplace_back();
      }
      known[place->second]->add(on_device(changes_for(stored, adapter, task), device));
      of_task.push_back(place->second);
    }
  }
  return result;
}

bool depends_on_task(const StoredAdapters& stored) {
  return std::any_of(stored.adapters.begin(), stored.adapters.end(),
                     [](const StoredAdapter& adapter) { return adapter.changes.size() > 1; });
}

}  // namespace

bool belongs_to_classes(const sdk::BackboneChanges& changes) {
  return changes.head || !changes.caches.empty() ||
         std::any_of(changes.text.prompts.begin(), changes.text.prompts.end(),
                     [](const sdk::PromptTokens& prompt) { return prompt.tokens.dim() == 3; });
}

bool treats_tasks_alike(const StoredAdapters& stored) {
  return std::all_of(stored.tasks.begin(), stored.tasks.end(),
                     [&](const StoredTask& task) {
                       return task.adapters == stored.tasks.front().adapters;
                     }) &&
         std::all_of(stored.adapters.begin(), stored.adapters.end(),
                     [](const StoredAdapter& adapter) { return adapter.changes.size() == 1; });
}

std::vector<std::size_t> match_tasks(const StoredAdapters& stored, const std::vector<Task>& tasks,
                                     const StandIn& stand_in) {
  const std::vector<std::string> known = names_of(stored.tasks);
  const std::optional<std::size_t> other = find_task(stored, stand_in.task);
  if (!stand_in.task.empty() && !other)
    base::throw_config_error(run_text(stored) + " has no task '" + stand_in.task + "'" +
                             base::did_you_mean(stand_in.task, known) + "; it has " +
                             base::joined(known));
  std::vector<std::size_t> own;
  for (const Task& task : tasks) {
    std::optional<std::size_t> match =
        stand_in.for_all ? std::nullopt : find_task(stored, task.name);
    if (!match) match = other;
    if (!match && treats_tasks_alike(stored)) match = 0;
    if (!match)
      base::throw_config_error(run_text(stored) + " treats its tasks (" + base::joined(known) +
                               ") each in its own way and does not know '" + task.name +
                               "'; say as which of them it is classified (--as TASK)");
    check_classes(stored, *match, task);
    own.push_back(*match);
  }
  return own;
}

StoredModel::StoredModel(std::shared_ptr<const clip::Backbone> backbone,
                         const StoredAdapters& stored, std::vector<Task> tasks,
                         const StandIn& stand_in)
    : backbone_(std::move(backbone)),
      tasks_(std::move(tasks)),
      checks_(stored.facts.method, *backbone_) {
  check_backbone(stored, *backbone_);
  checks_.check_template(stored.facts.text_template);
  adapters_ = known_adapters(stored, match_tasks(stored, tasks_, stand_in), backbone_->device());
  adapted_.emplace(*backbone_, adapters_, tasks_, stored.facts.text_template,
                   depends_on_task(stored), checks_, where_);
}

}  // namespace petlab::engine
