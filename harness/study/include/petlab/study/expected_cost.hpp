#pragma once

#include "petlab/results/run_store.hpp"
#include "petlab/study/plan.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace petlab::study {

/// What a run cost.
struct RunCost {
  double seconds = 0.0;  ///< of all its phases
  std::int64_t peak_host_bytes = 0;
  std::optional<std::int64_t> peak_device_bytes = {};  ///< absent on CPU
};

/// Cost of a run that is in the store.
[[nodiscard]] RunCost cost_of(const results::RunRecord& record);

/// A finished run, as far as it tells the cost of another one.
struct PastRun {
  std::string kind;              ///< cost_kind(): runs of one kind are compared
  double fixed_seconds = 0.0;    ///< of phases that do not depend on the training's length
  double warm_up_seconds = 0.0;  ///< grows with the training images
  double train_seconds = 0.0;    ///< grows with epochs times training images
  double epochs = 0.0;
  double steps = 0.0;  ///< of the training
  double train_images = 0.0;
  RunCost cost;
};

/// What two runs must have in common to cost about the same: method, sharing, grouping, data set,
/// backbone, device and precision. Takes the parts of an identity.
[[nodiscard]] std::string cost_kind(const results::NamedValues& identity_parts);

/// The finished runs of a store that are of the kind of one of `wanted`.
[[nodiscard]] std::vector<PastRun> past_runs(const results::RunStore& store,
                                             const std::vector<Job>& wanted);

struct ExpectedCost {
  RunCost cost;
  std::size_t runs = 0;  ///< that it was estimated from
};

/// What past runs say of others. Jobs of one kind and one length of training are expected to cost
/// the same: past runs are looked through once for all of them.
class ExpectedCosts {
 public:
  ExpectedCosts() = default;  ///< without past runs
  explicit ExpectedCosts(const std::vector<PastRun>& past);

  /// The median over past runs of the job's kind, each scaled to the job: training seconds by
  /// epochs times training images, or by steps where the job says such, warm-up seconds by training
  /// images, the rest and memory not at all. Nothing where there is no such run. `train_images`: of
  /// the job, over all tasks.
  [[nodiscard]] std::optional<ExpectedCost> of(const Job& job, std::int64_t train_images);

 private:
  /// What of a job decides.
  struct Asked {
    std::string kind;
    std::int64_t train_images = 0;
    std::int64_t epochs = 0;
    std::int64_t steps = 0;

    auto operator<=>(const Asked&) const = default;
  };
  static std::optional<ExpectedCost> median_of(const std::vector<PastRun>& past,
                                               const Asked& asked);

  std::map<std::string, std::vector<PastRun>> past_;  ///< by kind
  std::map<Asked, std::optional<ExpectedCost>> known_;
};

}  // namespace petlab::study
