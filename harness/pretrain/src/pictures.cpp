#include "pictures.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/random.hpp"
#include "petlab/datasets/csv.hpp"
#include "petlab/datasets/resize.hpp"
#include "petlab/datasets/tools/iconify.hpp"
#include "petlab/datasets/tools/svg.hpp"

#include <ATen/ATen.h>
#include <ATen/ops/from_file.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <mutex>
#include <numeric>
#include <thread>

namespace petlab::pretrain {

namespace {

/// Side at which the evaluation pictures are drawn, too.
constexpr int kDrawnSize = 96;

/// Changes with every picture of the pool and with the way it is drawn.
std::string stamp_of(const std::vector<PoolIcon>& pool, int size) {
  std::uint64_t hash = base::hash_name(datasets::kIconifyVersion);
  for (const PoolIcon& icon : pool)
    hash = base::hash_name(icon.set + ":" + icon.name + "\n", hash);
  // Compared with that of an earlier file: another word would draw everything again.
  return std::to_string(pool.size()) + " pictures of " + std::to_string(size) + " px, version " +
         std::to_string(datasets::kPreprocessVersion) + ", names " + std::to_string(hash);
}

std::string first_line(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

/// One drawing of the package.
struct Drawing {
  std::string set;
  std::string name;
};

/// Renders drawings[first..last), which are all of one set. Returns how many were refused.
std::int64_t render_set(const std::filesystem::path& package_dir,
                        const std::vector<Drawing>& drawings, std::size_t first, std::size_t last,
                        int size, std::uint8_t* pictures) {
  const datasets::tools::IconSet set =
      datasets::tools::IconSet::read(package_dir, drawings[first].set);
  const std::size_t bytes = static_cast<std::size_t>(size) * static_cast<std::size_t>(size) * 3;
  std::int64_t refused = 0;
  for (std::size_t i = first; i < last; ++i) {
    std::uint8_t* const target = pictures + i * bytes;
    try {
      const datasets::Image drawn{
          kDrawnSize, kDrawnSize,
          datasets::tools::render_svg(datasets::tools::icon_svg(set.icon(drawings[i].name)),
                                      kDrawnSize)};
      const datasets::Image small = datasets::clip_crop(drawn, size);
      std::copy(small.rgb.begin(), small.rgb.end(), target);
    } catch (const base::Error&) {
      std::fill(target, target + bytes, std::uint8_t{255});
      ++refused;
    }
  }
  return refused;
}

/// Renders drawings, sorted by set, one set after the other on each thread. Returns how many were
/// refused.
std::int64_t render_all(const std::filesystem::path& package_dir,
                        const std::vector<Drawing>& drawings, int size, int threads,
                        std::uint8_t* pictures,
                        const std::function<void(std::size_t, std::size_t)>& progress) {
  std::vector<std::size_t> starts;  // of the sets
  for (std::size_t i = 0; i < drawings.size(); ++i)
    if (i == 0 || drawings[i].set != drawings[i - 1].set) starts.push_back(i);
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::size_t done = 0;
  std::int64_t refused = 0;
  std::exception_ptr failure;
  const auto work = [&] {
    for (std::size_t s = next++; s < starts.size(); s = next++) {
      const std::size_t last = s + 1 < starts.size() ? starts[s + 1] : drawings.size();
      try {
        const std::int64_t bad = render_set(package_dir, drawings, starts[s], last, size, pictures);
        const std::scoped_lock lock(mutex);
        refused += bad;
        done += last - starts[s];
        if (progress) progress(done, drawings.size());
      } catch (...) {
        const std::scoped_lock lock(mutex);
        failure = std::current_exception();
        return;
      }
    }
  };
  std::vector<std::thread> workers;
  for (int i = 1; i < threads; ++i)
    workers.emplace_back(work);
  work();
  for (std::thread& worker : workers)
    worker.join();
  if (failure) std::rethrow_exception(failure);
  return refused;
}

}  // namespace

at::Tensor load_pictures(const std::filesystem::path& package_dir,
                         const std::vector<PoolIcon>& pool, int size,
                         const std::filesystem::path& file, int threads, std::int64_t* refused,
                         const std::function<void(std::size_t, std::size_t)>& progress) {
  const auto count = static_cast<std::int64_t>(pool.size());
  const std::int64_t bytes = count * size * size * 3;
  const std::filesystem::path stamp_file = file.string() + ".stamp";
  const std::string stamp = stamp_of(pool, size);
  const bool is_done = std::filesystem::exists(file) && first_line(stamp_file) == stamp;
  if (!is_done) {
    std::filesystem::remove(stamp_file);
    std::filesystem::remove(file);  // another pool may have left a longer one
  }
  const at::Tensor pictures =
      at::from_file(file.string(), /*shared=*/true, bytes, at::kByte).view({count, size, size, 3});
  if (is_done) return pictures;

  std::vector<Drawing> drawings;
  for (const PoolIcon& icon : pool)
    drawings.push_back({icon.set, icon.name});
  *refused += render_all(package_dir, drawings, size, threads,
                         pictures.mutable_data_ptr<std::uint8_t>(), progress);
  std::ofstream(stamp_file) << stamp << "\n";
  return pictures;
}

at::Tensor render_evaluation(const std::filesystem::path& package_dir,
                             const std::filesystem::path& recipe_dir, int size, int threads) {
  std::vector<Drawing> drawings;
  for (const auto& row :
       datasets::read_csv<4>(recipe_dir / "manifest.csv", {"domain", "class", "set", "icon"}))
    drawings.push_back({row[2], row[3]});
  // By set, so that each is read once; and back into the manifest's order.
  std::vector<std::int64_t> order(drawings.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return drawings[static_cast<std::size_t>(a)].set < drawings[static_cast<std::size_t>(b)].set;
  });
  std::vector<Drawing> sorted;
  for (const std::int64_t i : order)
    sorted.push_back(drawings[static_cast<std::size_t>(i)]);
  const auto count = static_cast<std::int64_t>(drawings.size());
  const at::Tensor rendered = at::empty({count, size, size, 3}, at::kByte);
  const std::int64_t refused =
      render_all(package_dir, sorted, size, threads, rendered.mutable_data_ptr<std::uint8_t>(), {});
  if (refused > 0)
    throw base::Error(base::ErrorKind::data,
                      std::to_string(refused) + " images of " +
                          (recipe_dir / "manifest.csv").string() +
                          " cannot be drawn, so nothing can be compared with them");
  at::Tensor result = at::empty_like(rendered);
  result.index_copy_(0, at::tensor(order, at::kLong), rendered);
  return result;
}

}  // namespace petlab::pretrain
