#include "matmul_choice.hpp"

#include "petlab/base/error.hpp"
#include "petlab/kernels/cpu_level.hpp"
#include "petlab/kernels/linear.hpp"

#include <cstdlib>
#include <string>

namespace petlab::kernels {
namespace {

bool choose() {
  const char* wish = std::getenv("PETLAB_MATMUL");
  const std::string word = wish == nullptr ? "" : wish;
  if (word.empty()) return cpu_level() == CpuLevel::amx;
  if (word == "library") return false;
  throw base::Error(base::ErrorKind::config,
                    "PETLAB_MATMUL is '" + word + "', expected 'library' or nothing");
}

}  // namespace

bool amx_chosen() {
  static const bool chosen = choose();
  return chosen;
}

bool amx_pays(std::int64_t m, std::int64_t n, std::int64_t k, bool bf16) {
  // Below, packing costs more than the faster products save.
  constexpr std::int64_t kMin = 32;
  if (n < kMin || k < kMin) return false;
  // LibTorch's bf16 products use the tiles as well; what is saved is that operands need not be
  // rounded in passes of their own, which matters less the more rows there are.
  return bf16 ? m >= 32 && m < 2048 : m >= 128;
}

std::string matmul_name() {
  return amx_chosen() ? "amx-bf16x6" : "library";
}

}  // namespace petlab::kernels
