#include "petlab/reports/compare.hpp"

#include "compare_settings.hpp"
#include "compare_verdict.hpp"
#include "petlab/base/error.hpp"

#include <algorithm>
#include <tuple>

namespace petlab::reports {
namespace {

using results::RunRecord;
using results::SplitRecord;
using results::TaskResult;

constexpr std::size_t kShownDigits = 12;

[[noreturn]] void fail(const std::string& message) {
  throw base::Error(base::ErrorKind::config, message);
}

const RunRecord* run_with_seed(const Side& side, std::uint64_t seed) {
  for (const RunRecord& run : side.runs) {
    if (run.seed == seed) return &run;
  }
  return nullptr;
}

std::vector<RunPair> pair_runs(const Side& a, const Side& b) {
  std::vector<RunPair> pairs;
  if (a.runs.size() == 1 && b.runs.size() == 1) {
    pairs.emplace_back(&a.runs.front(), &b.runs.front());
  } else {
    for (const RunRecord& run : a.runs) {
      if (const RunRecord* other = run_with_seed(b, run.seed)) pairs.emplace_back(&run, other);
    }
  }
  if (pairs.empty())
    fail("'" + a.name + "' and '" + b.name +
         "' have no seed in common, so their runs cannot be paired");
  const bool same = std::all_of(pairs.begin(), pairs.end(), [](const RunPair& pair) {
    return pair.first->identity.hash == pair.second->identity.hash;
  });
  if (same) fail("'" + a.name + "' and '" + b.name + "' are the same runs");
  return pairs;
}

std::string split_name(const Side& side, const std::string& hash) {
  const auto found = side.splits.find(hash);
  const std::string digits = hash.substr(0, kShownDigits);
  if (found == side.splits.end()) return digits;
  return found->second.dataset.name + " " + found->second.name + ", " + digits;
}

// Pairs are of one split: the same pictures in the same order with the same classes.
const SplitRecord& split_of(const RunPair& pair, const Side& a, const Side& b) {
  const std::string hash = split_key(*pair.first);
  if (hash != split_key(*pair.second)) {
    fail("'" + a.name + "' and '" + b.name + "' were tested on different images with seed " +
         std::to_string(pair.first->seed) + " (split " + split_name(a, hash) + " against " +
         split_name(b, split_key(*pair.second)) +
         "), so they cannot be paired: compare runs of one data set and split");
  }
  const auto found = a.splits.find(hash);
  if (found == a.splits.end())
    throw base::Error(base::ErrorKind::store, "split " + hash + " of '" + a.name + "' is missing");
  return found->second;
}

const TaskResult& task_of(const RunRecord& run, const std::string& task) {
  for (const TaskResult& result : run.tasks) {
    if (result.task == task) return result;
  }
  throw base::Error(base::ErrorKind::store,
                    "run " + run.identity.hash + " has no result of task '" + task + "'");
}

std::string seed_name(const RunPair& pair) {
  const std::string a = std::to_string(pair.first->seed);
  const std::string b = std::to_string(pair.second->seed);
  return a == b ? a : a + " / " + b;
}

// All answers to the pictures of a task, by sample id.
using Pictures = std::map<std::string, Disagreement>;

class Gatherer {
 public:
  // Adds the answers of one pair of runs; returns the wins of this pair alone.
  Wins add(const RunPair& pair, const SplitRecord& split) {
    Wins wins;
    for (const results::TaskSplit& task : split.tasks) {
      if (pictures_.count(task.task) == 0) order_.push_back(task.task);
      const TaskResult& a = task_of(*pair.first, task.task);
      const TaskResult& b = task_of(*pair.second, task.task);
      for (std::size_t i = 0; i < task.test.size(); ++i) {
        Disagreement& picture = pictures_[task.task][task.test[i].sample_id];
        const AnswerPair answer = answer_of(task, i, a.predictions[i], b.predictions[i]);
        picture.task = task.task;
        picture.picture = task.test[i].sample_id;
        picture.truth = class_name(task, task.test[i].label);
        picture.answers.push_back(answer);
        picture.answers.back().seed = seed_name(pair);
        picture.a_right += answer.a_right ? 1 : 0;
        picture.b_right += answer.b_right ? 1 : 0;
        wins.a += answer.a_right && !answer.b_right ? 1 : 0;
        wins.b += answer.b_right && !answer.a_right ? 1 : 0;
      }
    }
    wins.p = mcnemar_p(wins.a, wins.b);
    return wins;
  }

  const std::vector<std::string>& tasks() const { return order_; }
  const Pictures& pictures(const std::string& task) const { return pictures_.at(task); }

 private:
  static std::string class_name(const results::TaskSplit& task, std::int64_t label) {
    const auto index = static_cast<std::size_t>(label);
    return index < task.classes.size() ? task.classes[index] : std::to_string(label);
  }

  static AnswerPair answer_of(const results::TaskSplit& task, std::size_t i,
                              const results::ImagePrediction& a,
                              const results::ImagePrediction& b) {
    AnswerPair answer;
    answer.a = class_name(task, a.predicted);
    answer.b = class_name(task, b.predicted);
    answer.a_probability = a.probability;
    answer.b_probability = b.probability;
    answer.a_right = a.predicted == task.test[i].label;
    answer.b_right = b.predicted == task.test[i].label;
    return answer;
  }

