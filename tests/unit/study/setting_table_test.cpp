#include "petlab/engine/setting_table.hpp"

#include "petlab/base/error.hpp"
#include "petlab/engine/run.hpp"
#include "petlab/results/identity.hpp"
#include "petlab/study/identity.hpp"
#include "petlab/study/key_table.hpp"
#include "petlab/study/plan.hpp"
#include "petlab/study/worker.hpp"
#include "sample_records.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

// Every entry of the table is changed in turn: a setting that a part of petlab forgets is found
// here.
namespace petlab::study {
namespace {

namespace fs = std::filesystem;
using engine::SettingEntry;
using engine::SettingScope;
using testing::Contains;
using testing::HasSubstr;
using testing::Pair;

/// A run for which the entry has a meaning.
engine::RunSpec sample_for(const SettingEntry& entry) {
  engine::RunSpec spec;
  spec.study = "sample";
  spec.label = "coop";
  spec.method = "coop";
  spec.dataset.name = "office-home";
  spec.dataset.root = "/pictures";
  spec.backbone = "/clip";
  if (entry.key() == "dataset.split" || entry.key() == "dataset.train-shots") {
    spec.dataset.split = "shots";
    spec.dataset.train_shots = 4;
  }
  if (entry.key() == "train.epsilon") spec.training.optimizer = engine::OptimizerKind::adamw;
  if (entry.key() == "dataset.validation" || entry.key() == "dataset.development-seed")
    spec.dataset.development_fraction = 0.3;
  return spec;
}

/// What the entry may say beside what it says.
std::string other_text(const SettingEntry& entry, const engine::RunSettings& settings) {
  const std::string now = entry.text(settings);
  if (!entry.choices.empty())
    return *std::find_if(entry.choices.rbegin(), entry.choices.rend(),
                         [&](const std::string& choice) { return choice != now; });
  if (entry.values.starts_with("integer")) return std::to_string(std::stoll(now) + 1);
  if (entry.values.starts_with("number")) return now == "0.25" ? "0.5" : "0.25";
  if (entry.values.starts_with("names with factors")) return "task:2";
  return entry.values == "path" ? "/elsewhere" : "other";
}

/// The sample with another value of the entry.
engine::RunSpec changed(const SettingEntry& entry) {
  engine::RunSpec spec = sample_for(entry);
  entry.take(spec, {entry.key(), other_text(entry, spec), "a test", "/base"});
  return spec;
}

results::RunIdentity identity_of(const engine::RunSpec& spec) {
  return run_identity(spec,
                      {"data", "split", "weights", "settings", "plugin", "", "host", "2.13.0"});
}

TEST(SettingTable, HasEveryKeyOnceAndDefaultsThatReadBack) {
  std::set<std::string> keys, options;
  for (const SettingEntry& entry : engine::setting_table()) {
    EXPECT_TRUE(keys.insert(entry.key()).second) << entry.key();
    EXPECT_NE(std::string(entry.help), "") << entry.key();
    if (*entry.option != '\0') {
      EXPECT_TRUE(options.insert(entry.option).second) << entry.option;
    }
    EXPECT_TRUE(!entry.is_searchable || entry.scope == SettingScope::row) << entry.key();
    const std::string text = entry.text(engine::RunSettings{});
    if (text.empty() || entry.applies != nullptr) continue;
    engine::RunSettings again;
    entry.take(again, {entry.key(), text, "a test", ""});
    EXPECT_TRUE(entry.is_default(again)) << entry.key();
  }
}

TEST(SettingTable, AChangeIsAnotherRunExactlyWhereItIsDeclared) {
  for (const SettingEntry& entry : engine::setting_table()) {
    const results::RunIdentity before = identity_of(sample_for(entry));
    const results::RunIdentity after = identity_of(changed(entry));
    EXPECT_NE(entry.text(changed(entry)), entry.text(sample_for(entry))) << entry.key();
    EXPECT_EQ(before.hash != after.hash, entry.in_identity) << entry.key();
    ASSERT_EQ(before.parts.size(), after.parts.size());
    for (std::size_t i = 0; i < before.parts.size(); ++i) {
      if (before.parts[i] == after.parts[i]) continue;
      EXPECT_EQ(after.parts[i].first, entry.key());
      EXPECT_EQ(after.parts[i].second, entry.text(changed(entry)));
    }
  }
}

TEST(SettingTable, AChangeReachesTheWorker) {
  for (const SettingEntry& entry : engine::setting_table()) {
    WorkerRequest order;
    order.job.spec = changed(entry);
    const engine::RunSpec copy = parse_worker_request(to_json(order)).job.spec;
    for (const SettingEntry& one : engine::setting_table())
      EXPECT_EQ(one.text(copy), one.text(order.job.spec)) << entry.key() << ": " << one.key();
    EXPECT_EQ(copy.dataset.split_base, order.job.spec.dataset.split_base) << entry.key();
    EXPECT_EQ(identity_of(copy).hash, identity_of(order.job.spec).hash) << entry.key();
  }
}

TEST(SettingTable, AChangeComesBackFromThePlansText) {
  const fs::path file = fs::path(testing::TempDir()) / "setting_table_test.ini";
  for (const SettingEntry& entry : engine::setting_table()) {
    const engine::RunSpec spec = changed(entry);
    Protocol protocol;
    static_cast<engine::RunSettings&>(protocol) = spec;
    protocol.name = spec.study;
    protocol.seeds = {1};
    std::ofstream(file) << protocol_text(protocol, {spec});
    const Protocol again = read_protocol(file);
    for (const SettingEntry& one : engine::setting_table()) {
      if (one.scope == SettingScope::row) {
        const auto& said = again.rows.at(0).training;
        if (one.is_optional && one.is_default(spec))
          EXPECT_FALSE(said.contains(one.name)) << entry.key();
        else
          EXPECT_EQ(said.at(one.name), one.text(spec)) << entry.key();
      } else if (one.is_said(spec)) {
        EXPECT_EQ(one.text(again), one.text(spec)) << entry.key() << ": " << one.key();
      }
    }
  }
}

TEST(SettingTable, AChangeIsStoredWithTheRun) {
  const results::sample::TemporaryFolder folder;
  results::RunStore store(folder / "runs.sqlite");
  const results::SplitRecord split = results::sample::split(1);
  store.register_split(split);
  for (const SettingEntry& entry : engine::setting_table()) {
    const engine::RunSpec spec = changed(entry);
    results::RunRecord run = results::sample::done_run({}, split);
    run.identity = results::make_identity({{"changed", entry.key()}});
    run.protocol = engine::record_protocol(spec);
    run.options = engine::record_options(spec);
    store.record(run);
    const auto stored = store.load(run.identity.hash, results::LoadDetail::without_predictions);
    ASSERT_TRUE(stored.has_value()) << entry.key();
    const auto& values = entry.scope == SettingScope::row ? stored->options : stored->protocol;
    if (entry.in_record) {
      EXPECT_THAT(values, Contains(Pair(entry.key(), entry.text(spec))));
    } else {
      EXPECT_THAT(values, testing::Not(Contains(Pair(entry.key(), testing::_))));
    }
  }
}

TEST(SettingTable, RefusesInOneSentenceWhatIsNoValue) {
  engine::RunSettings settings;
  const auto refusal = [&](const SettingEntry& entry, const std::string& value) -> std::string {
    try {
      entry.take(settings, {entry.key(), value, "my.ini:3", ""});
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::config);
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(refusal(*engine::row_setting("optimizer"), "lion"),
            "my.ini:3: 'train.optimizer' is 'lion', expected one of sgd, adamw, adam");
  EXPECT_EQ(refusal(*engine::study_setting("dataset.train-fraction"), "1"),
            "my.ini:3: 'dataset.train-fraction' is '1', expected a number between 0 and 1");
  EXPECT_EQ(refusal(*engine::study_setting("dataset.validation-fraction"), "1"),
            "my.ini:3: 'dataset.validation-fraction' is '1', expected a number from 0 to less "
            "than 1");
  for (const SettingEntry& entry : engine::setting_table()) {
    const bool takes_words = entry.choices.empty() && !entry.values.starts_with("integer") &&
                             !entry.values.starts_with("number");
    EXPECT_THAT(refusal(entry, takes_words ? "" : "no value"),
                HasSubstr("my.ini:3: '" + entry.key() + "' is '"));
  }
  EXPECT_EQ(engine::study_setting("train.momentum"), nullptr);
  EXPECT_EQ(engine::row_setting("epochs"), nullptr);
}

TEST(SettingTable, TheTableOfKeysInTheReadmeIsCurrent) {
  std::ifstream in(fs::path(PETLAB_PROTOCOLS) / "README.md");
  std::stringstream text;
  text << in.rdbuf();
  EXPECT_THAT(text.str(), HasSubstr("\n\n" + key_table() + "\n"))
      << "put what `petlab describe --keys` prints in the place of the table under 'Keys'";
}

}  // namespace
}  // namespace petlab::study
