#include "child_process.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
#include "process_tree.hpp"

#include <spawn.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>
#include <utility>

extern char** environ;

namespace petlab::study {
namespace {

constexpr int kProgress = 3;  ///< the child's descriptor for progress

[[noreturn]] void fail(const std::string& what, int error) {
  throw base::Error(base::ErrorKind::internal,
                    "cannot start a worker: " + what + ": " + std::strerror(error));
}

/// A descriptor that is closed in the end, above those that the child uses.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Descriptor() { reset(); }
  void reset() {
    if (value_ >= 0) ::close(value_);
    value_ = -1;
  }
  [[nodiscard]] int get() const { return value_; }
  int release() { return std::exchange(value_, -1); }

 private:
  int value_ = -1;
};

struct Pipe {
  Descriptor read, write;
};

Descriptor above_standard(int descriptor) {
  // dup2 onto itself would keep close-on-exec, so no end of a pipe may be one of the child's own.
  const int high = ::fcntl(descriptor, F_DUPFD_CLOEXEC, kProgress + 1);
  const int error = errno;
  ::close(descriptor);
  if (high < 0) fail("no file descriptor", error);
  return Descriptor(high);
}

Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) fail("no pipe", errno);
  Pipe pipe;
  pipe.read = above_standard(ends[0]);
  pipe.write = above_standard(ends[1]);
  return pipe;
}

Descriptor open_log(const std::filesystem::path& log) {
  const auto refuse = [&](const std::string& reason) {
    throw LogError(base::ErrorKind::config, "what the worker prints cannot be kept in '" +
                                                base::printable(log) + "': " + reason);
  };
  std::error_code failed;
  std::filesystem::create_directories(log.parent_path(), failed);
  if (failed) refuse(failed.message());
  // Not into what is there already: a link, or a second name of another file.
  if (::unlink(log.c_str()) != 0 && errno != ENOENT) refuse(std::strerror(errno));
  const int descriptor =
      ::open(log.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (descriptor < 0) refuse(std::strerror(errno));
  return above_standard(descriptor);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts)
    result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

/// The parent's environment with some variables set anew.
std::vector<std::string> merged_environment(const std::vector<std::string>& added) {
  std::vector<std::string> result = added;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string text = *variable;
    const std::string name = text.substr(0, text.find('=') + 1);
    bool replaced = false;
    for (const std::string& one : added)
      replaced = replaced || one.starts_with(name);
    if (!replaced) result.push_back(text);
  }
  return result;
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& command,
                           const std::vector<std::string>& environment, const std::string& input,
                           const std::filesystem::path& log) {
  const Descriptor output = open_log(log);
  Pipe in = make_pipe(), progress = make_pipe();
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&actions, in.read.get(), 0);
  posix_spawn_file_actions_adddup2(&actions, output.get(), 1);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  posix_spawn_file_actions_adddup2(&actions, progress.write.get(), kProgress);
  sigset_t none, defaults;
  sigemptyset(&none);
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGINT);
  sigaddset(&defaults, SIGTERM);
  sigaddset(&defaults, SIGPIPE);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  std::vector<std::string> arguments = command, variables = merged_environment(environment);
  const int error = posix_spawn(&pid_, command.front().c_str(), &actions, &attributes,
                                pointers(arguments).data(), pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) fail(command.front(), error);

  descriptor_ = progress.read.release();
  ::fcntl(descriptor_, F_SETFL, O_NONBLOCK);
  in.read.reset();
  // An order is far smaller than a pipe; a child that died already leaves a short write, and its
  // end is noticed anyway.
  std::size_t written = 0;
  while (written < input.size()) {
    const ssize_t n = ::write(in.write.get(), input.data() + written, input.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    written += static_cast<std::size_t>(n);
  }
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      silent_(other.silent_),
      rest_(std::move(other.rest_)) {}

ChildProcess::~ChildProcess() {
  if (pid_ > 0) {
    kill(SIGKILL);
    wait();
  }
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::vector<std::string> ChildProcess::lines() {
  constexpr std::size_t kMostRead = std::size_t{64} << 10U;
  constexpr std::size_t kLongestLine = std::size_t{4} << 10U;
  std::vector<std::string> result;
  char buffer[4096];
  for (std::size_t taken = 0; taken < kMostRead;) {
    const ssize_t n = ::read(descriptor_, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n == 0) silent_ = true;
    if (n <= 0) break;
    taken += static_cast<std::size_t>(n);
    std::string_view text(buffer, static_cast<std::size_t>(n));
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      rest_.append(text.substr(0, std::min(end, kLongestLine - rest_.size())));
      if (end == text.size()) break;
      result.push_back(std::exchange(rest_, {}));
      text.remove_prefix(end + 1);
    }
  }
  return result;
}

bool ChildProcess::ended() const {
  siginfo_t info{};
  const auto pid = static_cast<id_t>(pid_);
  return ::waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == pid_;
}

bool ChildProcess::ended_badly() const {
  siginfo_t info{};
  const auto pid = static_cast<id_t>(pid_);
  return ::waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid_ &&
         (info.si_code != CLD_EXITED || info.si_status > 1);
}

std::int64_t ChildProcess::resident_bytes() const {
  std::vector<pid_t> processes = descendants_of(pid_);
  processes.push_back(pid_);
  return memory_of(processes);
}

void ChildProcess::kill(int signal) const {
  if (pid_ <= 0) return;
  const std::vector<pid_t> started = descendants_of(pid_);
  // The group is the child's own; one that is just starting may not be in it yet.
  if (::kill(-pid_, signal) != 0) ::kill(pid_, signal);
  for (const pid_t other : started)
    ::kill(other, signal);
}

int ChildProcess::wait() {
  // Whoever the child left behind would go on unseen.
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) != 0 &&
         errno == EINTR) {
  }
  ::kill(-pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return status;
}

std::string signal_text(int signal) {
  const char* name = sigabbrev_np(signal);
  const char* words = sigdescr_np(signal);
  return "signal " + (name == nullptr ? std::to_string(signal) : "SIG" + std::string(name)) +
         (words == nullptr ? "" : " (" + std::string(words) + ")");
}

}  // namespace petlab::study
