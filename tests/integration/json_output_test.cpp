#include "petlab/results/run_store.hpp"
#include "program.hpp"
#include "sample_records.hpp"
#include "sample_study.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>

// The shapes that harness/app/README.md and reports/README.md promise to other programs.
namespace petlab::tests {
namespace {

namespace sample = results::sample;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsSupersetOf;

std::vector<std::string> names_of(const json& object) {
  std::vector<std::string> names;
  for (const auto& [name, value] : object.items())
    names.push_back(name);
  return names;
}

class JsonOutput : public testing::Test {
 protected:
  JsonOutput() {
    results::RunStore store(folder_ / "demo.sqlite");
    store.set_study(sample::study("demo", {{"coop", coop_}, {"zero-shot", zero_}}));
    for (const auto* row : {&coop_, &zero_}) {
      for (const sample::RunChoice& run : *row) {
        store.register_split(sample::split(run.seed));
        store.record(sample::done_run(run, sample::split(run.seed)));
      }
    }
  }

  Output petlab(const std::vector<std::string>& arguments) const {
    return run_petlab(arguments, folder_ / ".");
  }

  json json_of(const std::vector<std::string>& arguments) const {
    const Output output = petlab(arguments);
    EXPECT_EQ(output.exit_code, 0) << output.err;
    return json::parse(output.out);
  }

  const std::vector<sample::RunChoice> coop_ = {{.method = "coop", .seed = 1, .correct = {7, 5}},
                                                {.method = "coop", .seed = 2, .correct = {8, 5}}};
  const std::vector<sample::RunChoice> zero_ = {
      {.method = "zero-shot", .seed = 1, .trainable = 0, .correct = {5, 4}},
      {.method = "zero-shot", .seed = 2, .trainable = 0, .correct = {5, 5}}};
  sample::TemporaryFolder folder_;
};

TEST_F(JsonOutput, QueryReadsAStore) {
  const std::string sql = "SELECT label, AVG(accuracy) AS accuracy FROM accuracy GROUP BY label";
  const json found = json_of({"query", sql, "--store", "demo.sqlite", "--format", "json"});
  EXPECT_EQ(found.at("columns"), json({"label", "accuracy"}));
  EXPECT_EQ(found.at("rows").at(0).at(0), "coop");
  EXPECT_EQ(petlab({"query", sql, "--store", "demo.sqlite", "--format", "csv"}).out.substr(0, 15),
            "label,accuracy\n");
  EXPECT_THAT(petlab({"query", sql, "--store", "demo.sqlite"}).out, HasSubstr("(2 rows)"));
  const Output refused = petlab({"query", "DELETE FROM runs", "--store", "demo.sqlite"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("expected one SELECT"));
  EXPECT_THAT(petlab({"query", sql, "--store", "demo.sqlite", "--format", "jsn"}).err,
              HasSubstr("did you mean 'json'?"));
}

TEST_F(JsonOutput, ReportPrintsOneFormat) {
  const json report = json_of({"report", "--store", "demo.sqlite", "--format", "json"});
  EXPECT_EQ(report.at("studies").at(0).at("rows").size(), 2U);
  const std::vector<std::string> base = {"report", "--store", "demo.sqlite"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), base.begin(), base.end());
    return petlab(more);
  };
  EXPECT_THAT(with({"--format", "csv"}).out, testing::StartsWith("study,row,method,"));
  EXPECT_THAT(with({"--format", "csv", "--table", "confusions"}).out,
              testing::StartsWith("study,row,method,sharing,seed,task,true_label,"));
  EXPECT_THAT(with({"--format", "markdown"}).out, testing::StartsWith("# Study demo"));
  EXPECT_THAT(with({"--format", "latex"}).out, HasSubstr("\\begin{tabular}"));
  EXPECT_THAT(with({}).out, testing::StartsWith("Study "));
  for (const auto& [arguments, message] :
       std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"--format", "csv,json"}, "names 2 formats and there is no folder"},
           {{"--format", "html"}, "expected markdown, csv, latex or json"},
           {{"--format", "json", "--table", "runs"}, "--table says which lines"},
           {{"--format", "csv", "--table", "run"}, "did you mean 'runs'?"},
           {{"--columns", "macro_f2"}, "did you mean 'macro_f1'?"}}) {
    const Output refused = with(arguments);
    EXPECT_EQ(refused.exit_code, 2);
    EXPECT_THAT(refused.err, HasSubstr(message));
  }
  EXPECT_THAT(with({"--columns", "calibration_error,peak_host_bytes"}).out,
              AllOf(HasSubstr("ECE %"), HasSubstr("peak host MB")));
}

