#pragma once

#include <cstdint>
#include <string>

namespace petlab::engine {

/// Which of the processes that compute a run together one is, and where it finds the others.
struct RankPlace {
  int rank = 0;
  int size = 1;
  std::string address = {};  ///< of a RankStore
  std::uint16_t port = 0;
  std::string key = {};  ///< begins the keys of these processes' group in it
};

}  // namespace petlab::engine
