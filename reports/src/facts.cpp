#include "facts.hpp"

#include "numbers.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace petlab::reports {
namespace {

using results::RunRecord;
using results::SplitRecord;

constexpr std::size_t kShownHashDigits = 12;

// Different values in the order of their first appearance, empty ones left out.
class Distinct {
 public:
  void add(const std::string& value) {
    if (!value.empty() && std::find(values_.begin(), values_.end(), value) == values_.end()) {
      values_.push_back(value);
    }
  }
  bool empty() const { return values_.empty(); }
  std::size_t size() const { return values_.size(); }
  std::string join(const std::string& separator) const {
    std::string text;
    for (const std::string& value : values_) {
      if (!text.empty()) text += separator;
      text += value;
    }
    return text;
  }

 private:
  std::vector<std::string> values_;
};

std::string named(const results::NamedValues& values, const std::string& name) {
  for (const auto& [key, value] : values) {
    if (key == name) return value;
  }
  return {};
}

Distinct distinct_environment(const std::vector<RunRecord>& runs, const std::string& name) {
  Distinct found;
  for (const RunRecord& run : runs)
    found.add(named(run.environment, name));
  return found;
}

std::string range(std::int64_t low, std::int64_t high) {
  if (low == high) return grouped_digits(low);
  return grouped_digits(low).append(" to ").append(grouped_digits(high));
}

std::string dataset_text(const std::vector<SplitRecord>& splits) {
  Distinct found;
  for (const SplitRecord& split : splits) {
    std::string text = split.dataset.name;
    if (!split.dataset.version.empty()) text += " " + split.dataset.version;
    found.add(text + " (hash " + split.dataset.hash.substr(0, kShownHashDigits) + ")");
  }
  return found.join("; ");
}

// The training share, and how many images that is in each domain.
std::string split_text(const std::vector<SplitRecord>& splits) {
  Distinct names;
  std::set<std::uint64_t> seeds;
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> trains;
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> tests;
  std::vector<std::string> order;
  for (const SplitRecord& split : splits) {
    names.add(split.name + ": " + fixed(100.0 * split.fraction, 0) + " % of each domain trains");
    seeds.insert(split.seed);
    for (const auto& task : split.tasks) {
      const auto add = [&](auto& ranges, std::int64_t count) {
        const auto [place, added] = ranges.try_emplace(task.task, count, count);
        auto& [low, high] = place->second;
        low = std::min(low, count);
        high = std::max(high, count);
        return added;
      };
      add(tests, static_cast<std::int64_t>(task.test.size()));
      if (add(trains, task.n_train)) order.push_back(task.task);
    }
  }
  std::string text = names.join("; ");
  text += splits.size() == 1 ? "; one split" : "; " + std::to_string(splits.size()) + " splits";
  text += ". Images for training / testing:";
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto& train = trains[order[i]];
    const auto& test = tests[order[i]];
    text += (i == 0 ? " " : ", ") + order[i] + " " + range(train.first, train.second) + " / " +
            range(test.first, test.second);
  }
  return text;
}

std::string seeds_text(const std::vector<results::StudyRun>& planned) {
  std::set<std::uint64_t> seeds;
  for (const auto& run : planned)
    seeds.insert(run.plan.seed);
  std::string text;
  for (const std::uint64_t seed : seeds) {
    if (!text.empty()) text += ", ";
    text += std::to_string(seed);
  }
  return text;
}

std::string backbone_text(const std::vector<RunRecord>& runs) {
  Distinct found;
  for (const RunRecord& run : runs) {
    if (run.backbone.empty()) continue;
    found.add(run.backbone + " (" + grouped_digits(run.total_backbone_parameters) + " parameters)");
  }
  return found.join("; ");
}

std::string protocol_text(const std::vector<RunRecord>& runs) {
  Distinct found;
  for (const RunRecord& run : runs) {
    std::string text;
    for (const auto& [name, value] : run.protocol) {
      if (!text.empty()) text += ", ";
      text += name + " " + value;
    }
    found.add(text);
  }
  // Full resolved settings are in the store; a line that lists several sets would say nothing.
  return found.size() == 1 ? found.join("") : std::string();
}

std::string test_evaluations_text(const std::vector<RunRecord>& runs) {
  if (runs.empty()) return {};
  std::int64_t low = runs.front().test_evaluations;
  std::int64_t high = low;
  for (const RunRecord& run : runs) {
    low = std::min(low, run.test_evaluations);
    high = std::max(high, run.test_evaluations);
  }
  if (low == 1 && high == 1) return "1 in each run, after training";
  return range(low, high).append(" in a run");
}

std::string operations_text(const std::vector<RunRecord>& runs,
                            std::optional<double> RunRecord::* count) {
  std::optional<double> low;
  std::optional<double> high;
  for (const RunRecord& run : runs) {
    const std::optional<double>& value = run.*count;
    if (!value) continue;
    low = std::min(low.value_or(*value), *value);
    high = std::max(high.value_or(*value), *value);
  }
  if (!low) return {};
  const std::string least = operations(*low);
  const std::string most = operations(*high);
  return least == most ? least : least + " to " + most;
}

