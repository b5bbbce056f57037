#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace petlab::tests {

struct Output {
  int exit_code = -1;  ///< 128 + signal when a signal ended the program
  std::string out;
  std::string err;
};

/// The program under test, at work in the background. Killed when the object dies.
class Program {
 public:
  Program(const std::vector<std::string>& arguments, const std::filesystem::path& folder,
          const std::vector<std::string>& environment = {});
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }

  /// Waits until the program has a child process of its own that is at least `seconds` old, at most
  /// a minute. Returns 0 when the program ended before.
  [[nodiscard]] pid_t wait_for_child(double seconds);

  /// The program's child processes at the moment.
  [[nodiscard]] std::vector<pid_t> children() const;

  /// What it has printed so far on standard output.
  [[nodiscard]] std::string printed() const;

  [[nodiscard]] Output wait();

 private:
  pid_t pid_ = -1;
  std::filesystem::path out_, err_;
};

/// Runs petlab to its end. `folder` is its working directory.
[[nodiscard]] Output run_petlab(const std::vector<std::string>& arguments,
                                const std::filesystem::path& folder,
                                const std::vector<std::string>& environment = {});

/// `petlab run STUDY` with a store and a cache of the folder's own; the study is called "small".
[[nodiscard]] std::vector<std::string> run_arguments(const std::string& study,
                                                     const std::string& store,
                                                     const std::vector<std::string>& more = {});

/// "R", "S", "T" (stopped), "Z" ...: what the system says a process is at; "X" when there is none.
[[nodiscard]] std::string state_of(pid_t pid);

[[nodiscard]] std::string text_of(const std::filesystem::path& file);

/// How often `part` is in `text`.
[[nodiscard]] std::size_t count_of(const std::string& text, const std::string& part);

}  // namespace petlab::tests