  std::vector<std::string> order_;
  std::map<std::string, Pictures> pictures_;
};

void add_differences(std::vector<int>& differences, const Pictures& pictures) {
  for (const auto& [name, picture] : pictures)
    differences.push_back(picture.a_right - picture.b_right);
}

Wins wins_of(const Pictures& pictures) {
  Wins wins;
  for (const auto& [name, picture] : pictures) {
    for (const AnswerPair& answer : picture.answers) {
      wins.a += answer.a_right && !answer.b_right ? 1 : 0;
      wins.b += answer.b_right && !answer.a_right ? 1 : 0;
    }
  }
  std::vector<int> differences;
  add_differences(differences, pictures);
  wins.p = clustered_mcnemar_p(differences);
  return wins;
}

void compare_tasks(CompareResult& result, const std::vector<RunPair>& pairs,
                   const Gatherer& gathered) {
  std::vector<double> family;
  std::vector<double> task_seeds;
  std::vector<int> all_pictures;
  for (const std::string& name : gathered.tasks()) {
    TaskDifference task;
    task.task = name;
    std::vector<double> differences;
    for (const auto& [a, b] : pairs) {
      const double of_a = task_of(*a, name).accuracy();
      const double of_b = task_of(*b, name).accuracy();
      task.a += of_a / static_cast<double>(pairs.size());
      task.b += of_b / static_cast<double>(pairs.size());
      differences.push_back(of_a - of_b);
    }
    task_seeds.insert(task_seeds.end(), differences.begin(), differences.end());
    task.difference = estimate(differences);
    task.wins = wins_of(gathered.pictures(name));
    add_differences(all_pictures, gathered.pictures(name));
    result.wins.a += task.wins.a;
    result.wins.b += task.wins.b;
    family.push_back(task.wins.p);
    result.tasks.push_back(std::move(task));
  }
  const std::vector<double> corrected = holm(family);
  for (std::size_t i = 0; i < corrected.size(); ++i)
    result.tasks[i].p_holm = corrected[i];
  result.wins.p = clustered_mcnemar_p(all_pictures);
  result.task_seeds = signed_ranks(task_seeds);
}

void resample_pictures(CompareResult& result, const Gatherer& gathered) {
  std::vector<std::vector<ImagePair>> tasks;
  for (const std::string& name : gathered.tasks()) {
    std::vector<ImagePair> images;
    for (const auto& [id, picture] : gathered.pictures(name))
      images.push_back(
          {picture.a_right - picture.b_right, static_cast<int>(picture.answers.size())});
    result.tested_pictures += static_cast<std::int64_t>(images.size());
    tasks.push_back(std::move(images));
  }
  result.pictures = paired_bootstrap(tasks);
}

double confidence(const Disagreement& picture) {
  double sum = 0.0;
  for (const AnswerPair& answer : picture.answers)
    sum += answer.a_probability + answer.b_probability;
  return sum / static_cast<double>(picture.answers.size());
}

void collect_disagreements(CompareResult& result, const Gatherer& gathered) {
  for (const std::string& name : gathered.tasks()) {
    for (const auto& [id, picture] : gathered.pictures(name)) {
      const bool disagree =
          std::any_of(picture.answers.begin(), picture.answers.end(),
                      [](const AnswerPair& answer) { return answer.a != answer.b; });
      if (disagree) result.disagreements.push_back(picture);
    }
  }
  std::stable_sort(result.disagreements.begin(), result.disagreements.end(),
                   [](const Disagreement& x, const Disagreement& y) {
                     return std::make_tuple(-std::abs(x.a_right - x.b_right), -confidence(x)) <
                            std::make_tuple(-std::abs(y.a_right - y.b_right), -confidence(y));
                   });
}

void note_gaps(CompareResult& result, const Side& side, std::size_t pairs) {
  if (static_cast<int>(side.runs.size()) < side.planned) {
    result.notes.push_back("'" + side.name + "': " + std::to_string(side.runs.size()) + " of " +
                           std::to_string(side.planned) + " planned runs are finished.");
  }
  if (side.runs.size() > pairs) {
    result.notes.push_back("'" + side.name + "': " + std::to_string(side.runs.size() - pairs) +
                           " finished runs are left out, as the other side has no run with their "
                           "seed.");
  }
}

}  // namespace

CompareResult compare(const Side& a, const Side& b) {
  CompareResult result;
  result.a = a.name;
  result.b = b.name;
  if (result.a == result.b) {  // rows of two studies or stores
    const bool studies = a.study != b.study;
    result.a = studies ? a.study + ":" + a.name : a.name + " (A)";
    result.b = studies ? b.study + ":" + b.name : b.name + " (B)";
  }
  const std::vector<RunPair> pairs = pair_runs(a, b);
  Gatherer gathered;
  std::vector<double> differences;
  for (const RunPair& pair : pairs) {
    SeedDifference seed;
    seed.name = seed_name(pair);
    seed.wins = gathered.add(pair, split_of(pair, a, b));
    seed.a = pair.first->mean_accuracy();
    seed.b = pair.second->mean_accuracy();
    differences.push_back(seed.a - seed.b);
    result.seeds.push_back(std::move(seed));
  }
  note_gaps(result, a, pairs.size());
  note_gaps(result, b, pairs.size());
  compare_settings(result, pairs);
  result.difference = estimate(differences);
  result.seeds_p = paired_t_p(differences);
  compare_tasks(result, pairs, gathered);
  resample_pictures(result, gathered);
  collect_disagreements(result, gathered);
  result.verdict = verdict_of(result);
  return result;
}

}  // namespace petlab::reports
