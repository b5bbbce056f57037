#pragma once

#include <string>
#include <vector>

namespace petlab::base {

/// What a program of the system said.
struct CommandOutput {
  int code = -1;        ///< exit code, 128 + signal, or 127 where there is no such program
  int start_error = 0;  ///< why it could not be started, an errno; 0 where it was
  std::string out;
  std::string err;
};

/// Runs a program that PATH leads to, without a shell, to its end; standard input is empty. Throws
/// Error(internal) when no process can be started.
[[nodiscard]] CommandOutput run_command(const std::vector<std::string>& command);

}  // namespace petlab::base
