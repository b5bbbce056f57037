#pragma once

#include "petlab/engine/rank_place.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace petlab::engine {

class RankGroup;

/// For how long a rank waits for the one that serves the store.
inline constexpr std::chrono::minutes kRankPatience{5};

/// Texts by key that processes share over TCP, by which they find each other: c10d's TCPStore, as
/// torchrun has one too. Whoever reaches its port may read and write it. All functions throw
/// Error(device) where the store cannot be reached.
class RankStore {
 public:
  /// Serves one on this machine alone (127.0.0.1), on a free port.
  [[nodiscard]] static std::unique_ptr<RankStore> serve_locally();
  /// Serves one for other hosts too, or joins the one that another process serves there; waits for
  /// it for at most `patience`.
  [[nodiscard]] static std::unique_ptr<RankStore> open(
      const std::string& address, std::uint16_t port, bool is_server,
      std::chrono::seconds patience = kRankPatience);
  ~RankStore();
  RankStore(const RankStore&) = delete;
  RankStore& operator=(const RankStore&) = delete;

  [[nodiscard]] const std::string& address() const;
  [[nodiscard]] std::uint16_t port() const;

  /// Sets what all others get from then on.
  void set(const std::string& key, const std::string& text);
  /// What was set; nothing where nothing came within `patience`.
  [[nodiscard]] std::optional<std::string> get(const std::string& key,
                                               std::chrono::milliseconds patience) const;

 private:
  struct Impl;
  explicit RankStore(std::unique_ptr<Impl> impl);
  friend std::shared_ptr<RankGroup> join_ranks(const RankPlace&);
  std::unique_ptr<Impl> impl_;
};

/// Meets the others of the group and makes sure that values come through as they were sent. They
/// exchange tensors by Gloo, which notices at once when a process ends; gather() then says so on
/// stderr and throws RunStopped. So does this function where they cannot be met. Throws
/// Error(config) where this petlab was built without Gloo.
[[nodiscard]] std::shared_ptr<RankGroup> join_ranks(const RankPlace& place);

/// True where this petlab was built with Gloo's headers.
[[nodiscard]] bool has_ranks();

}  // namespace petlab::engine
