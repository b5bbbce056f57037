#pragma once

#include <cstdint>
#include <vector>

namespace petlab::reports {

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers on every machine.
class SplitMix64 {
 public:
  explicit SplitMix64(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
    return mixed ^ (mixed >> 31U);
  }

  /// 0 to n - 1, for 0 < n < 2^32. The bias is under n / 2^32.
  std::uint32_t below(std::uint32_t n) {
    return static_cast<std::uint32_t>(((next() >> 32U) * n) >> 32U);
  }

  /// 0 <= x < 1, in steps of 2^-53.
  double unit() { return static_cast<double>(next() >> 11U) * 0x1p-53; }

 private:
  std::uint64_t state_;
};

/// One test image under two models, over the seeds whose split tests it.
struct ImagePair {
  int difference = 0;  // how often the first was right, less how often the second was
  int seeds = 1;       // in how many seeds it was tested, at least 1
};

struct BootstrapInterval {
  double mean = 0.0;  // of the images as they are, not of the samples
  double low = 0.0;   // 2.5th and 97.5th percentile of the resampled means
  double high = 0.0;
  int images = 0;
  int resamples = 0;

  bool excludes_zero() const { return low > 0.0 || high < 0.0; }
};

constexpr int kResamples = 10000;

/// Paired bootstrap over images: 95 % percentile interval of the difference in accuracy between two
/// models. `tasks` holds each task's images. In each resample the images of a task are drawn with
/// replacement, an image with all its seeds together (a cluster, as its answers depend on each
/// other); the task's difference is sum(difference) / sum(seeds), and tasks count the same. Tasks
/// without images are left out; throws Error(internal) when none has any. The same arguments give
/// the same interval on every machine.
BootstrapInterval paired_bootstrap(const std::vector<std::vector<ImagePair>>& tasks,
                                   int resamples = kResamples, std::uint64_t seed = 1);

}  // namespace petlab::reports
