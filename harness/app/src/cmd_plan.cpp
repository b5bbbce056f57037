#include "command.hpp"
#include "json_output.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
#include "petlab/results/run_store.hpp"
#include "petlab/results/store_address.hpp"
#include "petlab/study/abandoned.hpp"
#include "progress_view.hpp"
#include "state_of_runs.hpp"
#include "study_command.hpp"
#include "study_stages.hpp"

#include <algorithm>
#include <iomanip>
#include <iostream>
#include <optional>
#include <set>

namespace petlab::app {
namespace {

/// Measured, expected from runs like it (~), or estimated from shapes (~~).
std::string memory_text(const RunLine& line) {
  if (line.cost) {
    const std::int64_t bytes =
        std::max(line.cost->peak_host_bytes, line.cost->peak_device_bytes.value_or(0));
    return (line.state == "done" ? "" : "~") + bytes_text(bytes);
  }
  return line.estimated_bytes > 0 ? "~~" + bytes_text(line.estimated_bytes) : "unknown";
}

void print_line(const std::string& row, const std::string& seed, const RunLine& line,
                const std::string& time, const std::string& memory, const std::string& run,
                std::size_t width) {
  std::cout << std::left << std::setw(static_cast<int>(width)) << row << "  " << std::setw(4)
            << seed << "  " << std::setw(7) << line.state << "  " << std::right << std::setw(11)
            << time << "  " << std::setw(9) << memory << "  " << std::left << run
            << (line.remark.empty() ? "" : "  ") << line.remark << "\n";
}

/// What the studies' store, and a cluster, know: asked once.
struct Known {
  explicit Known(const std::filesystem::path& file) : cluster(runs_of_cluster(file, trouble)) {
    if (results::has_store(file)) store.emplace(file, results::OpenMode::read_only);
  }
  [[nodiscard]] StateOfRuns states(const PreparedStudy& study,
                                   const study::PluginRegistry& plugins) const {
    return {study, store ? &*store : nullptr, plugins, cluster};
  }

