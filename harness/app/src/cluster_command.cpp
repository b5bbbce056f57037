#include "cluster_command.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/numbers.hpp"
#include "petlab/results/run_store.hpp"
#include "petlab/results/store_address.hpp"
#include "petlab/study/expected_cost.hpp"
#include "petlab/study/prepare_data.hpp"
#include "places.hpp"
#include "progress_view.hpp"

#include <unistd.h>

#include <utility>

namespace petlab::app {
namespace {

constexpr const char* kDefaultFile = "cluster.ini";
constexpr int kMostAtOnce = 100'000;

}  // namespace

void add_cluster_options(po::options_description& options) {
  options.add_options()("cluster", text_value(),
                        "file that says what a job asks for (default: cluster.ini of the working "
                        "directory, where there is one)")(
      "minutes", po::value<double>()->default_value(10.0, "10"),
      "runs that are expected to take less are put together into jobs of so many minutes")(
      "at-once", po::value<int>(), "jobs that run at the same time at most");
}

std::string cluster_key_help() {
  std::string text;
  for (const study::ClusterSettingEntry& entry : study::cluster_setting_table())
    text += std::string("  ") + entry.name + std::string(12 - std::string(entry.name).size(), ' ') +
            entry.help + " (" + entry.values + ")\n";
  return text;
}

ClusterChoice cluster_choice(const Parsed& options) {
  ClusterChoice choice;
  if (options.has("cluster"))
    choice.settings = study::read_cluster_settings(options.text("cluster"));
  else if (std::filesystem::exists(kDefaultFile))
    choice.settings = study::read_cluster_settings(kDefaultFile);
  choice.minutes = options.get<double>("minutes");
  if (!(choice.minutes >= 0.0 && choice.minutes <= 1e6))
    base::throw_config_error("--minutes is " + base::number_text(choice.minutes) +
                             ", expected a number of at least 0");
  if (options.has("at-once")) choice.at_once = count_of(options, "at-once", 1, kMostAtOnce);
  return choice;
}

ClusterStudies::ClusterStudies(const std::vector<PreparedStudy>& studies,
                               const ClusterChoice& choice, const Parsed& options, bool writes)
    : studies_(studies), choice_(choice), jobs_(all_jobs(studies)) {
  retry_ = retry_choice(options);
  // A job has as many threads as CPUs, unless they are said.
  if (!options.has("threads"))
    for (study::Job& job : jobs_)
      job.spec.threads = base::parse_number<int>(choice.settings.cpus).value();
  if (!writes) return;
  results::RunStore file(store());
  for (const PreparedStudy& study : studies)
    store_plan(study, file);
}

study::PendingRuns ClusterStudies::pending() {
  if (!results::has_store(store())) {
    study::PendingRuns all;
    all.jobs = jobs_;
    return all;
  }
  const results::RunStore file(store(), results::OpenMode::read_only);
  study::PendingRuns pending = study::choose_jobs(jobs_, file, retry_);
  if (std::exchange(is_first_, false)) {
    retried_ = pending.retried;
    return pending;
  }
  const auto is_new_failure = [&](const study::Job& job) {
    const auto failure = pending.retried.find(job.identity.hash);
    if (failure == pending.retried.end()) return false;
    const auto before = retried_.find(job.identity.hash);
    return before == retried_.end() || before->second != failure->second;
  };
  pending.failed += std::erase_if(pending.jobs, is_new_failure);
  return pending;
}

std::vector<std::vector<std::size_t>> ClusterStudies::tasks(
    const std::vector<study::Job>& jobs) const {
  study::ExpectedCosts costs;
  if (results::has_store(store()))
    costs = study::ExpectedCosts(
        study::past_runs(results::RunStore(store(), results::OpenMode::read_only), jobs));
  std::vector<std::optional<double>> seconds;
  for (const study::Job& job : jobs) {
    std::optional<double>& expected = seconds.emplace_back();
    for (const PreparedStudy& study : studies_) {
      if (study.protocol.name != job.spec.study) continue;
      const auto cost =
          costs.of(job, study.plan.train_images.at({job.spec.seed, job.spec.train_size}));
      if (cost) expected = cost->cost.seconds;
    }
  }
  return study::bundle(seconds, choice_.minutes);
}

study::OrderFolder ClusterStudies::write(std::vector<study::Job> jobs) const {
  results::RunStore file(store(), results::OpenMode::read_write);
  ImageCounter counter(isatty(STDERR_FILENO) != 0);
  study::prepare_data(jobs, file, counter);
  return study::write_orders(file, jobs, tasks(jobs));
}

study::SubmitOptions ClusterStudies::submit_options() const {
  study::SubmitOptions options{.settings = choice_.settings,
                               .program = program_file(),
                               .study = first().protocol.name,
                               .at_once = choice_.at_once};
  if (options.settings.gpus.empty() && first().protocol.device != engine::DeviceKind::cpu)
    options.settings.gpus = "1";
  return options;
}

}  // namespace petlab::app
