#pragma once

#include <cstdint>
#include <string_view>

namespace petlab::engine {

/// Where long work reports how far it is. Implementations are called from one thread.
class Progress {
 public:
  virtual ~Progress() = default;
  /// A phase begins: "images", "warm-up", "train", "evaluate"; `total` units of work (0: unknown).
  virtual void begin(std::string_view phase, std::int64_t total) = 0;
  /// `done` units of the current phase are finished; `detail` is a short text such as the loss.
  virtual void update(std::int64_t done, std::string_view detail) = 0;
  /// Something that the user should know although the work goes on.
  virtual void note(std::string_view text) = 0;
};

/// Reports nothing.
class NoProgress final : public Progress {
 public:
  void begin(std::string_view, std::int64_t) override {}
  void update(std::int64_t, std::string_view) override {}
  void note(std::string_view) override {}
};

}  // namespace petlab::engine
