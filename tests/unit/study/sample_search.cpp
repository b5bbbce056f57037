#include "sample_search.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

namespace petlab::study::sample {
namespace {

namespace fs = std::filesystem;

constexpr const char* kHead =
    "[study]\nname = small\nseeds = 3,4\n[dataset]\nname = folder\nroot = pictures\n"
    "[backbone]\ndir = clip\n";
constexpr const char* kRows =
    "[row.zero-shot]\nmethod = zero-shot\nsharing = joint\n"
    "[row.coop]\nmethod = coop\nsharing = joint\nlearning-rate = 0.01\n"
    "[row.mmap]\nmethod = mmap\nsharing = joint\n";

}  // namespace

const PluginRegistry& plugins() {
  static const auto& registry = *new PluginRegistry(
      {.folders = {fs::path(PETLAB_BINARY_DIR) / "lib" / "petlab"}, .files = {}});
  return registry;
}

Protocol protocol(const std::string& search, const std::vector<Setting>& settings) {
  const fs::path file = fs::path(testing::TempDir()) / "search_test.ini";
  std::ofstream(file) << kHead << kRows << search;
  return read_protocol(file, settings);
}

const std::vector<Setting>& development() {
  static const auto& settings =
      *new std::vector<Setting>{{"dataset.development-fraction", "0.3", "--set", ""}};
  return settings;
}

std::vector<results::NamedValues> values_of(const Search& search, std::size_t row) {
  std::vector<results::NamedValues> values;
  for (const Trial& trial : search.trials)
    if (trial.row == row) values.push_back(trial.values);
  return values;
}

Plan record_trials(results::RunStore& store, const Search& search,
                   const std::vector<std::vector<double>>& accuracies) {
  const results::SplitRecord split = results::sample::split(1, 100);
  store.register_split(split);
  StudyFacts facts{split.dataset.hash, {}, "weights", "settings", "2.13.0"};
  for (const std::uint64_t seed : search.protocol.seeds)
    facts.split_hashes[seed] = split.hash;
  Plan plan = make_plan(search.protocol, expand(search.protocol, plugins(), {"/cache", 1}),
                        plugins(), facts);
  for (std::size_t trial = 0; trial < accuracies.size(); ++trial)
    for (std::size_t seed = 0; seed < accuracies[trial].size(); ++seed) {
      const double accuracy = accuracies[trial][seed];
      if (accuracy > 1.0) continue;
      const auto correct = static_cast<std::int64_t>(std::lround(100.0 * accuracy));
      const Job& job = plan.jobs.at(trial * accuracies[trial].size() + seed);
      const results::sample::RunChoice choice{.method = job.spec.method,
                                              .sharing = to_string(job.spec.sharing),
                                              .seed = job.spec.seed,
                                              .correct = {correct, correct}};
      results::RunRecord run = accuracy < 0.0
                                   ? results::sample::failed_run(choice, split, "diverged")
                                   : results::sample::done_run(choice, split);
      run.identity = job.identity;
      store.record(run);
    }
  return plan;
}

Trials::Trials(const Search& search, const std::vector<std::vector<double>>& accuracies)
    : store_(folder_ / "trials.sqlite"), plan_(record_trials(store_, search, accuracies)) {}

SearchOutcome Trials::choose(const Protocol& of, const Search& search) const {
  return choose_settings(of, search, plan_, &store_);
}

std::optional<Search> Trials::extend(const Protocol& of, const Search& search) const {
  return extend_search(of, search, plan_, &store_, plugins());
}

}  // namespace petlab::study::sample
