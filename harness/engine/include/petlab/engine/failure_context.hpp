#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace petlab::engine {

/// Where a run is: its phase, and the plugin function that it is inside. When something is thrown,
/// both stand in the sentence of the failure, and what left a plugin is known to be the plugin's.
class FailureContext {
 public:
  void enter_phase(std::string_view phase) { phase_ = phase; }
  [[nodiscard]] const std::string& phase() const { return phase_; }

  /// The plugin function that was left by an exception, "" if none was.
  [[nodiscard]] const std::string& plugin_call() const { return call_; }

  /// Calls `work`, which calls `function` of a plugin, e.g. "changes()".
  template <typename Work>
  decltype(auto) in_plugin(std::string_view function, Work&& work) {
    const Call call(*this, function);
    return std::forward<Work>(work)();
  }

 private:
  class Call {
   public:
    Call(FailureContext& where, std::string_view function)
        : where_(where),
          outer_(std::exchange(where.call_, std::string(function))),
          exceptions_(std::uncaught_exceptions()) {}
    ~Call() {
      if (std::uncaught_exceptions() == exceptions_) where_.call_.swap(outer_);
    }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

   private:
    FailureContext& where_;
    std::string outer_;  ///< a plugin may call the host, and the host a plugin
    int exceptions_;
  };

  std::string phase_ = "setup";
  std::string call_;
};

}  // namespace petlab::engine
