#include "program.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

namespace petlab::tests {
namespace fs = std::filesystem;
namespace {

std::vector<pid_t> children_of(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/task/" + std::to_string(pid) + "/children");
  return {std::istream_iterator<pid_t>(in), std::istream_iterator<pid_t>()};
}

pid_t first_child(pid_t pid) {
  const std::vector<pid_t> children = children_of(pid);
  return children.empty() ? 0 : children.front();
}

}  // namespace

Program::Program(const std::vector<std::string>& arguments, const fs::path& folder,
                 const std::vector<std::string>& environment) {
  static int count = 0;
  const std::string name = "petlab_" + std::to_string(::getpid()) + "_" + std::to_string(++count);
  out_ = fs::temp_directory_path() / (name + ".out");
  err_ = fs::temp_directory_path() / (name + ".err");
  std::vector<std::string> texts = {PETLAB_BINARY_DIR "/bin/petlab"};
  texts.insert(texts.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& text : texts)
    pointers.push_back(text.data());
  pointers.push_back(nullptr);

  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("cannot fork");
  if (pid_ > 0) return;
  const int out = ::open(out_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  const int err = ::open(err_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ::dup2(out, 1);
  ::dup2(err, 2);
  if (::chdir(folder.c_str()) != 0) ::_exit(126);
  for (const std::string& variable : environment) {
    const auto equals = variable.find('=');
    ::setenv(variable.substr(0, equals).c_str(), variable.substr(equals + 1).c_str(), 1);
  }
  ::execv(pointers.front(), pointers.data());
  ::_exit(127);
}

Program::~Program() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    (void)wait();
  }
}

pid_t Program::wait_for_child(double seconds) {
  using Clock = std::chrono::steady_clock;
  const auto limit = Clock::now() + std::chrono::minutes(1);
  while (Clock::now() < limit) {
    const pid_t child = first_child(pid_);
    if (child > 0) {
      std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
      if (first_child(pid_) == child) return child;
    }
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
    if (info.si_pid == pid_) return 0;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return 0;
}

std::vector<pid_t> Program::children() const {
  return children_of(pid_);
}

std::string Program::printed() const {
  return text_of(out_);
}

Output Program::wait() {
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  Output output{WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), text_of(out_),
                text_of(err_)};
  fs::remove(out_);
  fs::remove(err_);
  return output;
}

std::vector<std::string> run_arguments(const std::string& study, const std::string& store,
                                       const std::vector<std::string>& more) {
  // Said outright, the name stays the same whatever the options make of the study.
  std::vector<std::string> result = {"run",         study,   "--store", store,
                                     "--cache-dir", "cache", "--set",   "study.name=small"};
  result.insert(result.end(), more.begin(), more.end());
  return result;
}

std::string state_of(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string number, name, state = "X";
  stat >> number >> name >> state;
  return state;
}

Output run_petlab(const std::vector<std::string>& arguments, const fs::path& folder,
                  const std::vector<std::string>& environment) {
  return Program(arguments, folder, environment).wait();
}

std::string text_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++found;
  return found;
}

}  // namespace petlab::tests
