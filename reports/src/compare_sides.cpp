#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
#include "petlab/reports/compare.hpp"

#include <algorithm>
#include <set>

namespace petlab::reports {
namespace {

using results::RunStore;
using results::StudyRun;

constexpr std::size_t kFewestDigits = 4;
constexpr std::size_t kIdentityDigits = 64;

std::vector<std::string> labels_of(const RunStore& store, const std::string& study) {
  std::vector<std::string> labels;
  std::set<std::string> known;
  for (const StudyRun& run : store.runs(study)) {
    if (known.insert(run.plan.row_label).second) labels.push_back(run.plan.row_label);
  }
  return labels;
}

bool has_label(const RunStore& store, const std::string& study, const std::string& label) {
  const std::vector<std::string> labels = labels_of(store, study);
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}

void add_run(Side& side, const RunStore& store, const std::string& hash) {
  auto run = store.load(hash);
  if (!run || run->status != results::RunStatus::done) return;
  const std::string key = split_key(*run);
  if (side.splits.count(key) == 0) {
    if (auto split = store.split(run->split_hash, run->dataset_hash))
      side.splits.emplace(key, *std::move(split));
  }
  side.runs.push_back(*std::move(run));
}

Side row_side(const RunStore& store, const std::string& study, const std::string& label) {
  Side side{label, study, {}, {}, 0};
  for (const StudyRun& run : store.runs(study)) {
    if (run.plan.row_label != label) continue;
    ++side.planned;
    add_run(side, store, run.plan.hash);
  }
  if (side.runs.empty()) {
    base::throw_config_error("row '" + label + "' of study '" + study + "' in '" +
                             store.path().string() + "' has no finished run to compare");
  }
  return side;
}

Side run_side(const RunStore& store, const std::string& hash, const std::string& study) {
  Side side{"run " + base::short_hash(hash), study, {}, {}, 1};
  add_run(side, store, hash);
  if (side.runs.empty())
    base::throw_config_error("run " + base::short_hash(hash) + " in '" + store.path().string() +
                             "' is not finished, so there is nothing to compare");
  return side;
}

bool may_be_identity(const std::string& name) {
  return name.size() >= kFewestDigits && name.size() <= kIdentityDigits &&
         name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

// Runs whose identity starts so, each with a study that plans it.
std::map<std::string, std::string> runs_like(const RunStore& store, const std::string& start) {
  std::map<std::string, std::string> found;
  for (const std::string& study : store.studies()) {
    for (const StudyRun& run : store.runs(study)) {
      if (run.plan.hash.starts_with(start)) found.emplace(run.plan.hash, study);
    }
  }
  if (found.empty() && start.size() == kIdentityDigits && store.load(start))
    found.emplace(start, "");
  return found;
}

// The study that holds a row of this label: the one that is asked for, or the only one.
std::optional<std::string> study_of_label(const RunStore& store, const std::string& label,
                                          const std::string& study) {
  if (!study.empty()) {
    if (!store.study(study)) {
      base::throw_config_error("results store '" + store.path().string() + "' holds no study '" +
                               study + "'; it holds: " + base::joined(store.studies()));
    }
    return has_label(store, study, label) ? std::optional<std::string>(study) : std::nullopt;
  }
  std::vector<std::string> found;
  for (const std::string& known : store.studies()) {
    if (has_label(store, known, label)) found.push_back(known);
  }
  if (found.size() > 1) {
    base::throw_config_error("row '" + label + "' is in several studies of '" +
                             store.path().string() + "' (" + base::joined(found) +
                             "): write STUDY:" + label + ", or name the study with --study");
  }
  return found.empty() ? std::nullopt : std::optional<std::string>(found.front());
}

[[noreturn]] void fail_unknown(const RunStore& store, const std::string& name,
                               const std::string& study) {
  std::string message =
      "results store '" + store.path().string() + "' holds no row or run '" + name + "'; rows are ";
  bool first = true;
  for (const std::string& known : store.studies()) {
    if (!study.empty() && known != study) continue;
    message += std::string(first ? "" : "; ") + "of '" + known +
               "': " + base::joined(labels_of(store, known));
    first = false;
  }
  base::throw_config_error(first ? "results store '" + store.path().string() + "' holds no study"
                                 : message);
}

}  // namespace

std::string split_key(const results::RunRecord& run) {
  return run.split_hash + "/" + run.dataset_hash;
}

Side find_side(const RunStore& store, const std::string& name, const std::string& study) {
  if (const auto found = study_of_label(store, name, study)) return row_side(store, *found, name);
  for (std::size_t colon = name.find(':'); colon != std::string::npos;
       colon = name.find(':', colon + 1)) {
    const std::string named_study = name.substr(0, colon);
    const std::string label = name.substr(colon + 1);
    if (!store.study(named_study)) continue;
    if (!has_label(store, named_study, label)) fail_unknown(store, label, named_study);
    Side side = row_side(store, named_study, label);
    return side;
  }
  if (may_be_identity(name)) {
    const auto found = runs_like(store, name);
    if (found.size() > 1) {
      base::throw_config_error(std::to_string(found.size()) + " runs of '" + store.path().string() +
                               "' have an identity that starts with '" + name +
                               "': write more digits");
    }
    if (found.size() == 1) return run_side(store, found.begin()->first, found.begin()->second);
  }
  fail_unknown(store, name, study);
}

}  // namespace petlab::reports
