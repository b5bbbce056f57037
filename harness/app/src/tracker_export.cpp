#include "tracker_export.hpp"

#include "embedded_files.hpp"
#include "petlab/base/atomic_file.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/private_folder.hpp"
#include "petlab/base/read_file.hpp"

#include <spawn.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace petlab::app {
namespace {

namespace fs = std::filesystem;

/// What the program ends with where a sentence on standard error says all.
constexpr int kSaidWhy = 2, kStoreIsWrong = 5;

std::string interpreter() {
  const char* named = std::getenv("PETLAB_PYTHON");
  return named != nullptr && *named != '\0' ? named : "python3";
}

/// Runs a command to its end, its output in two files; returns its exit code, 128 + signal. Throws
/// Error(config) where there is no such program.
int run(std::vector<std::string> command, const fs::path& out, const fs::path& err) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  const int flags = O_WRONLY | O_CREAT | O_TRUNC;
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out.c_str(), flags, 0600);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err.c_str(), flags, 0600);
  std::vector<char*> arguments;
  for (std::string& text : command)
    arguments.push_back(text.data());
  arguments.push_back(nullptr);
  pid_t pid = -1;
  const int error =
      posix_spawnp(&pid, arguments.front(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0)
    base::throw_config_error("cannot start '" + command.front() + "' (" + std::strerror(error) +
                             "), which writes for TensorBoard and MLflow: install Python 3.9 or "
                             "later, or name an interpreter with PETLAB_PYTHON");
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string text_of(const fs::path& file) {
  std::string text = base::read_text_file(file);
  while (!text.empty() && text.back() == '\n')
    text.pop_back();
  return text;
}

}  // namespace

std::string export_to_tracker(const TrackerExport& asked) {
  const base::PrivateFolder scratch("petlab-trackers");
  const base::WriteOptions process{.durability = base::Durability::process};
  base::write_file(scratch.path() / "petlab_results.py", embedded::petlab_results, process);
  base::write_file(scratch.path() / "petlab_trackers.py", embedded::petlab_trackers, process);
  std::vector<std::string> command = {interpreter(),
                                      (scratch.path() / "petlab_trackers.py").string()};
  if (!asked.study.empty()) command.push_back("--study=" + asked.study);
  if (!asked.run.empty()) command.push_back("--run=" + asked.run);
  for (const std::string& text :
       {std::string("--"), asked.tracker, asked.store.string(), asked.place})
    command.push_back(text);
  const fs::path out = scratch.path() / "out", err = scratch.path() / "err";
  const int code = run(command, out, err);
  if (code == kSaidWhy) base::throw_config_error(text_of(err));
  if (code == kStoreIsWrong) throw base::Error(base::ErrorKind::store, text_of(err));
  if (code != 0)
    throw base::Error(base::ErrorKind::internal, "'" + command.front() + "' ended with " +
                                                     std::to_string(code) + ":\n" + text_of(err));
  return text_of(out) + "\n";
}

}  // namespace petlab::app