TEST_F(JsonOutput, CompareSaysEverythingAtOnce) {
  const json result = json_of(
      {"compare", "coop", "zero-shot", "--store", "demo.sqlite", "--json", "--csv", "d.csv"});
  EXPECT_EQ(result.at("format"), "petlab compare");
  EXPECT_THAT(names_of(result),
              IsSupersetOf({"version", "a", "b", "verdict", "notes", "difference", "p_paired_t",
                            "pictures", "wins", "p_wilcoxon", "tasks", "seeds", "settings",
                            "equal_settings", "tested_pictures", "disagreements"}));
  EXPECT_NEAR(result["difference"]["mean"].get<double>(), 0.15, 1e-12);
  EXPECT_EQ(result["difference"]["n"], 2);
  EXPECT_EQ(result["tasks"][0]["task"], "line");
  EXPECT_EQ(result["tested_pictures"], 20);
  EXPECT_EQ(result["disagreements"][0]["answers"][0].size(), 7U);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "d.csv"));
}

TEST_F(JsonOutput, PluginsAndDescribe) {
  const json plugins = json_of({"plugins", "--json"});
  EXPECT_EQ(plugins.at("format"), "petlab plugins");
  EXPECT_EQ(plugins.at("refused").size(), 0U);
  EXPECT_GE(plugins.at("plugins").size(), 2U);
  EXPECT_THAT(names_of(plugins["plugins"][0]),
              testing::UnorderedElementsAre("name", "version", "licence", "source_hash", "file",
                                            "methods", "groupings"));
  const json coop = json_of({"describe", "coop", "--json"}).at("entries").at(0);
  EXPECT_EQ(coop.at("kind"), "method");
  EXPECT_THAT(names_of(coop), IsSupersetOf({"name", "summary", "plugin", "training",
                                            "training_source", "composable", "options"}));
  EXPECT_THAT(names_of(coop.at("options").at(0)),
              IsSupersetOf({"name", "help", "default", "type"}));
  EXPECT_EQ(petlab({"describe", "--keys", "--json"}).exit_code, 2);
}

TEST_F(JsonOutput, PlanListsItsRuns) {
  const Workshop workshop;
  const std::string study = workshop.write_study("[row.a]\nmethod = coop\nsharing = joint\n");
  const Output output =
      run_petlab({"plan", study, "--store", "none.sqlite", "--json"}, workshop.folder());
  ASSERT_EQ(output.exit_code, 0) << output.err;
  const json plan = json::parse(output.out);
  EXPECT_EQ(plan.at("format"), "petlab plan");
  EXPECT_THAT(names_of(plan),
              IsSupersetOf({"version", "studies", "remarks", "abandoned_checkpoints"}));
  const json& one = plan["studies"].at(0);
  EXPECT_EQ(one.at("sum").at("missing"), one.at("runs").size());
  EXPECT_EQ(one["runs"][0].at("state"), "missing");
  EXPECT_EQ(one["runs"][0].at("seconds"), nullptr);
  EXPECT_EQ(one["runs"][0].at("known_by"), "shapes");
  EXPECT_EQ(one["runs"][0].at("run").get<std::string>().size(), 64U);
  EXPECT_EQ(run_petlab({"plan", study, "--json", "--protocol"}, workshop.folder()).exit_code, 2);
  // What reports look for in a stored protocol.
  EXPECT_THAT(run_petlab({"plan", study, "--protocol", "--set", "study.equivalence-margin=1.5"},
                         workshop.folder())
                  .out,
              HasSubstr("\nequivalence-margin = 1.5\n"));
}

TEST_F(JsonOutput, DatasetsCheckGivesAllFindings) {
  const Workshop workshop;
  const Output output = run_petlab({"datasets", "check", "pictures", "--json"}, workshop.folder());
  ASSERT_EQ(output.exit_code, 0) << output.err;
  const json check = json::parse(output.out);
  EXPECT_EQ(check.at("format"), "petlab datasets check");
  EXPECT_THAT(names_of(check),
              IsSupersetOf({"version", "passed", "reasons", "obstacle", "fingerprint", "split",
                            "pictures", "unreadable", "damaged", "single_picture_classes",
                            "missing_classes", "identical", "near", "near_distance", "plain",
                            "notes", "smallest_side", "largest_side"}));
  EXPECT_GT(check["pictures"], 0);
  EXPECT_EQ(check["fingerprint"].get<std::string>().size(), 64U);
}

}  // namespace
}  // namespace petlab::tests
