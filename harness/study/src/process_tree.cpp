#include "process_tree.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <sstream>
#include <system_error>

namespace petlab::study {
namespace {

namespace fs = std::filesystem;

std::string text_of(const std::string& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// Numbers that name folders: processes of /proc, threads of a process.
std::vector<pid_t> numbers_in(const std::string& folder) {
  std::vector<pid_t> numbers;
  std::error_code gone;
  for (fs::directory_iterator entry(folder, gone), end; !gone && entry != end;
       entry.increment(gone)) {
    const std::string name = entry->path().filename().string();
    if (std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isdigit(c) != 0; }))
      numbers.push_back(static_cast<pid_t>(std::atol(name.c_str())));
  }
  return numbers;
}

/// Those that each thread of the process started. Nothing where this kernel keeps no such lists.
std::optional<std::vector<pid_t>> listed_children(pid_t pid) {
  const std::string process = "/proc/" + std::to_string(pid);
  std::vector<pid_t> children;
  for (const pid_t thread : numbers_in(process + "/task")) {
    std::ifstream in(process + "/task/" + std::to_string(thread) + "/children");
    if (!in) {
      if (fs::exists("/proc/self/task/" + std::to_string(::getpid()) + "/children")) continue;
      return std::nullopt;
    }
    for (pid_t child = 0; in >> child;)
      children.push_back(child);
  }
  return children;
}

/// Children of all processes, from their own entries.
std::multimap<pid_t, pid_t> children_of_all() {
  std::multimap<pid_t, pid_t> children;
  for (const pid_t pid : numbers_in("/proc")) {
    const std::string stat = text_of("/proc/" + std::to_string(pid) + "/stat");
    const auto name_end = stat.rfind(')');  // the name may hold anything
    if (name_end == std::string::npos) continue;
    std::istringstream fields(stat.substr(name_end + 1));
    char state = 0;
    pid_t parent = 0;
    if (fields >> state >> parent) children.emplace(parent, pid);
  }
  return children;
}

std::vector<pid_t> children_of(pid_t pid) {
  if (auto listed = listed_children(pid)) return *std::move(listed);
  std::vector<pid_t> children;
  const auto all = children_of_all();
  for (auto [child, end] = all.equal_range(pid); child != end; ++child)
    children.push_back(child->second);
  return children;
}

std::int64_t resident_bytes(pid_t pid) {
  std::ifstream statm("/proc/" + std::to_string(pid) + "/statm");
  std::int64_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

/// A page's share of each of the processes that have it; nothing where the kernel does not tell.
std::optional<std::int64_t> proportional_bytes(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/smaps_rollup");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("Pss:")) {
      std::istringstream words(line.substr(4));
      std::int64_t kilobytes = 0;
      if (words >> kilobytes) return kilobytes * 1024;
    }
  return std::nullopt;
}

bool has_mark(pid_t pid, const std::string& mark) {
  const std::string all = text_of("/proc/" + std::to_string(pid) + "/environ");
  const std::string entry = mark + '\0';
  const auto at = all.find(entry);
  return at != std::string::npos && (at == 0 || all[at - 1] == '\0');
}

}  // namespace

std::vector<pid_t> descendants_of(pid_t pid) {
  std::vector<pid_t> found = children_of(pid);
  for (std::size_t i = 0; i < found.size(); ++i)
    for (const pid_t child : children_of(found[i]))
      if (std::find(found.begin(), found.end(), child) == found.end()) found.push_back(child);
  return found;
}

std::int64_t memory_of(const std::vector<pid_t>& processes) {
  std::int64_t sum = 0;
  for (const pid_t pid : processes) {
    // Exact, but the kernel walks through all pages for it: only where something can be shared.
    const auto exact = processes.size() > 1 ? proportional_bytes(pid) : std::nullopt;
    sum += exact ? *exact : resident_bytes(pid);
  }
  return sum;
}

OrphanCare::OrphanCare() {
  static std::atomic<unsigned> counter{0};
  mark_ = "PETLAB_WORKER_OF=" + std::to_string(::getpid()) + "." + std::to_string(counter++);
  ::prctl(PR_GET_CHILD_SUBREAPER, &before_);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
}

OrphanCare::~OrphanCare() {
  end_orphans({});
  ::prctl(PR_SET_CHILD_SUBREAPER, before_);
}

void OrphanCare::end_orphans(const std::vector<pid_t>& workers) const {
  // One that is ended may leave children of its own, which come here then.
  constexpr int kRounds = 20;
  for (int round = 0; round < kRounds; ++round) {
    bool found = false;
    for (const pid_t child : children_of(::getpid())) {
      if (std::find(workers.begin(), workers.end(), child) != workers.end()) continue;
      if (!has_mark(child, mark_)) continue;
      found = true;
      for (const pid_t other : descendants_of(child))
        ::kill(other, SIGKILL);
      ::kill(child, SIGKILL);
      ::waitpid(child, nullptr, 0);
    }
    if (!found) return;
  }
}

}  // namespace petlab::study
