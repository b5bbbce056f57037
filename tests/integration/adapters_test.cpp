// Adapters leave the program: kept beside the store, described, evaluated, classified with, merged,
// found missing, and computed once more.
#include "petlab/results/adapter_files.hpp"
#include "petlab/results/run_store.hpp"
#include "program.hpp"
#include "sample_study.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace petlab::tests {
namespace {

namespace fs = std::filesystem;
using results::OpenMode;
using results::RunRecord;
using results::RunStore;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// Every kind of change: prompts of both towers, of classes, composed, conditioned on the image and
// of groups; low ranks, affine changes, bottlenecks, generated ones, feature adapters, class heads,
// remembered examples, whole copies of weights; and nothing at all.
constexpr const char* kMethodRows =
    "[row.zero-shot]\nmethod = zero-shot\nsharing = joint\n"
    "[row.coop]\nmethod = coop\nsharing = per-task\noption.n-ctx = 4\n"
    "[row.coop-csc]\nmethod = coop-csc\nsharing = joint\noption.n-ctx = 4\n"
    "[row.cocoop]\nmethod = cocoop\nsharing = joint\noption.reduction = 2\n"
    "[row.vpt]\nmethod = vpt-deep\nsharing = joint+specific\n"
    "[row.mmap]\nmethod = mmap\nsharing = grouped+specific\ngrouping = gradient\noption.b = 4\n"
    "[row.ivlp]\nmethod = ivlp\nsharing = joint\n"
    "[row.lora]\nmethod = lora\nsharing = joint\n"
    "[row.ia3]\nmethod = ia3\nsharing = per-task\n"
    "[row.ssf]\nmethod = ssf\nsharing = joint\n"
    "[row.bitfit]\nmethod = bitfit\nsharing = joint\n"
    "[row.compacter]\nmethod = compacter\nsharing = joint\noption.reduction = 2\noption.n = 2\n"
    "[row.hyperformer]\nmethod = hyperformer\nsharing = joint\noption.reduction = 2\n"
    "[row.clip-adapter]\nmethod = clip-adapter\nsharing = joint\n"
    "[row.linear-probe]\nmethod = linear-probe\nsharing = joint\n"
    "[row.tip]\nmethod = tip-adapter\nsharing = per-task\n"
    "[row.tip-f]\nmethod = tip-adapter-f\nsharing = joint\n"
    "[row.vmtl]\nmethod = vmtl\nsharing = joint\n"
    "[row.full]\nmethod = full-fine-tuning\nsharing = per-task\n";

class AdaptersTest : public testing::Test {
 protected:
  Workshop workshop_;
  fs::path folder_ = workshop_.folder();
  fs::path store_ = folder_ / "a.sqlite";

  Output petlab(const std::vector<std::string>& arguments) const {
    return run_petlab(arguments, folder_);
  }

  /// Runs the rows with seed 1 into a store.
  void run(const std::string& rows, const std::string& store = "a.sqlite",
           const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"run",         workshop_.write_study(rows),
                                          "--store",     store,
                                          "--cache-dir", "cache",
                                          "--seeds",     "1",
                                          "--set",       "study.name=small",
                                          "--threads",   "1",
                                          "--no-table"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Output output = petlab(arguments);
    ASSERT_EQ(output.exit_code, 0) << output.out << output.err;
  }

  [[nodiscard]] std::map<std::string, RunRecord> records(
      const std::string& store = "a.sqlite") const {
    std::map<std::string, RunRecord> all;
    const RunStore opened(folder_ / store, OpenMode::read_only);
    for (const results::StudyRun& planned : opened.runs("small"))
      if (auto record = opened.load(planned.plan.hash))
        all.emplace(planned.plan.row_label, *std::move(record));
    return all;
  }

