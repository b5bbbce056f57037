#pragma once

#include <string>

namespace petlab::study {

/// This process, as the owner of leases: "HOST, process PID (WORLD-START)". WORLD tells one boot of
/// one machine and, in it, one space of process numbers (a container has its own); START is when
/// the process began, since numbers are used again. Each call gives the same text.
[[nodiscard]] std::string lease_owner();

/// True when `owner` is a process of this machine, boot and space of numbers that has ended. False
/// when it lives, and when that cannot be told from here: then its lease has to run out.
[[nodiscard]] bool is_gone(const std::string& owner);

}  // namespace petlab::study