  std::optional<results::RunStore> store;  ///< none yet
  std::string trouble;                     ///< why the cluster does not say
  QueuedRuns cluster;
};

/// The runs of a study, a line each, and their sum.
void print_runs(const PreparedStudy& study, const study::PluginRegistry& plugins,
                const Known& known) {
  StateOfRuns states = known.states(study, plugins);
  std::size_t width = 3;
  for (const study::Job& job : study.wanted)
    width = std::max(width, job.spec.label.size());
  print_line("row", "seed", {.state = "state", .cost = {}, .remark = ""}, "time", "memory", "run",
             width);
  for (const study::Job& job : study.wanted) {
    const RunLine line = states.line(job);
    const std::string sign = line.cost && line.state != "done" ? "~" : "";
    print_line(job.spec.label, std::to_string(job.spec.seed), line,
               line.cost ? sign + duration_text(line.cost->seconds) : "unknown", memory_text(line),
               base::short_hash(job.identity.hash), width);
  }
  states.print_sum();
  if (!known.trouble.empty())
    std::cout << "What was submitted is not known at the moment: " << known.trouble << "\n";
  if (const std::string warning = states.memory_warning(); !warning.empty())
    std::cout << "Warning: " << warning << "\n";
}

Json run_json(const study::Job& job, const RunLine& line) {
  Json json = {{"row", job.spec.label},
               {"seed", job.spec.seed},
               {"run", job.identity.hash},
               {"state", line.state}};
  const char* how = line.state == "done" ? "measured" : "expected";
  json["seconds"] = line.cost ? Json(line.cost->seconds) : Json(nullptr);
  json["peak_bytes"] = nullptr;
  json["known_by"] = nullptr;
  if (line.cost) {
    json["peak_bytes"] =
        std::max(line.cost->peak_host_bytes, line.cost->peak_device_bytes.value_or(0));
    json["known_by"] = how;
  } else if (line.estimated_bytes > 0) {
    json["peak_bytes"] = line.estimated_bytes;
    json["known_by"] = "shapes";
  }
  json["remark"] = text_or_null(line.remark);
  return json;
}

Json study_json(const PreparedStudy& study, const study::PluginRegistry& plugins,
                const Known& known) {
  StateOfRuns states = known.states(study, plugins);
  Json json = {{"study", study.protocol.name}, {"store", study.store.string()}};
  json["runs"] = Json::array();
  for (const study::Job& job : study.wanted)
    json["runs"].push_back(run_json(job, states.line(job)));
  json["sum"] = states.sum_json();
  json["cluster_trouble"] = text_or_null(known.trouble);
  json["memory_warning"] = text_or_null(states.memory_warning());
  json["notes"] = study.plan.notes;
  return json;
}

/// What earlier settings of these studies left behind.
std::vector<study::KeptCheckpoint> abandoned(const std::vector<PreparedStudy>& studies,
                                             const Known& known) {
  if (!known.store) return {};
  std::set<std::string> names, now;
  for (const PreparedStudy& study : studies) {
    names.insert(study.protocol.name);
    for (const study::Job& job : study.plan.jobs)
      now.insert(job.identity.hash);
  }
  now.merge(study::planned_runs(*known.store, names));
  return study::abandoned_checkpoints(*known.store, now);
}

void print_abandoned(const std::vector<PreparedStudy>& studies, const Known& known) {
  const auto left = abandoned(studies, known);
  if (left.empty()) return;
  std::int64_t bytes = 0;
  for (const study::KeptCheckpoint& one : left)
    bytes += static_cast<std::int64_t>(one.bytes);
  std::cout << "Checkpoints that no run needs (" << bytes_text(bytes)
            << "; petlab clean STUDY --store " << studies.front().store.string()
            << " removes them):\n";
  for (const study::KeptCheckpoint& one : left)
    std::cout << "  " << base::printable(one.file) << "\n";
}

void print_plan_json(const std::vector<PreparedStudy>& studies,
                     const std::vector<std::string>& remarks, const study::PluginRegistry& plugins,
                     const Known& known) {
  Json json = {{"format", "petlab plan"}, {"version", 1}};
  json["studies"] = Json::array();
  for (const PreparedStudy& study : studies)
    json["studies"].push_back(study_json(study, plugins, known));
  json["remarks"] = remarks;
  json["abandoned_checkpoints"] = Json::array();
  for (const study::KeptCheckpoint& one : abandoned(studies, known))
    json["abandoned_checkpoints"].push_back({{"file", one.file.string()}, {"bytes", one.bytes}});
  print_json(json);
}

}  // namespace

int run_plan(const Arguments& arguments) {
  Usage usage{
      "plan",
      "STUDY [options]",
      "Checks a study as `petlab run` would, computes nothing, and prints its runs: done,\n"
      "failed (with the reason), running (by whom) or missing, with their time and peak\n"
      "memory; those that were submitted to a cluster also as queued, running (where, since\n"
      "when, how far), published (petlab collect takes them) or lost. What a\n"
      "run is expected to cost has a ~: the median over finished runs of\n"
      "the same method, sharing, grouping, data set, backbone, device and precision in\n"
      "the store, scaled to its epochs and training images. Memory with ~~ is estimated\n"
      "from shapes, for runs on the CPU that have none like them in the store yet. Warns\n"
      "when parallel runs may need more memory than the machine has. Lists checkpoints\n"
      "that no run needs any more (petlab clean removes them).",
      po::options_description("Options"),
      {"STUDY"},
      "  petlab plan harness/protocols/demo.ini\n"
      "  petlab plan my.ini --seeds 1-5 --set train.epochs=50\n"};
  add_study_options(usage.options);
  usage.options.add_options()("protocol", po::bool_switch(), "print the resolved protocol instead")(
      "json", po::bool_switch(), "print the runs as JSON");
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  if (options->get<bool>("json") && options->get<bool>("protocol"))
    base::throw_config_error("--protocol prints a protocol file: expected it without --json");
  const auto plugins = load_plugins(*options);
  warn_of_refused(*plugins);
  const StudyStages stages({read_study(study_files(*options), *options)}, *options, *plugins);
  const auto [studies, remarks] = stages.all();
  if (options->get<bool>("protocol")) {
    for (const PreparedStudy& study : studies)
      std::cout << study.plan.study.protocol;
  } else if (!studies.empty()) {
    const Known known(studies.front().store);
    if (options->get<bool>("json")) {
      print_plan_json(studies, remarks, *plugins, known);
      return kOk;
    }
    for (const PreparedStudy& study : studies) {
      if (studies.size() > 1 || !remarks.empty())
        std::cout << "Study " << study.protocol.name << "\n";
      print_searches(study);
      print_runs(study, *plugins, known);
      for (const std::string& note : study.plan.notes)
        std::cout << "Note: " << note << "\n";
    }
    print_abandoned(studies, known);
  }
  for (const std::string& remark : remarks)
    std::cout << remark << "\n";
  return kOk;
}

}  // namespace petlab::app
