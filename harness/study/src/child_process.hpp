#pragma once

#include "petlab/base/error.hpp"

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace petlab::study {

/// The file that a child's output was to go to cannot be made. It is about one run, not about the
/// machine.
class LogError final : public base::Error {
 public:
  using base::Error::Error;
};

/// A child process with a text for its standard input and a pipe back (its descriptor 3). What it
/// prints goes to a file. Killed, with all processes that it started, when the object dies.
class ChildProcess {
 public:
  /// Starts `command` in a process group of its own, so that a terminal's Ctrl-C reaches the parent
  /// alone. `environment` is added to the parent's own. `log` is made anew: what has that name is
  /// replaced, and no link is followed. Throws LogError for it, else Error(internal).
  ChildProcess(const std::vector<std::string>& command, const std::vector<std::string>& environment,
               const std::string& input, const std::filesystem::path& log);
  ~ChildProcess();
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;

  /// Readable end of the child's descriptor 3, not blocking.
  [[nodiscard]] int descriptor() const { return descriptor_; }

  [[nodiscard]] pid_t pid() const { return pid_; }

  /// Whole lines that came since the last call. At most 64 KiB are read in a call, and of a line
  /// only the first 4 KiB are kept: what a child says may be anything.
  [[nodiscard]] std::vector<std::string> lines();

  /// No line will come any more: nobody has the other end open. The child may go on for a moment.
  [[nodiscard]] bool silent() const { return silent_; }

  /// The child's end has come, whoever else still holds the other end of the pipe.
  [[nodiscard]] bool ended() const;

  /// It has ended, but not as a child does that has stored its run: with exit code 0 or 1.
  [[nodiscard]] bool ended_badly() const;

  /// Memory that the child and all processes that it started hold at the moment; 0 when it has
  /// ended.
  [[nodiscard]] std::int64_t resident_bytes() const;

  /// Sends a signal to the child, to all processes of its group and to what they started.
  void kill(int signal) const;

  /// Waits for the end. Returns the wait status.
  int wait();

 private:
  pid_t pid_ = -1;
  int descriptor_ = -1;
  bool silent_ = false;
  std::string rest_;  ///< of a line whose end has not come
};

/// "signal SIGSEGV (segmentation fault)" and the like.
[[nodiscard]] std::string signal_text(int signal);

}  // namespace petlab::study
