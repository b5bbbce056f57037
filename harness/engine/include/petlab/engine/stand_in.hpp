#pragma once

#include <string>

namespace petlab::engine {

/// As which task of a stored run tasks are classified (match_tasks).
struct StandIn {
  std::string task;      ///< of those that the run does not know; "": none is named
  bool for_all = false;  ///< of all of them: with `task`'s adapters on every domain
};

}  // namespace petlab::engine