// One line: what the runs differ in stands in runs.csv.
std::string operations_text(const std::vector<RunRecord>& runs) {
  const std::string step = operations_text(runs, &RunRecord::step_flops);
  const std::string image = operations_text(runs, &RunRecord::image_flops);
  if (step.empty() && image.empty()) return {};
  std::string text = step.empty() ? "" : "a training step " + step + ", forward and backward";
  if (!image.empty()) text += (text.empty() ? "a test image " : "; a test image ") + image;
  return text +
         ". Counted while they ran: a multiplication and an addition are two, elementwise work is "
         "left out";
}

}  // namespace

std::vector<SplitRecord> splits_of(const results::RunStore& store,
                                   const std::vector<RunRecord>& runs) {
  std::set<std::string> seen;
  std::vector<SplitRecord> splits;
  for (const RunRecord& run : runs) {
    if (run.split_hash.empty() || !seen.insert(run.split_hash).second) continue;
    if (auto split = store.split(run.split_hash)) splits.push_back(*std::move(split));
  }
  return splits;
}

std::vector<std::pair<std::string, std::string>> collect_facts(
    const Report& report, const std::vector<results::StudyRun>& planned,
    const std::vector<RunRecord>& runs) {
  std::vector<std::pair<std::string, std::string>> facts;
  const auto add = [&](const std::string& name, const std::string& text) {
    if (!text.empty()) facts.emplace_back(name, text);
  };
  add("Study", report.study);
  if (!report.splits.empty()) {
    add("Data set", dataset_text(report.splits));
    add("Split", split_text(report.splits));
  }
  add("Seeds", seeds_text(planned));
  add("Backbone", backbone_text(runs));
  Distinct precision;
  for (const RunRecord& run : runs)
    precision.add(run.precision);
  add("Precision", precision.join("; "));
  const Distinct device = distinct_environment(runs, results::environment::kDevice);
  const Distinct cpu = distinct_environment(runs, results::environment::kCpu);
  add("Device", cpu.empty() ? device.join("; ") : device.join("; ") + " (" + cpu.join("; ") + ")");
  add("Threads", distinct_environment(runs, results::environment::kThreads).join("; "));
  const Distinct version = distinct_environment(runs, results::environment::kPetlabVersion);
  const Distinct torch = distinct_environment(runs, results::environment::kTorchVersion);
  add("petlab", version.join("; "));
  add("LibTorch", torch.join("; "));
  add("Sources", distinct_environment(runs, results::environment::kSources).join("; "));
  add("Protocol", protocol_text(runs));
  Distinct determinism;
  for (const RunRecord& run : runs)
    determinism.add(run.determinism);
  add("Determinism", determinism.join("; "));
  add("Operations", operations_text(runs));
  add("Test evaluations", test_evaluations_text(runs));
  if (!runs.empty()) add("Numbers", "all measured in these runs, none quoted");
  return facts;
}

std::vector<std::string> collect_notes(const Report& report, const std::vector<RunRecord>& runs) {
  std::vector<std::string> notes;
  int failed = 0;
  int missing = 0;
  std::set<int> counts;
  bool lacks_task = false;
  for (const Row& row : report.rows) {
    failed += row.failed;
    missing += static_cast<int>(row.missing_seeds.size());
    if (!row.seeds.empty()) counts.insert(static_cast<int>(row.seeds.size()));
    for (const SeedResult& seed : row.seeds)
      lacks_task |= seed.tasks.size() != report.tasks.size();
  }
  if (failed + missing > 0) {
    notes.push_back(std::to_string(report.finished) + " of " + std::to_string(report.planned) +
                    " planned runs are finished, " + std::to_string(failed) + " failed, " +
                    std::to_string(missing) +
                    " missing. Rows with gaps get no place among the best.");
  }
  if (counts.size() > 1) {
    notes.push_back("Rows rest on different numbers of seeds (column n): compare them with care.");
  }
  if (lacks_task) {
    notes.push_back("Some runs lack a domain: means over domains are not over the same domains.");
  }
  if (report.finished > 0 && !report.zero_shot) {
    notes.push_back("The study has no zero-shot row, so there is no difference to it.");
  }
  const auto differ = [&](const char* name, const std::string& sentence) {
    if (distinct_environment(runs, name).size() > 1) notes.push_back(sentence);
  };
  differ(results::environment::kDevice,
         "Runs were done on different devices: their seconds cannot be compared.");
  differ(results::environment::kCpu,
         "Runs were done on different processors: their seconds cannot be compared.");
  differ(results::environment::kThreads,
         "Runs used different numbers of threads: their seconds cannot be compared.");
  differ(results::environment::kPetlabVersion, "Runs were done by different versions of petlab.");
  int unclean = 0;
  for (const RunRecord& run : runs) {
    const std::string sources = named(run.environment, results::environment::kSources);
    if (sources == "dirty" || sources == "unknown") ++unclean;
  }
  if (unclean > 0) {
    notes.push_back(std::to_string(unclean) + " runs were done by a petlab built from sources " +
                    "that were changed or are unknown.");
  }
  if (std::any_of(runs.begin(), runs.end(),
                  [](const RunRecord& run) { return run.test_evaluations > 1; })) {
    notes.push_back("In some runs test labels were looked at more than once.");
  }
  return notes;
}

}  // namespace petlab::reports
