#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace petlab::study {

/// A child process with a text for its standard input and a pipe back (its descriptor 3). What it
/// prints goes to a file. Killed, with all processes that it started, when the object dies.
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

  /// Whole lines that came since the last call.
  [[nodiscard]] std::vector<std::string> lines();

  /// No line will come any more: nobody has the other end open. The child may go on for a moment.
  [[nodiscard]] bool silent() const { return silent_; }

  /// The child's end has come, whoever else still holds the other end of the pipe.
  [[nodiscard]] bool ended() const;

  /// Memory that the child holds at the moment; 0 when it has ended.
  [[nodiscard]] std::int64_t resident_bytes() const;

  /// Sends a signal to the child and to all processes of its group.
  void kill(int signal) const;

  /// Waits for the end. Returns the wait status.
  int wait();

 private:
  pid_t pid_ = -1;
  int descriptor_ = -1;
  bool silent_ = false;
  std::string rest_;
};

/// "signal SIGSEGV (segmentation fault)" and the like.
[[nodiscard]] std::string signal_text(int signal);

}  // namespace petlab::study
