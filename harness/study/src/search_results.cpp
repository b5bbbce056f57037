#include "search_results.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace petlab::study {
namespace {

/// Of one trial.
struct TrialResult {
  bool missing = false;
  bool failed = false;
  double accuracy = 0.0;                        ///< mean over tasks, then over seeds
  std::map<std::string, double> task_accuracy;  ///< mean over seeds
  std::set<std::string> splits;                 ///< of its runs, by hash
};

TrialResult result_of(std::size_t trial, const Plan& trials, const results::RunStore* store) {
  TrialResult result;
  double sum = 0.0;
  int runs = 0;
  for (const results::PlannedRun& planned : trials.study.plan) {
    if (static_cast<std::size_t>(planned.row_index) != trial) continue;
    const auto run = store == nullptr
                         ? std::nullopt
                         : store->load(planned.hash, results::LoadDetail::without_predictions);
    if (!run) {
      result.missing = true;
    } else if (run->status == results::RunStatus::failed) {
      result.failed = true;
    } else {
      double accuracy = 0.0;
      for (const results::TaskResult& task : run->tasks) {
        accuracy += task.accuracy() / static_cast<double>(run->tasks.size());
        result.task_accuracy[task.task] += task.accuracy();
      }
      sum += accuracy;
      result.splits.insert(run->split_hash);
    }
    ++runs;
  }
  result.accuracy = sum / runs;
  for (auto& [task, accuracy] : result.task_accuracy)
    accuracy /= runs;
  return result;
}

/// The different images that score a trial's runs, by task, in the order of the split.
std::vector<std::pair<std::string, std::int64_t>> scored_images(const TrialResult& result,
                                                                const results::RunStore& store) {
  std::vector<std::string> order;
  std::map<std::string, std::set<std::string>> ids;
  for (const std::string& hash : result.splits) {
    const auto split = store.split(hash);
    if (!split) continue;
    for (const results::TaskSplit& task : split->tasks) {
      if (ids.count(task.task) == 0) order.push_back(task.task);
      for (const results::TestImage& image : task.test)
        ids[task.task].insert(image.sample_id);
    }
  }
  std::vector<std::pair<std::string, std::int64_t>> images;
  for (const std::string& task : order)
    images.emplace_back(task, static_cast<std::int64_t>(ids[task].size()));
  return images;
}

/// Of a mean over tasks of shares p of n images each: the square root of the sum of p (1 - p) / n,
/// over the number of tasks.
double standard_error(const TrialResult& result,
                      const std::vector<std::pair<std::string, std::int64_t>>& images) {
  double variance = 0.0;
  for (const auto& [task, number] : images) {
    const double share = result.task_accuracy.at(task);
    variance += share * (1.0 - share) / static_cast<double>(number);
  }
  return std::sqrt(variance) / static_cast<double>(images.size());
}

}  // namespace

RowResult row_result(const Search& search, std::size_t row, const Plan& trials,
                     const results::RunStore* store) {
  RowResult result;
  TrialResult best;
  for (std::size_t i = 0; i < search.trials.size(); ++i) {
    if (search.trials[i].row != row) continue;
    ++result.trials;
    if (search.trials[i].is_added) ++result.added;
    TrialResult one = result_of(i, trials, store);
    result.missing = result.missing || one.missing;
    if (one.missing || one.failed) continue;
    if (result.best && one.accuracy <= best.accuracy) continue;
    result.best = i;
    best = std::move(one);
  }
  if (result.missing || !result.best) return result;
  result.accuracy = best.accuracy;
  result.images = scored_images(best, *store);
  result.standard_error = standard_error(best, result.images);
  return result;
}

std::vector<std::size_t> ranked_trials(const Search& search, std::size_t row, const Plan& trials,
                                       const results::RunStore* store) {
  std::vector<std::pair<double, std::size_t>> worked;
  for (std::size_t i = 0; i < search.trials.size(); ++i) {
    if (search.trials[i].row != row) continue;
    const TrialResult one = result_of(i, trials, store);
    if (one.missing) return {};
    if (!one.failed) worked.emplace_back(one.accuracy, i);
  }
  std::stable_sort(worked.begin(), worked.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<std::size_t> ranked;
  for (const auto& [accuracy, trial] : worked)
    ranked.push_back(trial);
  return ranked;
}

}  // namespace petlab::study
