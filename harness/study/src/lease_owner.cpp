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

/// What lease_owner() is made of.
struct Owner {
  std::string host;
  pid_t pid = 0;
  std::string mark = {};
};

std::optional<Owner> parse(const std::string& text) {
  constexpr const char* kProcess = ", process ";
  const auto at = text.rfind(kProcess);
  if (at == std::string::npos) return std::nullopt;
  Owner owner{.host = text.substr(0, at)};
  std::istringstream words(text.substr(at + std::char_traits<char>::length(kProcess)));
  words >> owner.pid >> owner.mark;
  if (owner.pid <= 0 || !owner.mark.starts_with('(')) return std::nullopt;
  return owner;
}

/// "(BOOT".
std::string boot_of(const std::string& mark) {
  return mark.substr(0, mark.find('.'));
}

std::string host_name() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return host.data();
}

}  // namespace

std::string lease_owner() {
  const auto self = look_at(::getpid());
  return host_name() + ", process " + std::to_string(::getpid()) + " " +
         mark(self ? self->start : "");
}

std::optional<std::string> other_host(const std::string& owner) {
  const auto parsed = parse(owner);
  if (!parsed || world().empty() || parsed->host == host_name() ||
      boot_of(parsed->mark) == boot_of(mark("")))
    return std::nullopt;
  return parsed->host;
}

OwnerState state_of(const std::string& owner) {
  const auto parsed = parse(owner);
  if (!parsed || world().empty() || !parsed->mark.starts_with("(" + world() + "-"))
    return OwnerState::unknown;
  const pid_t pid = parsed->pid;
  const auto process = look_at(pid);
  // /proc may be mounted so that others' processes are not to be seen (hidepid).
  if (!process)
    return ::kill(pid, 0) != 0 && errno == ESRCH ? OwnerState::gone : OwnerState::at_work;
  if (process->state == 'Z' || process->state == 'X' || parsed->mark != mark(process->start))
    return OwnerState::gone;
  return process->state == 'T' || process->state == 't' ? OwnerState::stopped : OwnerState::at_work;
}

}  // namespace petlab::study
