#include "petlab/reports/compare.hpp"

#include "compare_settings.hpp"
#include "compare_verdict.hpp"
#include "paired_answers.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"

#include <algorithm>

namespace petlab::reports {
namespace {

using results::RunRecord;
using results::SplitRecord;

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
    base::throw_config_error("'" + a.name + "' and '" + b.name +
                             "' have no seed in common, so their runs cannot be paired");
  const bool same = std::all_of(pairs.begin(), pairs.end(), [](const RunPair& pair) {
    return pair.first->identity.hash == pair.second->identity.hash;
  });
  if (same) base::throw_config_error("'" + a.name + "' and '" + b.name + "' are the same runs");
  return pairs;
}

std::string split_name(const Side& side, const std::string& hash) {
  const auto found = side.splits.find(hash);
  const std::string digits = base::short_hash(hash);
  if (found == side.splits.end()) return digits;
  return found->second.dataset.name + " " + found->second.name + ", " + digits;
}

// Pairs are of one split: the same pictures in the same order with the same classes.
const SplitRecord& split_of(const RunPair& pair, const Side& a, const Side& b) {
  const std::string hash = split_key(*pair.first);
  if (hash != split_key(*pair.second)) {
    base::throw_config_error("'" + a.name + "' and '" + b.name +
                             "' were tested on different images with seed " +
                             std::to_string(pair.first->seed) + " (split " + split_name(a, hash) +
                             " against " + split_name(b, split_key(*pair.second)) +
                             "), so they cannot be paired: compare runs of one data set and split");
  }
  const auto found = a.splits.find(hash);
  if (found == a.splits.end())
    throw base::Error(base::ErrorKind::store, "split " + hash + " of '" + a.name + "' is missing");
  return found->second;
}

void add_differences(std::vector<int>& differences, const PairedAnswers::Images& images) {
  for (const auto& [id, image] : images)
    differences.push_back(image.a_right - image.b_right);
}

Wins wins_of(const PairedAnswers::Images& images) {
  Wins wins;
  for (const auto& [id, image] : images) {
    for (const AnswerPair& answer : image.answers) {
      wins.a += answer.a_right && !answer.b_right ? 1 : 0;
      wins.b += answer.b_right && !answer.a_right ? 1 : 0;
    }
  }
  std::vector<int> differences;
  add_differences(differences, images);
  wins.p = clustered_mcnemar_p(differences);
  return wins;
}

void compare_tasks(CompareResult& result, const std::vector<RunPair>& pairs,
                   const PairedAnswers& gathered) {
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
    task.wins = wins_of(gathered.images(name));
    add_differences(all_pictures, gathered.images(name));
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

void resample_pictures(CompareResult& result, const PairedAnswers& gathered) {
  std::vector<std::vector<ImagePair>> tasks;
  for (const std::string& name : gathered.tasks()) {
    std::vector<ImagePair> images;
    for (const auto& [id, image] : gathered.images(name))
      images.push_back({image.a_right - image.b_right, static_cast<int>(image.answers.size())});
    result.tested_pictures += static_cast<std::int64_t>(images.size());
    tasks.push_back(std::move(images));
  }
  result.pictures = paired_bootstrap(tasks);
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
  PairedAnswers gathered;
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
  result.disagreements = gathered.disagreements();
  result.verdict = verdict_of(result);
  return result;
}

}  // namespace petlab::reports
