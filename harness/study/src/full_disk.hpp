#pragma once

#include "petlab/base/error.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <thread>

namespace petlab::study {

/// Whether the store, or a file beside it, could not be written for want of room, as SQLite and the
/// system say it.
[[nodiscard]] inline bool is_full_disk(const base::Error& error) {
  const std::string_view said = error.what();
  return (error.kind() == base::ErrorKind::store && said.find("disk is full") != said.npos) ||
         said.find("No space left on device") != said.npos;
}

/// Writes to the store or beside it, which may have to wait until there is room on its disk: half a
/// minute, then what `work` throws is thrown. `say` is told once.
template <class Work, class Say>
auto write_when_there_is_room(Work&& work, Say&& say) {
  constexpr int kAttempts = 30;
  for (int attempt = 0;; ++attempt) {
    try {
      return work();
    } catch (const base::Error& error) {
      if (!is_full_disk(error) || attempt == kAttempts) throw;
      if (attempt == 0) say(std::string("waits for room on the disk: ") + error.what());
    }
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}

}  // namespace petlab::study
