#include "command.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/numbers.hpp"
#include "petlab/base/text.hpp"
#include "petlab/results/run_store.hpp"
#include "petlab/results/store_address.hpp"
#include "progress_view.hpp"
#include "state_of_runs.hpp"
#include "study_command.hpp"
#include "study_stages.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace petlab::app {
namespace {

/// What a store says of the runs of a study at one moment.
struct Look {
  std::size_t all = 0;
  RunCounts counts;
  std::vector<std::string> lines;  ///< of runs that run, and of those that failed

  [[nodiscard]] std::size_t left() const { return all - counts.done - counts.failed; }
};

Look look_at(const PreparedStudy& study, const study::PluginRegistry& plugins) {
  std::optional<results::RunStore> store;
  if (results::has_store(study.store)) store.emplace(study.store, results::OpenMode::read_only);
  const QueuedRuns no_cluster;
  StateOfRuns states(study, store ? &*store : nullptr, plugins, no_cluster);
  Look look;
  look.all = study.wanted.size();
  for (const study::Job& job : study.wanted) {
    const RunLine line = states.state(job);
    const std::string name = job.spec.label + " seed " + std::to_string(job.spec.seed);
    if (line.lease)
      look.lines.push_back("running  " + name + "  on " +
                           base::message_line(line.lease->owner, 200) + " since " +
                           line.lease->taken.substr(0, 19));
    if (line.state == "failed")
      look.lines.push_back("failed   " + name + "  " + base::message_line(line.remark, 200));
  }
  look.counts = states.counts();
  return look;
}

/// A store that another petlab is making is none for a moment; what lasts is said.
class Patience {
 public:
  void found_well() { is_troubled_ = false; }
  /// In a catch block.
  void found(const base::Error& error) {
    const auto now = Clock::now();
    if (!is_troubled_) until_ = now + kLongest;
    is_troubled_ = true;
    if (error.kind() != base::ErrorKind::store || now > until_) throw;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kLongest{10};

  bool is_troubled_ = false;
  Clock::time_point until_{};
};

/// "demo: 19 of 42 done, 1 failed, 2 running, 20 to do; about 8 min left".
std::string head_of(const PreparedStudy& study, const Look& look) {
  const RunCounts& counts = look.counts;
  std::string text = study.protocol.name + ": " + std::to_string(counts.done) + " of " +
                     std::to_string(look.all) + " done, " +
                     (counts.failed > 0 ? std::to_string(counts.failed) + " failed, " : "") +
                     std::to_string(counts.running) + " running, " +
                     std::to_string(look.left() - counts.running) + " to do";
  if (look.left() > counts.unknown && counts.running > 0)
    text += "; about " + duration_text(counts.seconds_left / static_cast<double>(counts.running)) +
            " left" +
            (counts.unknown > 0 ? " without the " + std::to_string(counts.unknown) +
                                      " that are not like any finished run"
                                : "");
  if (look.left() > 0 && counts.running == 0) text += "; nobody is at work";
  return text;
}

/// Draws all anew on a terminal; elsewhere a line for each study whose counts have changed.
class View {
 public:
  explicit View(bool is_terminal) : is_terminal_(is_terminal) {}

  void begin() {
    if (is_terminal_) std::cout << "\x1b[H\x1b[2J";
  }
  void show(const PreparedStudy& study, const Look& look) {
    const std::string head = head_of(study, look);
    const std::string counts = head.substr(0, head.find(';'));
    std::string& last = last_[study.protocol.name];
    if (!is_terminal_ && counts == last) return;
    last = counts;
    std::cout << head << "\n";
    if (is_terminal_)
      for (const std::string& line : look.lines)
        std::cout << "  " << line << "\n";
  }
  void end() { std::cout << std::flush; }

 private:
  bool is_terminal_;
  std::map<std::string, std::string> last_;  ///< counts that were shown, by study
};

}  // namespace

int run_watch(const Arguments& arguments) {
  Usage usage{
      "watch",
      "STUDY [options]",
      "Shows how far a study is that `petlab run` computes, in another terminal or on other\n"
      "machines with the same store, until all of its runs are done or have failed: how many,\n"
      "which are running and by whom, and the time that is left by what runs like them took.\n"
      "Looks again every 5 seconds, and computes nothing. Where the output is not a terminal,\n"
      "prints a line when a count changes. The exit code is 1 where a run has failed.",
      po::options_description("Options"),
      {"STUDY"},
      "  petlab watch harness/protocols/demo.ini\n"
      "  petlab watch my.ini --store my.sqlite --every 60\n"};
  add_study_options(usage.options);
  usage.options.add_options()("every", po::value<double>()->default_value(5.0, "5"),
                              "seconds between two looks at the store");
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  const double every = options->get<double>("every");
  constexpr double kDay = 24.0 * 3600.0;
  if (!(every >= 0.1 && every <= kDay))
    base::throw_config_error("--every is " + base::number_text(every) +
                             ", expected seconds, at least 0.1 and at most a day");
  const auto plugins = load_plugins(*options);
  const study::Protocol protocol = read_study(study_files(*options), *options);
  std::optional<StudyStages> stages;
  View view(shows_marks());
  Patience patience;
  for (;;) {
    try {
      if (stages)
        (void)stages->extend();
      else
        stages.emplace(std::vector<study::Protocol>{protocol}, *options, *plugins);
      const auto studies = stages->all().studies;
      std::vector<Look> looks;
      for (const PreparedStudy& study : studies)
        looks.push_back(look_at(study, *plugins));
      patience.found_well();
      view.begin();
      for (std::size_t i = 0; i < studies.size(); ++i)
        view.show(studies[i], looks[i]);
      view.end();
      const auto is_over = [](const Look& look) { return look.left() == 0; };
      const auto has_failed = [](const Look& look) { return look.counts.failed > 0; };
      if (!looks.empty() && std::all_of(looks.begin(), looks.end(), is_over))
        return std::any_of(looks.begin(), looks.end(), has_failed) ? kRunFailed : kOk;
    } catch (const base::Error& error) {
      patience.found(error);
    }
    std::this_thread::sleep_for(std::chrono::duration<double>(every));
  }
}

}  // namespace petlab::app
