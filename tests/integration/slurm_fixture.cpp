#include "slurm_fixture.hpp"

#include "petlab/results/run_store.hpp"
#include "stored_results.hpp"

#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <sstream>
#include <thread>
#include <utility>

namespace petlab::tests {
namespace {

namespace fs = std::filesystem;
using results::OpenMode;
using results::RunStore;

/// A task that went back into the queue waits for two minutes there; not in a test. Some seconds it
/// must wait: a node refuses a task that comes back in the second in which it was revoked.
void hasten() {
  constexpr std::chrono::seconds kWait{4};
  static std::map<std::string, std::chrono::steady_clock::time_point> since;
  const auto now = std::chrono::steady_clock::now();
  std::map<std::string, std::chrono::steady_clock::time_point> waiting;
  for (const std::string& line : lines_of(shell("squeue -h -r -t PD -o '%i|%r'").text)) {
    if (line.find("BeginTime") == std::string::npos) continue;
    const std::string task = line.substr(0, line.find('|'));
    const auto known = since.find(task);
    const auto first = waiting[task] = known == since.end() ? now : known->second;
    if (now - first >= kWait) (void)shell("scontrol update JobId=" + task + " StartTime=now");
  }
  since = std::move(waiting);
}

}  // namespace

Said shell(const std::string& line) {
  Said said;
  FILE* pipe = ::popen(("{ " + line + "; } 2>&1").c_str(), "r");
  std::array<char, 4096> buffer{};
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe))
    said.text.append(buffer.data(), n);
  const int status = ::pclose(pipe);
  said.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return said;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);)
    if (!line.empty()) lines.push_back(line);
  return lines;
}

bool wait_until(const std::function<bool()>& happened, int minutes) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::minutes(minutes);
  while (!happened()) {
    if (std::chrono::steady_clock::now() > limit) return false;
    hasten();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return true;
}

fs::path SlurmTest::folder_;
bool SlurmTest::is_up_ = false;

void SlurmTest::SetUpTestSuite() {
  if (shell("command -v slurmctld slurmd munged sbatch").code != 0) return;
  folder_ = fs::temp_directory_path() / ("petlab_slurm_" + std::to_string(::getpid()));
  const Said said = cluster("start");
  ASSERT_EQ(said.code, 0) << said.text;
  ::setenv("SLURM_CONF", (folder_ / "slurm.conf").c_str(), 1);
  is_up_ = true;
}

void SlurmTest::TearDownTestSuite() {
  if (folder_.empty()) return;
  (void)cluster("stop");
  fs::remove_all(folder_);
}

Said SlurmTest::cluster(const std::string& action) {
  return shell(PETLAB_SOURCE_DIR "/tests/integration/slurm_cluster.sh " + action + " '" +
               folder_.string() + "'");
}

void SlurmTest::SetUp() {
  if (!is_up_) GTEST_SKIP() << "needs slurmctld, slurmd, slurm-client and munge";
}

void SlurmTest::TearDown() {
  if (!is_up_) return;
  (void)shell("scancel --me --quiet");
  EXPECT_TRUE(wait_until([] { return shell("squeue -h").text.empty(); }));
  (void)shell("scontrol update NodeName=n1,n2 State=RESUME");
  EXPECT_TRUE(wait_until([] {
    return lines_of(shell("sinfo -h -N -p main -t idle -o %N").text).size() == 2;
  })) << shell("sinfo -N -l").text;
  if (HasFailure())
    std::printf("%s\n", shell("tail -n 40 '" + folder_.string() + "'/log/*.log; tail -n 40 '" +
                              workshop_.folder().string() + "'/a.sqlite.jobs/*/logs/*.log")
                            .text.c_str());
}

std::vector<std::string> SlurmTest::arguments(const std::string& command, const std::string& study,
                                              const std::vector<std::string>& more) {
  std::vector<std::string> all = {command,       study,   "--store", "a.sqlite",
                                  "--cache-dir", "cache", "--set",   "study.name=small"};
  if (command == "run") all.insert(all.end(), {"--executor", "slurm", "--poll", "1", "--no-table"});
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

Output SlurmTest::call(const std::string& command, const std::string& study,
                       const std::vector<std::string>& more) const {
  return run_petlab(arguments(command, study, more), workshop_.folder());
}

void SlurmTest::run_undisturbed(const std::string& study,
                                const std::vector<std::string>& more) const {
  std::vector<std::string> all = {"--threads", "1", "--no-table"};
  all.insert(all.end(), more.begin(), more.end());
  const Output whole = run_petlab(run_arguments(study, "whole.sqlite", all), workshop_.folder());
  ASSERT_EQ(whole.exit_code, 0) << whole.out << whole.err;
}

void SlurmTest::expect_the_same_bits() const {
  EXPECT_EQ(stored_results(workshop_.folder() / "a.sqlite"),
            stored_results(workshop_.folder() / "whole.sqlite"));
}

std::string SlurmTest::wait_for_training() const {
  std::string task;
  (void)wait_until([&] {
    const Said training = shell("grep -ls ' train ' '" + workshop_.folder().string() +
                                "'/a.sqlite.jobs/*/state/*.progress");
    const auto running = lines_of(shell("squeue -h -r -t R -o %i").text);
    if (!training.text.empty() && !running.empty()) task = running.front();
    return !task.empty();
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  return task;
}

Output SlurmTest::finish(Program& program) {
  EXPECT_TRUE(wait_until([&] { return state_of(program.pid()) == "Z"; }, /*minutes=*/8));
  return program.wait();
}

results::RunRecord SlurmTest::only_run() const {
  const RunStore store(workshop_.folder() / "a.sqlite", OpenMode::read_only);
  return store.load(store.runs("small").at(0).plan.hash).value();
}

std::string SlurmTest::logs() const {
  return shell("cat '" + workshop_.folder().string() + "'/a.sqlite.jobs/*/logs/*.log").text;
}

}  // namespace petlab::tests
