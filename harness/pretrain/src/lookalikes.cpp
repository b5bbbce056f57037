#include "petlab/pretrain/lookalikes.hpp"

#include "petlab/datasets/tools/perceptual_hash.hpp"

#include <ATen/ATen.h>

#include <atomic>
#include <bit>
#include <optional>
#include <thread>

namespace petlab::pretrain {

namespace {

constexpr std::int64_t kPiece = 256;

using Hash = std::optional<std::uint64_t>;

/// Calls work(first, last) for pieces of [0, n) from several threads.
void in_pieces(std::int64_t n, int threads, const auto& work) {
  std::atomic<std::int64_t> next = 0;
  const auto take = [&] {
    for (std::int64_t i = next.fetch_add(kPiece); i < n; i = next.fetch_add(kPiece))
      work(i, std::min(i + kPiece, n));
  };
  std::vector<std::thread> helpers;
  for (int i = 1; i < threads; ++i)
    helpers.emplace_back(take);
  take();
  for (std::thread& helper : helpers)
    helper.join();
}

std::vector<Hash> hashes_of(const at::Tensor& pictures, int threads) {
  const at::Tensor whole = pictures.contiguous();
  const auto* const data = whole.const_data_ptr<std::uint8_t>();
  const auto size = static_cast<int>(whole.size(1));
  const std::int64_t bytes = std::int64_t{size} * size * 3;
  std::vector<Hash> hashes(static_cast<std::size_t>(whole.size(0)));
  in_pieces(whole.size(0), threads, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      const std::uint8_t* const from = data + i * bytes;
      hashes[static_cast<std::size_t>(i)] = datasets::tools::perceptual_hash(
          {.width = size, .height = size, .rgb = {from, from + bytes}});
    }
  });
  return hashes;
}

}  // namespace

std::vector<Lookalike> find_lookalikes(const at::Tensor& pool, const at::Tensor& evaluation,
                                       int distance, int threads) {
  const std::vector<Hash> ours = hashes_of(pool, threads);
  const std::vector<Hash> theirs = hashes_of(evaluation, threads);
  std::vector<Lookalike> nearest(ours.size());
  in_pieces(pool.size(0), threads, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      Lookalike best{.picture = i, .evaluation = 0, .distance = distance + 1};
      const Hash& own = ours[static_cast<std::size_t>(i)];
      for (std::size_t j = 0; own && j < theirs.size(); ++j) {
        if (!theirs[j]) continue;
        const int bits = std::popcount(*own ^ *theirs[j]);
        if (bits < best.distance)
          best = {.picture = i, .evaluation = static_cast<std::int64_t>(j), .distance = bits};
      }
      nearest[static_cast<std::size_t>(i)] = best;
    }
  });
  std::erase_if(nearest, [&](const Lookalike& found) { return found.distance > distance; });
  return nearest;
}

}  // namespace petlab::pretrain
