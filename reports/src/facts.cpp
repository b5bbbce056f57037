#include "facts.hpp"

#include "numbers.hpp"
#include "petlab/results/named_values.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

namespace petlab::reports {
namespace {

using results::RunRecord;
using results::SplitRecord;

constexpr std::size_t kShownHashDigits = 12;

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

std::string seeds_text(const std::vector<std::uint64_t>& planned) {
  std::string text;
  for (const std::uint64_t seed : std::set<std::uint64_t>(planned.begin(), planned.end())) {
    if (!text.empty()) text += ", ";
    text += std::to_string(seed);
  }
  return text;
}

// Full resolved settings are in the store; a line that lists several sets would say nothing.
std::string protocol_text(const RunFacts& runs) {
  return runs.protocols.size() == 1 ? runs.protocols.join("") : std::string();
}

std::string test_evaluations_text(const RunFacts& runs) {
  if (runs.runs == 0) return {};
  const auto& [low, high] = runs.test_evaluations;
  if (low == 1 && high == 1) return "1 in each run, after training";
  return range(*low, *high).append(" in a run");
}

std::string operations_text(const Extent<double>& count) {
  if (!count.low) return {};
  const std::string least = operations(*count.low);
  const std::string most = operations(*count.high);
  return least == most ? least : least + " to " + most;
}

// One line: what the runs differ in stands in runs.csv.
std::string operations_text(const RunFacts& runs) {
  const std::string step = operations_text(runs.step_flops);
  const std::string image = operations_text(runs.image_flops);
  if (step.empty() && image.empty()) return {};
  std::string text = step.empty() ? "" : "a training step " + step + ", forward and backward";
  if (!image.empty()) text += (text.empty() ? "a test image " : "; a test image ") + image;
  return text +
         ". Counted while they ran: a multiplication and an addition are two, elementwise work is "
         "left out";
}

}  // namespace

void Distinct::add(const std::string& value) {
  if (!value.empty() && known_.insert(value).second) values_.push_back(value);
}

std::string Distinct::join(const std::string& separator) const {
  std::string text;
  for (const std::string& value : values_) {
    if (!text.empty()) text += separator;
    text += value;
  }
  return text;
}

void RunFacts::add(const RunRecord& run) {
  namespace names = results::environment;
  if (runs++ == 0) backbone_parameters = run.total_backbone_parameters;
  if (const auto split = std::pair(run.split_hash, run.dataset_hash);
      !split.first.empty() && std::find(splits.begin(), splits.end(), split) == splits.end())
    splits.push_back(split);
  if (!run.backbone.empty())
    backbones.add(run.backbone + " (" + grouped_digits(run.total_backbone_parameters) +
                  " parameters)");
  precisions.add(run.precision);
  if (protocols.size() < 2) {
    std::string text;
    for (const auto& [name, value] : run.protocol) {
      if (!text.empty()) text += ", ";
      text += name + " " + value;
    }
    protocols.add(text);
  }
  determinism.add(run.determinism);
  for (const char* name : {names::kDevice, names::kCpu, names::kCpuLevel, names::kThreads,
                           names::kPetlabVersion, names::kTorchVersion, names::kSources})
    environment[name].add(results::value_of(run.environment, name));
  class_names.add(results::value_of(run.environment, names::kClassNames));
  std::istringstream notes(results::value_of(run.environment, names::kDataNotes));
  for (std::string note; std::getline(notes, note);)
    data_notes.add(note);
  test_evaluations.add(run.test_evaluations);
  if (run.step_flops) step_flops.add(*run.step_flops);
  if (run.image_flops) image_flops.add(*run.image_flops);
  if (!results::value_of(run.environment, names::kFeatureStore).empty()) ++kept_features;
  const std::string sources = results::value_of(run.environment, names::kSources);
  if (sources == "dirty" || sources == "unknown") ++unclean;
}

const Distinct& RunFacts::of_environment(const std::string& name) const {
  static const Distinct nothing;
  const auto found = environment.find(name);
  return found == environment.end() ? nothing : found->second;
}

std::vector<SplitRecord> splits_of(const results::RunStore& store, const RunFacts& runs) {
  std::vector<SplitRecord> splits;
  for (const auto& [hash, dataset] : runs.splits) {
    if (auto split = store.split(hash, dataset)) splits.push_back(*std::move(split));
  }
  return splits;
}

std::vector<std::pair<std::string, std::string>> collect_facts(
    const Report& report, const std::vector<std::uint64_t>& seeds, const RunFacts& runs) {
  std::vector<std::pair<std::string, std::string>> facts;
  const auto add = [&](const std::string& name, const std::string& text) {
    if (!text.empty()) facts.emplace_back(name, text);
  };
  add("Study", report.study);
  if (!report.splits.empty()) {
    add("Data set", dataset_text(report.splits));
    add("Split", split_text(report.splits));
  }
  add("Class names", runs.class_names.join("; "));
  add("Seeds", seeds_text(seeds));
  add("Backbone", runs.backbones.join("; "));
  add("Precision", runs.precisions.join("; "));
  const Distinct& device = runs.of_environment(results::environment::kDevice);
  const Distinct& cpu = runs.of_environment(results::environment::kCpu);
  add("Device", cpu.empty() ? device.join("; ") : device.join("; ") + " (" + cpu.join("; ") + ")");
  add("CPU level", runs.of_environment(results::environment::kCpuLevel).join("; "));
  add("Threads", runs.of_environment(results::environment::kThreads).join("; "));
  add("petlab", runs.of_environment(results::environment::kPetlabVersion).join("; "));
  add("LibTorch", runs.of_environment(results::environment::kTorchVersion).join("; "));
  add("Sources", runs.of_environment(results::environment::kSources).join("; "));
  add("Protocol", protocol_text(runs));
  add("Determinism", runs.determinism.join("; "));
  add("Operations", operations_text(runs));
  add("Test evaluations", test_evaluations_text(runs));
  if (runs.runs > 0) add("Numbers", "all measured in these runs, none quoted");
  return facts;
}

std::vector<Note> collect_notes(const Report& report, const RunFacts& runs) {
  std::vector<Note> notes;
  for (const std::string& note : runs.data_notes.values())
    notes.emplace_back("Data: " + note + ".");
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
    notes.emplace_back(std::to_string(report.finished) + " of " + std::to_string(report.planned) +
                       " planned runs are finished, " + std::to_string(failed) + " failed, " +
                       std::to_string(missing) +
                       " missing. Rows with gaps get no place among the best.");
  }
  if (counts.size() > 1) {
    notes.emplace_back(
        "Rows rest on different numbers of seeds (column n): compare them with care.");
  }
  if (lacks_task) {
    notes.emplace_back("Some runs lack a domain: means over domains are not over the same domains.",
                       NoteGrade::fault);
  }
  if (report.finished > 0 && !report.zero_shot) {
    notes.emplace_back("The study has no zero-shot row, so there is no difference to it.",
                       NoteGrade::information);
  }
  const auto differ = [&](const char* name, const std::string& sentence) {
    if (runs.of_environment(name).size() > 1) notes.emplace_back(sentence);
  };
  differ(results::environment::kDevice,
         "Runs were done on different devices: their seconds cannot be compared.");
  differ(results::environment::kCpu,
         "Runs were done on different processors: their seconds cannot be compared.");
  differ(results::environment::kCpuLevel,
         "Runs used different CPU levels: the last bits of their numbers can differ.");
  differ(results::environment::kThreads,
         "Runs used different numbers of threads: their seconds cannot be compared.");
  if (const int kept = runs.kept_features; kept > 0 && report.times) {
    notes.emplace_back(
        "Image features are cached where the image tower is frozen: the training and test times "
        "of " +
            std::to_string(kept) + (kept == 1 ? " run" : " runs") + " exclude computing them.",
        NoteGrade::information);
  }
  differ(results::environment::kPetlabVersion, "Runs were done by different versions of petlab.");
  if (runs.unclean > 0) {
    notes.emplace_back(std::to_string(runs.unclean) +
                       " runs were done by a petlab built from sources " +
                       "that were changed or are unknown.");
  }
  if (runs.test_evaluations.high.value_or(0) > 1) {
    notes.emplace_back("In some runs test labels were read more than once.", NoteGrade::fault);
  }
  return notes;
}

}  // namespace petlab::reports
