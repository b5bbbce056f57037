#include "run_checks.hpp"

#include "petlab/results/identity.hpp"
#include "petlab/results/named_values.hpp"
#include "store.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <string_view>
#include <utility>

namespace petlab::results {
namespace {

constexpr std::size_t kHashDigits = 64;
constexpr std::size_t kMaxClasses = 65536;

// Throws with a common beginning when the condition does not hold.
class Checker {
 public:
  Checker(const std::filesystem::path& path, std::string subject)
      : path_(path), subject_(std::move(subject)) {}

  void operator()(bool holds, const std::string& sentence) const {
    if (!holds) throw store_error(path_, subject_ + ": " + sentence);
  }

 private:
  const std::filesystem::path& path_;
  std::string subject_;
};

bool is_hash(const std::string& text) {
  return text.size() == kHashDigits &&
         text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

bool is_storable(std::uint64_t seed) {
  return seed <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
}

Checker checker_for(const std::filesystem::path& path, const RunRecord& run) {
  return {path, "run of '" + run.method + "' (" + run.sharing + ", seed " +
                    std::to_string(run.seed) + ")"};
}

void check_names_once(const Checker& check, const NamedValues& values, const std::string& kind) {
  std::set<std::string> names;
  for (const auto& [name, value] : values) {
    check(!name.empty(), "a value in its " + kind + " has no name");
    check(names.insert(name).second, "'" + name + "' occurs twice in its " + kind);
  }
}

// What stands in the identity stands in columns, too: reports read the columns.
void check_identity(const Checker& check, const RunRecord& run) {
  check(make_identity(run.identity.parts).hash == run.identity.hash,
        "its identity '" + run.identity.hash + "' is not the hash of its identity's parts");
  const std::pair<const char*, std::string> columns[] = {{"method", run.method},
                                                         {"sharing", run.sharing},
                                                         {"seed", std::to_string(run.seed)},
                                                         {"grouping", run.grouping_strategy},
                                                         {"parent", run.parent.value_or("")},
                                                         {"dataset.fingerprint", run.dataset_hash},
                                                         {"dataset.split", run.split_hash}};
  for (const auto& [name, column] : columns) {
    const std::string part = value_of(run.identity.parts, name);
    // Columns of data set and split may be empty: a run that failed early met neither, and what is
    // to be recorded need not name the data set of its split.
    const bool is_unknown = column.empty() && std::string_view(name).starts_with("dataset.");
    check(part.empty() || part == column || is_unknown,
          std::string("its ") + name + " is '" + column + "', its identity's '" + part + "'");
  }
}

void check_partition(const Checker& check, const Partition& partition,
                     const std::set<std::string>& tasks) {
  std::set<std::string> seen;
  for (const auto& group : partition) {
    check(!group.empty(), "a group of its grouping is empty");
    for (const auto& task : group) {
      check(tasks.count(task) == 1, "its grouping names an unknown task '" + task + "'");
      check(seen.insert(task).second, "its grouping has task '" + task + "' twice");
    }
  }
  check(seen == tasks, "its grouping leaves out a task");
}

void check_grouping(const Checker& check, const GroupingRecord& grouping) {
  const std::size_t n = grouping.tasks.size();
  const std::set<std::string> tasks(grouping.tasks.begin(), grouping.tasks.end());
  check(tasks.size() == n, "its grouping lists a task twice");
  check(grouping.affinity.empty() || grouping.affinity.size() == n * n,
        "its affinity matrix has " + std::to_string(grouping.affinity.size()) +
            " values, expected " + std::to_string(n * n));
  check(std::isfinite(grouping.score), "the score of its grouping is not a finite number");
  check_partition(check, grouping.partition, tasks);
  for (const ScoredPartition& other : grouping.runners_up) {
    check(std::isfinite(other.score), "the score of a runner-up grouping is not a finite number");
    check_partition(check, other.partition, tasks);
  }
}

// Reports divide by the task's number of test images and compare costs: both must be numbers.
void check_numbers(const Checker& check, const RunRecord& run) {
  for (const PhaseCost& cost : run.costs) {
    check(std::isfinite(cost.seconds) && cost.seconds >= 0.0,
          "seconds of phase '" + cost.phase + "' are not a number of at least 0");
  }
  for (const EpochRecord& epoch : run.epochs) {
    check(std::isfinite(epoch.learning_rate) && std::isfinite(epoch.seconds),
          "learning rate or seconds of epoch " + std::to_string(epoch.epoch) +
              " are not finite numbers");
    check(run.status == RunStatus::failed || std::isfinite(epoch.loss),
          "the loss of epoch " + std::to_string(epoch.epoch) +
              " is not a finite number in a finished run");
  }
}

void check_counts(const Checker& check, const RunRecord& run) {
  check(run.resumed >= 0, "it was resumed fewer than 0 times");
  for (const std::optional<double>& flops : {run.step_flops, run.image_flops}) {
    check(!flops || (std::isfinite(*flops) && *flops >= 0.0),
          "its floating-point operations of a step or an image are not a number of at least 0");
  }
  for (const EpochRecord& epoch : run.epochs) {
    check(epoch.steps >= 0 && epoch.images >= 0,
          "epoch " + std::to_string(epoch.epoch) + " has fewer than 0 steps or images");
  }
}

void check_adapters(const Checker& check, const RunRecord& run) {
  check(run.adapters_hash.empty() || is_hash(run.adapters_hash),
        "the digest of its adapters, '" + run.adapters_hash + "', is not 64 hex digits");
  check(run.adapters_bytes >= 0 && (run.adapters_bytes > 0) == !run.adapters_hash.empty(),
        "its adapters have a digest or a size, expected both or none");
  check(run.kind == run_kind::kTraining || run.kind == run_kind::kEvaluation,
        "its kind is '" + run.kind + "', expected training or evaluation");
  check((run.kind == run_kind::kEvaluation) == run.parent.has_value() &&
            (!run.parent || (is_hash(*run.parent) && *run.parent != run.identity.hash)),
        "an evaluation names the run that trained its adapters, and no other run does");
}

void check_searches(const Checker& check, const StudyRecord& study,
                    const std::map<std::int64_t, std::string>& labels) {
  std::set<std::int64_t> rows;
  for (const SearchRecord& search : study.searches) {
    const std::string row = "the search of row " + std::to_string(search.row_index) + ": ";
    check(labels.count(search.row_index) == 1, row + "the plan has no such row");
    check(rows.insert(search.row_index).second, row + "it occurs twice");
    check(!search.strategy.empty() && search.trials >= 1 && search.trial_runs >= 0,
          row + "it has no strategy or no trials");
    check(search.validation_accuracy >= 0.0 && search.validation_accuracy <= 1.0,
          row + "the validation accuracy is not in 0 to 1");
    check_names_once(check, search.chosen, "chosen settings");
    check(search.added_trials >= 0 && search.added_trials < search.trials,
          row + "not all of its trials can be added ones, nor fewer than none");
    check(search.scored_on == scored_on::kHeldOut || search.scored_on == scored_on::kDevelopment,
          row + "it is scored on '" + search.scored_on + "' images");
    check(!search.standard_error ||
              (std::isfinite(*search.standard_error) && *search.standard_error >= 0.0),
          row + "the standard error is not a number of at least 0");
    check_names_once(check, search.edges, "chosen settings at an edge");
    for (const auto& [name, edge] : search.edges) {
      check(std::any_of(search.chosen.begin(), search.chosen.end(),
                        [&](const auto& chosen) { return chosen.first == name; }),
            row + "'" + name + "' is at an edge, but was not chosen");
      check(edge == search_edge::kLowest || edge == search_edge::kHighest,
            row + "'" + edge + "' is no edge of a grid");
    }
    std::set<std::string> tasks;
    for (const auto& [task, images] : search.images)
      check(tasks.insert(task).second && !task.empty() && images >= 1,
            row + "task '" + task + "' occurs twice, or has no images");
  }
}

void check_task(const Checker& check, const TaskResult& result, const TaskSplit& task) {
  const std::string name = "task '" + task.task + "': ";
  check(std::isfinite(result.loss), name + "the test loss is not a finite number");
  check(result.n_test == static_cast<std::int64_t>(task.test.size()),
        name + std::to_string(result.n_test) + " test images, the split has " +
            std::to_string(task.test.size()));
  check(result.n_train == task.n_train, name + std::to_string(result.n_train) +
                                            " training images, the split has " +
                                            std::to_string(task.n_train));
  check(result.predictions.size() == task.test.size(),
        name + std::to_string(result.predictions.size()) + " predictions for " +
            std::to_string(task.test.size()) + " test images");
  std::int64_t correct = 0;
  for (std::size_t i = 0; i < task.test.size(); ++i) {
    const ImagePrediction& one = result.predictions[i];
    check(one.predicted >= 0 && one.predicted < static_cast<std::int64_t>(task.classes.size()),
          name + "prediction " + std::to_string(i) + " is class " + std::to_string(one.predicted) +
              ", the task has " + std::to_string(task.classes.size()) + " classes");
    check(one.probability >= 0.0 && one.probability <= 1.0,
          name + "the probability of prediction " + std::to_string(i) + " is not in 0 to 1");
    if (one.predicted == task.test[i].label) ++correct;
  }
  check(correct == result.n_correct, name + "n_correct is " + std::to_string(result.n_correct) +
                                         ", the predictions give " + std::to_string(correct));
}

}  // namespace

void check_run(const std::filesystem::path& path, const RunRecord& run) {
  const Checker check = checker_for(path, run);
  check(!run.method.empty() && !run.sharing.empty(), "it has no method or no sharing");
  check(is_storable(run.seed), "the seed is larger than 2^63 - 1");
  check_names_once(check, run.options, "options");
  check_names_once(check, run.protocol, "protocol");
  check_names_once(check, run.environment, "environment");
  check_numbers(check, run);
  check_counts(check, run);
  check_adapters(check, run);
  check_identity(check, run);
  if (run.grouping) check_grouping(check, *run.grouping);
  if (run.status == RunStatus::failed) {
    check(!run.error.empty() && !run.error_kind.empty(), "it failed but gives no reason");
    check(run.tasks.empty(), "it failed but brings test results");
    return;
  }
  check(run.error.empty() && run.error_kind.empty(), "it is finished but brings an error");
  check(!run.split_hash.empty(), "it is finished but names no split");
  check(run.frozen_hash_before == run.frozen_hash_after,
        "frozen weights changed while it trained, so it cannot count as finished");
}

void check_against_split(const std::filesystem::path& path, const RunRecord& run,
                         const SplitRecord& split) {
  const Checker check = checker_for(path, run);
  check(run.tasks.size() == split.tasks.size(),
        "it has results for " + std::to_string(run.tasks.size()) + " tasks, its split has " +
            std::to_string(split.tasks.size()));
  for (const TaskSplit& task : split.tasks) {
    const auto found = std::find_if(run.tasks.begin(), run.tasks.end(),
                                    [&](const TaskResult& r) { return r.task == task.task; });
    check(found != run.tasks.end(), "it has no result for task '" + task.task + "' of its split");
    check_task(check, *found, task);
  }
}

void check_split(const std::filesystem::path& path, const SplitRecord& split) {
  const Checker check(path, "split '" + split.name + "'");
  check(!split.hash.empty() && !split.dataset.hash.empty() && !split.dataset.name.empty(),
        "it has no hash, or its data set has no name or no hash");
  check(split.fraction >= 0.0 && split.fraction <= 1.0, "its fraction is not in 0 to 1");
  check(is_storable(split.seed), "the seed is larger than 2^63 - 1");
  check(!split.tasks.empty(), "it has no tasks");
  std::set<std::string> names;
  for (const TaskSplit& task : split.tasks) {
    check(!task.task.empty() && names.insert(task.task).second,
          "task '" + task.task + "' has no name or occurs twice");
    check(task.n_train >= 0, "task '" + task.task + "' has fewer than 0 training images");
    check(task.classes.size() <= kMaxClasses,
          "task '" + task.task + "' has more than 65536 classes");
    check(!task.test.empty(), "task '" + task.task + "' has no test images");
    std::set<std::string> samples;
    for (const TestImage& image : task.test) {
      check(!image.sample_id.empty() && samples.insert(image.sample_id).second,
            "image '" + image.sample_id + "' of task '" + task.task +
                "' has no name or occurs twice");
      check(image.label >= 0 && image.label < static_cast<std::int64_t>(task.classes.size()),
            "image '" + image.sample_id + "' of task '" + task.task + "' has label " +
                std::to_string(image.label) + ", the task has " +
                std::to_string(task.classes.size()) + " classes");
    }
  }
}

void check_study(const std::filesystem::path& path, const StudyRecord& study) {
  const Checker check(path, "study '" + study.name + "'");
  check(!study.name.empty(), "it has no name");
  std::map<std::int64_t, std::string> labels;
  std::map<std::string, std::int64_t> rows;
  std::set<std::pair<std::int64_t, std::uint64_t>> planned;
  for (const PlannedRun& run : study.plan) {
    const std::string row = "row " + std::to_string(run.row_index) + ": ";
    check(run.row_index >= 0 && !run.row_label.empty(), row + "no label, or an index below 0");
    check(is_storable(run.seed), row + "the seed is larger than 2^63 - 1");
    check(is_hash(run.hash), row + "identity '" + run.hash + "' is not 64 hex digits");
    const std::string& label = labels.emplace(run.row_index, run.row_label).first->second;
    check(label == run.row_label,
          row + "it has two labels, '" + label + "' and '" + run.row_label + "'");
    check(rows.emplace(run.row_label, run.row_index).first->second == run.row_index,
          row + "another row has the label '" + run.row_label + "' too");
    check(planned.emplace(run.row_index, run.seed).second,
          row + "seed " + std::to_string(run.seed) + " is planned twice");
  }
  check_searches(check, study, labels);
}

void check_lease(const std::filesystem::path& path, const std::string& identity,
                 const std::string& owner, std::chrono::milliseconds ttl) {
  const Checker check(path, "lease of run '" + identity + "'");
  check(is_hash(identity), "the identity is not 64 hex digits");
  check(!owner.empty(), "it has no owner");
  check(ttl.count() >= 1, "its time to live is below 1 ms");
}

}  // namespace petlab::results
