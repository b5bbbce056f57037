#include "lease_owner.hpp"

#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <system_error>

namespace petlab::study {
namespace {

/// The first part of the boot's id, and the number of the space of process numbers.
std::string world() {
  std::string boot;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> boot;
  std::error_code unknown;
  const std::string space = std::filesystem::read_symlink("/proc/self/ns/pid", unknown).string();
  if (boot.size() < 8 || unknown) return "";
  std::string digits;
  for (const char c : space)
    if (c >= '0' && c <= '9') digits += c;
  return boot.substr(0, 8) + "." + digits;
}

struct ProcessState {
  char state = 'X';   ///< 'Z': ended, and not yet collected by its parent
  std::string start;  ///< in clock ticks after boot
};

/// Nothing when there is no such process.
std::optional<ProcessState> look_at(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const auto name_end = text.rfind(')');  // the name may hold anything
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(text.substr(name_end + 1));
  ProcessState process;
  fields >> process.state;
  constexpr int kStart = 22, kState = 3;  // of proc(5)
  for (int field = kState; field < kStart; ++field)
    fields >> process.start;
  return process;
}

std::string mark(const std::string& start) {
  return "(" + world() + "-" + start + ")";
}

}  // namespace

std::string lease_owner() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  const auto self = look_at(::getpid());
  return std::string(host.data()) + ", process " + std::to_string(::getpid()) + " " +
         mark(self ? self->start : "");
}

OwnerState state_of(const std::string& owner) {
  constexpr const char* kProcess = ", process ";
  const auto at = owner.rfind(kProcess);
  if (at == std::string::npos || world().empty()) return OwnerState::unknown;
  std::istringstream words(owner.substr(at + std::char_traits<char>::length(kProcess)));
  pid_t pid = 0;
  std::string its_mark;
  words >> pid >> its_mark;
  if (pid <= 0 || its_mark.rfind("(" + world() + "-", 0) != 0) return OwnerState::unknown;
  const auto process = look_at(pid);
  // /proc may be mounted so that others' processes are not to be seen (hidepid).
  if (!process)
    return ::kill(pid, 0) != 0 && errno == ESRCH ? OwnerState::gone : OwnerState::at_work;
  if (process->state == 'Z' || process->state == 'X' || its_mark != mark(process->start))
    return OwnerState::gone;
  return process->state == 'T' || process->state == 't' ? OwnerState::stopped : OwnerState::at_work;
}

}  // namespace petlab::study
