#include "petlab/engine/rank_group.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/sha256.hpp"

#include <ATen/ATen.h>

#include <algorithm>

namespace petlab::engine {

void require_same(RankGroup& ranks, const std::string& what, const std::string& text) {
  base::Sha256 hash;
  hash.update_text(text);
  const std::string digest = hash.finish_hex();
  at::Tensor mine = at::empty({static_cast<std::int64_t>(digest.size())}, at::kByte);
  std::copy(digest.begin(), digest.end(), mine.mutable_data_ptr<std::uint8_t>());
  const at::Tensor all = ranks.gather(mine);
  for (std::int64_t rank = 1; rank < all.size(0); ++rank)
    if (!all[rank].equal(all[0]))
      throw base::Error(base::ErrorKind::config,
                        "rank " + std::to_string(rank) + " has another " + what +
                            " than rank 0; expected the same for all ranks of a run");
}

double sum_over_ranks(RankGroup& ranks, double mine) {
  const at::Tensor all = ranks.gather(at::full({1}, mine, at::kDouble));
  double sum = 0.0;
  for (std::int64_t rank = 0; rank < all.size(0); ++rank)
    sum += all[rank].item<double>();
  return sum;
}

}  // namespace petlab::engine
