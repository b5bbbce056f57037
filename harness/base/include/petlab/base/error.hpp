#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace petlab::base {

/// What kind of thing went wrong. Stored with a failed run and mapped to the exit code.
enum class ErrorKind {
  config,    ///< an option, protocol file or command line
  data,      ///< a dataset, image, split, weight or vocabulary file
  plugin,    ///< a plugin that cannot be loaded or breaks its contract
  numeric,   ///< a loss or parameter that is not finite
  device,    ///< no such device, or out of its memory
  store,     ///< the results database
  internal,  ///< internal error itself
};

[[nodiscard]] constexpr std::string_view to_string(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::config:
      return "config";
    case ErrorKind::data:
      return "data";
    case ErrorKind::plugin:
      return "plugin";
    case ErrorKind::numeric:
      return "numeric";
    case ErrorKind::device:
      return "device";
    case ErrorKind::store:
      return "store";
    case ErrorKind::internal:
      return "internal";
  }
  return "internal";
}

/// The one exception type of petlab. `what()` is a single sentence for the user that names the
/// file, line or option, what was wrong and what was expected.
class __attribute__((visibility("default"))) Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}

  [[nodiscard]] ErrorKind kind() const noexcept { return kind_; }

 private:
  ErrorKind kind_;
};

[[noreturn]] inline void throw_config_error(const std::string& message) {
  throw Error(ErrorKind::config, message);
}

[[noreturn]] inline void throw_data_error(const std::string& message) {
  throw Error(ErrorKind::data, message);
}

}  // namespace petlab::base
