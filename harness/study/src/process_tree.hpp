#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace petlab::study {

/// The processes that `pid` started and that live, theirs, and so on, without `pid` itself;
/// whatever groups and sessions they made themselves. As they are at the moment.
[[nodiscard]] std::vector<pid_t> descendants_of(pid_t pid);

/// Memory that the processes hold together, in bytes: pages that several share (after a fork) count
/// once. 0 for those that have ended.
[[nodiscard]] std::int64_t memory_of(const std::vector<pid_t>& processes);

/// While it lives, processes of workers whose parents have ended (daemons that a plugin left
/// behind) come to this process, where they can be found and ended. They are told from other
/// children by a variable in the environment that they were started with. What is left of them at
/// the end is ended then.
class OrphanCare {
 public:
  OrphanCare();
  ~OrphanCare();
  OrphanCare(const OrphanCare&) = delete;
  OrphanCare& operator=(const OrphanCare&) = delete;

  /// "NAME=value" for the environment of workers.
  [[nodiscard]] const std::string& mark() const { return mark_; }

  /// Ends all processes with the mark that are children of this process and none of `workers`, and
  /// what they started.
  void end_orphans(const std::vector<pid_t>& workers) const;

 private:
  std::string mark_;
  int before_ = 0;  ///< whether orphans came here before, too
};

}  // namespace petlab::study