  [[nodiscard]] Output evaluate(const RunRecord& run,
                                const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {
        "evaluate", run.identity.hash.substr(0, 16), "--store", "a.sqlite", "--cache-dir", "cache"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return petlab(arguments);
  }

  /// The evaluations in the store of a run.
  [[nodiscard]] std::vector<RunRecord> evaluations(const RunRecord& run) const {
    std::vector<RunRecord> all;
    const RunStore opened(store_, OpenMode::read_only);
    for (const std::string& identity : opened.find_runs("")) {
      auto record = opened.load(identity);
      if (record->parent == run.identity.hash) all.push_back(*std::move(record));
    }
    return all;
  }
};

void expect_same_predictions(const RunRecord& a, const RunRecord& b, const std::string& what) {
  ASSERT_EQ(a.tasks.size(), b.tasks.size()) << what;
  for (std::size_t t = 0; t < a.tasks.size(); ++t) {
    EXPECT_EQ(a.tasks[t].task, b.tasks[t].task) << what;
    EXPECT_EQ(a.tasks[t].n_correct, b.tasks[t].n_correct) << what;
    EXPECT_EQ(a.tasks[t].loss, b.tasks[t].loss) << what;  // to the last bit
    ASSERT_EQ(a.tasks[t].predictions.size(), b.tasks[t].predictions.size()) << what;
    for (std::size_t i = 0; i < a.tasks[t].predictions.size(); ++i) {
      EXPECT_EQ(a.tasks[t].predictions[i].predicted, b.tasks[t].predictions[i].predicted) << what;
      EXPECT_EQ(a.tasks[t].predictions[i].probability, b.tasks[t].predictions[i].probability)
          << what;
    }
  }
}

TEST_F(AdaptersTest, OfEveryKindGiveTheRunsPredictionsToTheLastBit) {
  run(kMethodRows);
  const auto runs = records();
  ASSERT_EQ(runs.size(), 19U);
  for (const auto& [row, run] : runs) {
    ASSERT_EQ(run.status, results::RunStatus::done) << row << ": " << run.error;
    const fs::path file = results::adapter_file(store_, run.identity.hash);
    ASSERT_TRUE(fs::exists(file)) << row;
    EXPECT_EQ(fs::file_size(file), static_cast<std::uintmax_t>(run.adapters_bytes)) << row;
    EXPECT_EQ(results::checked_adapter_file(store_, run), file);
    const Output output = evaluate(run);
    ASSERT_EQ(output.exit_code, 0) << row << ": " << output.err;
    const auto found = evaluations(run);
    ASSERT_EQ(found.size(), 1U) << row;
    EXPECT_EQ(found[0].kind, results::run_kind::kEvaluation);
    EXPECT_EQ(found[0].adapters_hash, "");
    EXPECT_EQ(found[0].test_evaluations, 1);
    expect_same_predictions(run, found[0], row);
  }
  const Output again = evaluate(runs.at("lora"));
  EXPECT_THAT(again.out, HasSubstr("which the store had already"));
  EXPECT_EQ(petlab({"check", "a.sqlite"}).exit_code, 0);
  const RunStore store(store_, OpenMode::read_only);
  EXPECT_EQ(store.runs("small").size(), 19U) << "an evaluation is no run of the study";
}

TEST_F(AdaptersTest, AreTestedOnOtherDomainsAndData) {
  run("[row.coop]\nmethod = coop\nsharing = per-task\noption.n-ctx = 4\n"
      "[row.lora]\nmethod = lora\nsharing = joint\n"
      "[row.linear-probe]\nmethod = linear-probe\nsharing = per-task\n");
  const auto runs = records();
  const Output one = evaluate(runs.at("lora"), {"--domains", "Sketch"});
  ASSERT_EQ(one.exit_code, 0) << one.err;
  const auto found = evaluations(runs.at("lora"));
  ASSERT_EQ(found.size(), 1U);
  ASSERT_EQ(found[0].tasks.size(), 1U);
  EXPECT_EQ(found[0].tasks[0].task, "Sketch");

  // The same pictures in a folder of another name are another data set, with a domain that no run
  // knows, and one class less.
  fs::create_directories(folder_ / "other");
  fs::copy(folder_ / "pictures/Art", folder_ / "other/Poster", fs::copy_options::recursive);
  const std::vector<std::string> other = {"--dataset-root", (folder_ / "other").string()};
  EXPECT_EQ(evaluate(runs.at("lora"), other).exit_code, 0);
  EXPECT_THAT(evaluate(runs.at("coop"), other).err,
              AllOf(HasSubstr("does not know 'Poster'"), HasSubstr("--as TASK")));
  auto as_art = other;
  as_art.insert(as_art.end(), {"--as", "Art"});
  EXPECT_EQ(evaluate(runs.at("coop"), as_art).exit_code, 0);
  EXPECT_EQ(evaluate(runs.at("linear-probe"), as_art).exit_code, 0);
  fs::remove_all(folder_ / "other/Poster/mug");
  EXPECT_EQ(evaluate(runs.at("coop"), as_art).exit_code, 0);
  const Output bound = evaluate(runs.at("linear-probe"), as_art);
  EXPECT_EQ(bound.exit_code, 2);
  EXPECT_THAT(bound.err, AllOf(HasSubstr("belongs to its 4 classes"), HasSubstr("'Poster' has 3")));
  as_art.back() = "Atr";
  EXPECT_THAT(evaluate(runs.at("coop"), as_art).err, HasSubstr("did you mean 'Art'"));
  EXPECT_EQ(evaluations(runs.at("linear-probe")).size(), 1U) << "what was refused left a row";
  const auto refused = [&](const std::vector<std::string>& more) {
    const Output output = evaluate(runs.at("lora"), more);
    EXPECT_EQ(output.exit_code, 2);
    return output.err;
  };
  EXPECT_THAT(refused({"--train-fraction", "0.17"}),
              AllOf(HasSubstr("'train-fraction' is '0.17'"), HasSubstr("may have trained it")));
  EXPECT_THAT(refused({"--train-fraction", "0.17,0.2"}), HasSubstr("expected one value"));
  EXPECT_THAT(refused({"--leave-out", "Art"}), HasSubstr("--leave-out is for studies"));
  EXPECT_THAT(refused({"--cross-domain", "yes"}), HasSubstr("--cross-domain is for studies"));
  const auto first = evaluations(runs.at("lora")).at(0).identity.hash;
  EXPECT_THAT(petlab({"evaluate", first, "--store", "a.sqlite"}).err,
              HasSubstr("is an evaluation itself"));
}

TEST_F(AdaptersTest, AreDescribedAndClassifyPicturesSideBySide) {
  run("[row.coop]\nmethod = coop\nsharing = per-task\noption.n-ctx = 4\n"
      "[row.tip]\nmethod = tip-adapter\nsharing = per-task\n"
      "[row.lora]\nmethod = lora\nsharing = joint\n");
  const auto runs = records();
  const std::string coop = runs.at("coop").identity.hash, lora = runs.at("lora").identity.hash;
  const Output described = petlab({"describe", coop.substr(0, 12), "--store", "a.sqlite"});
  EXPECT_EQ(described.exit_code, 0) << described.err;
  EXPECT_THAT(described.out,
              AllOf(HasSubstr("method   coop, plugin coop"), HasSubstr("adapter task Art"),
                    HasSubstr("n-ctx = 4"), HasSubstr("texts    {}."), HasSubstr("[4, 32]"),
                    HasSubstr("licence  Trained by petlab"), HasSubstr("task Sketch: 4 classes")));
  EXPECT_THAT(petlab({"describe", runs.at("tip").identity.hash, "--store", "a.sqlite"}).out,
              HasSubstr("a cache: keys"));

  const std::string picture = "pictures/Sketch/mug/picture1.png";
  const std::vector<std::string> both = {"clip", "classify", "--run",    coop,   "--run",
                                         lora,   "--store",  "a.sqlite", picture};
  EXPECT_THAT(petlab(both).err, AllOf(HasSubstr("each in its own way"), HasSubstr("--task")));
  auto with_task = both;
  with_task.insert(with_task.end(), {"--task", "Sketch"});
  const Output text = petlab(with_task);
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_THAT(text.out, AllOf(HasSubstr("coop, per-task, seed 1, task Sketch"),
                              HasSubstr("lora, joint, seed 1, task Sketch")));
  with_task.insert(with_task.end(), {"--top", "1", "--format", "csv"});
  const Output csv = petlab(with_task);
  EXPECT_EQ(std::count(csv.out.begin(), csv.out.end(), '\n'), 3) << csv.out;
  EXPECT_THAT(csv.out, HasSubstr("picture,run,method,sharing,seed,task,rank,class,probability"));
  with_task.back() = "json";
  EXPECT_THAT(petlab(with_task).out, AllOf(HasSubstr("\"picture\""), HasSubstr(lora)));
  with_task.back() = "xml";
  EXPECT_THAT(petlab(with_task).err, HasSubstr("--format is 'xml'"));

  // The answers are those that the run stored for its test pictures.
  const RunStore store(store_, OpenMode::read_only);
  const RunRecord& run = runs.at("coop");
  const auto split = store.split(run.split_hash, run.dataset_hash);
  const auto& task = split->tasks.at(2);
  ASSERT_EQ(task.task, "Sketch");
  std::vector<std::string> arguments = {"clip",   "classify", "--run", coop, "--store",  "a.sqlite",
                                        "--task", "Sketch",   "--top", "1",  "--format", "csv"};
  for (const results::TestImage& image : task.test)
    for (const char* ending : {".jpg", ".png"})
      if (const std::string file = "pictures/" + image.sample_id + ending;
          std::filesystem::exists(folder_ / file))
        arguments.push_back(file);
  const Output answers = petlab(arguments);
  ASSERT_EQ(answers.exit_code, 0) << answers.err;
  std::istringstream lines(answers.out);
  std::string line;
  std::getline(lines, line);
  for (std::size_t i = 0; i < task.test.size(); ++i) {
    ASSERT_TRUE(std::getline(lines, line));
    const results::ImagePrediction& stored = run.tasks.at(2).predictions.at(i);
    std::string name = task.classes[static_cast<std::size_t>(stored.predicted)];
    std::replace(name.begin(), name.end(), '_', ' ');
    EXPECT_THAT(line, HasSubstr("," + name + ","));
    EXPECT_NEAR(std::stod(line.substr(line.rfind(',') + 1)), stored.probability, 1e-4) << line;
  }
}

TEST_F(AdaptersTest, AreLeftOutFoundMissingCarriedAndComputedOnceMore) {
  const std::string row = "[row.vpt]\nmethod = vpt-deep\nsharing = joint\n";
  run(row, "without.sqlite", {"--no-adapters"});
  EXPECT_FALSE(fs::exists(folder_ / "without.sqlite.adapters"));
  const RunRecord without = records("without.sqlite").at("vpt");
  EXPECT_EQ(without.adapters_hash, "");
  EXPECT_EQ(without.adapters_bytes, 0);
  EXPECT_THAT(petlab({"evaluate", without.identity.hash, "--store", "without.sqlite"}).err,
              HasSubstr("were not kept"));

  run(row);
  const RunRecord run = records().at("vpt");
  EXPECT_EQ(run.identity.hash, without.identity.hash) << "keeping adapters decides no result";
  EXPECT_EQ(run.trained_hash, without.trained_hash);
  const Output merged = petlab({"merge", "all.sqlite", "a.sqlite"});
  EXPECT_THAT(merged.out, HasSubstr("adapters of 1 run copied"));
  EXPECT_EQ(results::adapter_trouble(folder_ / "all.sqlite", run), "");

  const fs::path file = results::adapter_file(store_, run.identity.hash);
  const auto plan = [&] {
    return petlab({"plan", workshop_.write_study(row), "--store", "a.sqlite", "--cache-dir",
                   "cache", "--seeds", "1", "--set", "study.name=small"})
        .out;
  };
  EXPECT_THAT(plan(), Not(HasSubstr("missing: there is no file")));
  fs::remove(file);
  EXPECT_THAT(plan(), AllOf(HasSubstr("its adapters are missing: there is no file"),
                            HasSubstr("1 done"), HasSubstr("petlab verify RUN")));
  EXPECT_THAT(evaluate(run).err, HasSubstr("are missing: there is no file"));
  const Output nothing =
      petlab({"run", workshop_.write_study(row), "--store", "a.sqlite", "--cache-dir", "cache",
              "--seeds", "1", "--set", "study.name=small", "--no-table"});
  EXPECT_THAT(nothing.out, HasSubstr("0 to do")) << "a finished run is never computed again";
  const Output lacking = petlab({"merge", "third.sqlite", "a.sqlite"});
  EXPECT_EQ(lacking.exit_code, 0);
  EXPECT_THAT(lacking.err, HasSubstr("the run came without them"));
  petlab({"merge", "a.sqlite", "all.sqlite"});
  EXPECT_TRUE(fs::exists(file));
  fs::remove(file);
  const Output verified = petlab({"verify", run.identity.hash.substr(0, 12), "--store", "a.sqlite",
                                  "--cache-dir", "cache", "--threads", "1"});
  EXPECT_EQ(verified.exit_code, 0) << verified.err;
  EXPECT_THAT(verified.out, HasSubstr("are there again"));
  EXPECT_EQ(results::checked_adapter_file(store_, run), file);

  std::ofstream(file, std::ios::binary | std::ios::in).seekp(run.adapters_bytes - 4) << "\x7f";
  EXPECT_THAT(evaluate(run).err, AllOf(HasSubstr("are not what they were"), HasSubstr("digest")));
  const fs::path stray = results::adapter_file(store_, std::string(64, 'a'));
  std::ofstream(stray) << "of a run that never ended";
  EXPECT_THAT(petlab({"clean", "--store", "a.sqlite"}).out, HasSubstr("1 file removed"));
  EXPECT_FALSE(fs::exists(stray));
  EXPECT_TRUE(fs::exists(file));
}

TEST_F(AdaptersTest, ARunFindsOutBeforeItTrainsThatTheyCannotBeKept) {
  std::ofstream(folder_ / "a.sqlite.adapters") << "a file where the folder should be";
  const std::string study =
      workshop_.write_study("[row.vpt]\nmethod = vpt-deep\nsharing = joint\n");
  const Output output = petlab({"run", study, "--store", "a.sqlite", "--cache-dir", "cache",
                                "--seeds", "1", "--set", "study.name=small", "--no-table"});
  EXPECT_EQ(output.exit_code, 1);
  const RunRecord run = records().at("vpt");
  EXPECT_EQ(run.error_kind, "store");
  EXPECT_THAT(run.error, AllOf(HasSubstr("its adapters cannot be kept"),
                               HasSubstr("--no-adapters leaves them out"), HasSubstr("setup")));
  EXPECT_TRUE(run.epochs.empty());
}

}  // namespace
}  // namespace petlab::tests
