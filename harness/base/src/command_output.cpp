#include "petlab/base/command_output.hpp"

#include "petlab/base/error.hpp"

#include <spawn.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

extern char** environ;

namespace petlab::base {
namespace {

[[noreturn]] void fail(const std::string& what, int error) {
  throw Error(ErrorKind::internal, what + ": " + std::strerror(error));
}

/// Takes what both pipes hold until both are closed.
void read_all(std::array<pollfd, 2> pipes, CommandOutput& output) {
  std::array<std::string*, 2> texts = {&output.out, &output.err};
  std::array<char, 65536> buffer{};
  while (pipes[0].fd >= 0 || pipes[1].fd >= 0) {
    if (::poll(pipes.data(), pipes.size(), -1) < 0 && errno != EINTR) break;
    for (std::size_t i = 0; i < pipes.size(); ++i) {
      if (pipes[i].fd < 0 || pipes[i].revents == 0) continue;
      const ssize_t n = ::read(pipes[i].fd, buffer.data(), buffer.size());
      if (n > 0) texts[i]->append(buffer.data(), static_cast<std::size_t>(n));
      if (n == 0 || (n < 0 && errno != EINTR)) pipes[i].fd = -1;
    }
  }
}

}  // namespace

CommandOutput run_command(const std::vector<std::string>& command) {
  int out[2], err[2];
  if (::pipe2(out, O_CLOEXEC) != 0) fail("no pipe", errno);
  if (::pipe2(err, O_CLOEXEC) != 0) fail("no pipe", errno);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  posix_spawn_file_actions_adddup2(&actions, err[1], 2);
  std::vector<std::string> texts = command;
  std::vector<char*> arguments;
  for (std::string& text : texts)
    arguments.push_back(text.data());
  arguments.push_back(nullptr);
  pid_t pid = -1;
  const int error =
      posix_spawnp(&pid, arguments.front(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(out[1]);
  ::close(err[1]);
  CommandOutput output;
  if (error == 0) {
    read_all({{{out[0], POLLIN, 0}, {err[0], POLLIN, 0}}}, output);
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    output.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  } else {
    output.code = 127;
    output.start_error = error;
    output.err = command.front() + ": " + std::strerror(error);
  }
  ::close(out[0]);
  ::close(err[0]);
  return output;
}

}  // namespace petlab::base
