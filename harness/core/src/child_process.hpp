#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace petlab::core {

/// A child process with a text for its standard input and a pipe back (its descriptor 3). What it
/// prints goes to a file. Killed when the object dies.
class ChildProcess {
 public:
  /// Starts `command` in a process group of its own, so that a terminal's Ctrl-C reaches the parent
  /// alone. `environment` is added to the parent's own. Throws Error(internal).
  ChildProcess(const std::vector<std::string>& command, const std::vector<std::string>& environment,
               const std::string& input, const std::filesystem::path& log);
  ~ChildProcess();
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;

  /// Readable end of the child's descriptor 3, not blocking.
  [[nodiscard]] int descriptor() const { return descriptor_; }

  /// Whole lines that came since the last call. `*ended` is set when the child closed its end.
  [[nodiscard]] std::vector<std::string> lines(bool* ended);

  void kill(int signal) const;

  /// Waits for the end. Returns the wait status.
  int wait();

 private:
  pid_t pid_ = -1;
  int descriptor_ = -1;
  std::string rest_;
};

/// "signal SIGSEGV (segmentation fault)" and the like.
[[nodiscard]] std::string signal_text(int signal);

}  // namespace petlab::core
