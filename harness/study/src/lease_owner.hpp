#pragma once

#include <optional>
#include <string>

namespace petlab::study {

/// This process, as the owner of leases: "HOST, process PID (WORLD-START)". WORLD tells one boot of
/// one machine and, in it, one space of process numbers (a container has its own); START is when
/// the process began, since numbers are used again. Each call gives the same text.
[[nodiscard]] std::string lease_owner();

/// What is known here of the process that a lease names.
enum class OwnerState {
  at_work,  ///< of this machine, boot and space of numbers, and alive
  stopped,  ///< likewise, but it stands still (Ctrl-Z)
  gone,     ///< likewise, and it has ended
  unknown,  ///< another machine's, or it cannot be told: its lease has to run out
};

[[nodiscard]] OwnerState state_of(const std::string& owner);

/// The name of the host whose process a lease names, where it is another one than this: its name
/// and its boot differ (a machine that was started anew keeps the one, a container the other).
/// Nothing where it is this host, or cannot be told.
[[nodiscard]] std::optional<std::string> other_host(const std::string& owner);

}  // namespace petlab::study
