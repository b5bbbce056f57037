#include "amx_gemm.hpp"

#include "amx.hpp"

#ifdef PETLAB_HAS_AMX_CODE
#include "amx_vectors.hpp"

#include <ATen/Parallel.h>

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

namespace petlab::kernels {
namespace {

// Sizes measured on a Sapphire Rapids core with 2 MiB of second-level cache.
constexpr std::int64_t kBlockK = 768;            // steps of k of one packed block of A
constexpr std::int64_t kBlockBytes = 900 << 10;  // of one packed block of A: stays in that cache
constexpr std::int64_t kChunkBytes = 16 << 20;   // of the packed part of B, shared by the threads
constexpr std::int64_t kChunkK = 3072;           // its steps of k, where C can take part sums
constexpr std::int64_t kPairBytes = 4 * kTileBytes;  // sums of one panel of A with one of B

constexpr std::int64_t kHugePage = 2 << 20;

std::int64_t divide_up(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

/// Memory that grows and is kept: fresh pages for each product would cost as much as packing.
class Buffer {
 public:
  char* of(std::int64_t bytes) {
    if (bytes > size_) {
      memory_.reset();
      const std::int64_t page = bytes < kHugePage / 16 ? 4096 : kHugePage;
      const auto whole = static_cast<std::size_t>(divide_up(bytes, page) * page);
      memory_.reset(static_cast<char*>(std::aligned_alloc(static_cast<std::size_t>(page), whole)));
      size_ = memory_ ? static_cast<std::int64_t>(whole) : 0;
      if (!memory_) throw std::bad_alloc();
      if (page == kHugePage) ::madvise(memory_.get(), whole, MADV_HUGEPAGE);
    }
    return memory_.get();
  }

 private:
  struct Free {
    void operator()(char* memory) const { std::free(memory); }
  };
  std::unique_ptr<char, Free> memory_;
  std::int64_t size_ = 0;
};

thread_local Buffer t_b, t_a, t_sums;

/// Multiplies a panel of A with one of B; the result are the four tiles of `sums`.
/// Of the products of parts (i, j) those with i + j <= 4 are summed, where there are such parts; in
/// an order in which each product but the first loads the tiles of one operand only.
template <int kParts, int kPartsA, int kPartsB>
PETLAB_AMX void multiply(const char* a, const char* b, std::int64_t steps, char* sums) {
  asm volatile("" ::: "memory");  // the compiler does not know that loading a tile reads memory
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
#define PETLAB_LOAD_A(part)                        \
  _tile_loadd(4, a + 2 * (part) * kTileBytes, 64); \
  _tile_loadd(5, a + (2 * (part) + 1) * kTileBytes, 64)
#define PETLAB_LOAD_B(part)                        \
  _tile_loadd(6, b + 2 * (part) * kTileBytes, 64); \
  _tile_loadd(7, b + (2 * (part) + 1) * kTileBytes, 64)
#define PETLAB_PRODUCTS    \
  _tile_dpbf16ps(0, 4, 6); \
  _tile_dpbf16ps(1, 4, 7); \
  _tile_dpbf16ps(2, 5, 6); \
  _tile_dpbf16ps(3, 5, 7)
  for (std::int64_t step = 0; step < steps; ++step) {
    PETLAB_LOAD_B(0);
    if constexpr (kPartsA > 2) {
      PETLAB_LOAD_A(2);
      PETLAB_PRODUCTS;
    }
    PETLAB_LOAD_A(0);
    PETLAB_PRODUCTS;
    if constexpr (kPartsB > 2) {
      PETLAB_LOAD_B(2);
      PETLAB_PRODUCTS;
    }
    if constexpr (kPartsB > 1) {
      PETLAB_LOAD_B(1);
      PETLAB_PRODUCTS;
    }
    if constexpr (kPartsA > 1) {
      PETLAB_LOAD_A(1);
      if constexpr (kPartsB > 1) {
        PETLAB_PRODUCTS;
        PETLAB_LOAD_B(0);
      }
      PETLAB_PRODUCTS;
    }
    a += step_bytes(kParts);
    b += step_bytes(kParts);
  }
#undef PETLAB_LOAD_A
#undef PETLAB_LOAD_B
#undef PETLAB_PRODUCTS
  _tile_stored(0, sums, 64);
  _tile_stored(1, sums + kTileBytes, 64);
  _tile_stored(2, sums + 2 * kTileBytes, 64);
  _tile_stored(3, sums + 3 * kTileBytes, 64);
}

using Multiply = void (*)(const char*, const char*, std::int64_t, char*);

Multiply multiply_of(int parts, int parts_a, int parts_b) {
  static constexpr Multiply kTable[3][3] = {
      {multiply<3, 1, 1>, multiply<3, 1, 2>, multiply<3, 1, 3>},
      {multiply<3, 2, 1>, multiply<3, 2, 2>, multiply<3, 2, 3>},
      {multiply<3, 3, 1>, multiply<3, 3, 2>, multiply<3, 3, 3>}};
  return parts == 1 ? multiply<1, 1, 1> : kTable[parts_a - 1][parts_b - 1];
}

PETLAB_AMX_INLINE void store(void* to, Element element, std::int64_t at, __mmask16 mask, __m512 v) {
  if (element == Element::fp32) {
    store_floats(static_cast<float*>(to) + at, v, mask);
  } else {
    store_floats(static_cast<Bfloat16*>(to) + at, v, mask);
  }
}

__mmask16 mask_of(std::int64_t count) {
  if (count >= 16) return 0xffff;
  return count <= 0 ? __mmask16{0} : static_cast<__mmask16>((1U << count) - 1U);
}

/// Writes the sums of the panels at (row, column), of which `rows` and `columns` are in C.
PETLAB_AMX void finish(const Gemm& gemm, const char* sums, std::int64_t row, std::int64_t column) {
  const std::int64_t rows = std::min(kPanel, gemm.m - row);
  for (std::int64_t half = 0; half < 2; ++half, column += 16) {
    const __mmask16 mask = mask_of(gemm.n - column);
    if (mask == 0) return;
    const __m512 bias = gemm.bias == nullptr ? _mm512_setzero_ps()
                                             : _mm512_maskz_loadu_ps(mask, gemm.bias + column);
    for (std::int64_t i = 0; i < rows; ++i) {
      const char* from = sums + (2 * (i / 16) + half) * kTileBytes + 64 * (i % 16);
      const __m512 v = _mm512_add_ps(_mm512_load_ps(from), bias);
      const std::int64_t at = (row + i) * gemm.n + column;
      if (gemm.c != nullptr) store(gemm.c, gemm.element, at, mask, v);
      if (gemm.activated != nullptr)
        store(gemm.activated, gemm.element, at, mask, vector_quick_gelu(v));
    }
  }
}

/// sums += more
PETLAB_AMX void add(char* sums, const char* more) {
  for (std::int64_t at = 0; at < kPairBytes; at += 64)
    _mm512_store_ps(sums + at, _mm512_add_ps(_mm512_load_ps(sums + at), _mm512_load_ps(more + at)));
}

/// sums += C at (row, column)
PETLAB_AMX void add_c(const Gemm& gemm, char* sums, std::int64_t row, std::int64_t column) {
  const std::int64_t rows = std::min(kPanel, gemm.m - row);
  for (std::int64_t half = 0; half < 2; ++half, column += 16) {
    const __mmask16 mask = mask_of(gemm.n - column);
    if (mask == 0) return;
    for (std::int64_t i = 0; i < rows; ++i) {
      const float* from = static_cast<const float*>(gemm.c) + (row + i) * gemm.n + column;
      char* to = sums + (2 * (i / 16) + half) * kTileBytes + 64 * (i % 16);
      _mm512_store_ps(to, _mm512_add_ps(_mm512_load_ps(to), _mm512_maskz_loadu_ps(mask, from)));
    }
  }
}

/// A product while it is computed: a chunk of B, packed, with which all of A is multiplied.
class Product {
 public:
  explicit Product(const Gemm& gemm) : gemm_(gemm), step_bytes_(step_bytes(gemm.parts)) {
    const bool sums_in_c =
        gemm.element == Element::fp32 && gemm.bias == nullptr && gemm.activated == nullptr;
    // Equal chunks, equal blocks in each.
    const std::int64_t steps = steps_of(gemm.k);
    const std::int64_t chunks = sums_in_c ? divide_up(steps, kChunkK / kStep) : 1;
    chunk_steps_ = divide_up(steps, chunks);
    block_steps_ = divide_up(chunk_steps_, divide_up(chunk_steps_, kBlockK / kStep));
    blocks_ = divide_up(chunk_steps_, block_steps_);
    const std::int64_t panels = divide_up(gemm.n, kPanel);
    const std::int64_t most = std::max<std::int64_t>(1, kChunkBytes / (chunk_steps_ * step_bytes_));
    chunk_panels_ = divide_up(panels, divide_up(panels, most));
  }

  bool compute() {
    parts_b_.resize(static_cast<std::size_t>(chunk_panels_ * blocks_));
    b_ = t_b.of(chunk_panels_ * chunk_steps_ * step_bytes_);
    const std::int64_t panels = divide_up(gemm_.n, kPanel);
    for (step_ = 0; step_ < steps_of(gemm_.k); step_ += chunk_steps_) {
      for (panel_ = 0; panel_ < panels; panel_ += chunk_panels_) {
        panels_ = std::min(chunk_panels_, panels - panel_);
        pack_b();
        if (!in_range_) return false;
        multiply_all();
        if (!in_range_) return false;
      }
    }
    return true;
  }

 private:
  /// Steps of k, as numbers of rows, of a block of the chunk.
  [[nodiscard]] std::pair<std::int64_t, std::int64_t> range(std::int64_t block) const {
    const std::int64_t begin = step_ + block * block_steps_;
    const std::int64_t end = std::min(begin + block_steps_, step_ + chunk_steps_);
    return {std::min(begin * kStep, gemm_.k), std::min(end * kStep, gemm_.k)};
  }

  /// Calls work(i) for i in [0, count), on all threads, in any order.
  template <class Work>
  void in_parallel(std::int64_t count, const Work& work) {
    std::atomic<std::int64_t> next = 0;
    const std::int64_t threads = std::min<std::int64_t>(at::get_num_threads(), count);
    at::parallel_for(0, threads, 1, [&](std::int64_t begin, std::int64_t end) {
      const TileScope tiles;
      for (; begin < end; ++begin)
        for (std::int64_t i = next++; i < count; i = next++)
          work(i);
    });
  }

  void note(bool in_range) {
    if (!in_range) in_range_.store(false, std::memory_order_relaxed);
  }

  void pack_b() {
    in_parallel(panels_, [this](std::int64_t panel) {
      const std::int64_t first = (panel_ + panel) * kPanel;
      for (std::int64_t block = 0; block < blocks_; ++block) {
        const auto [begin, end] = range(block);
        const Packed packed = pack_panel(
            Role::b, gemm_.parts, gemm_.b, first, std::min(kPanel, gemm_.n - first), begin, end,
            b_ + (panel * chunk_steps_ + block * block_steps_) * step_bytes_);
        parts_b_[static_cast<std::size_t>(panel * blocks_ + block)] = packed.parts;
        note(packed.in_range);
      }
    });
  }

  void multiply_all() {
    const std::int64_t rows = divide_up(gemm_.m, kPanel);
    const std::int64_t threads = at::get_num_threads();
    const std::int64_t most = std::max<std::int64_t>(1, kBlockBytes / (block_steps_ * step_bytes_));
    // As many tasks as there are threads, or a multiple.
    const std::int64_t row_tasks =
        std::min(rows, divide_up(divide_up(rows, most), threads) * threads);
    const std::int64_t column_tasks = std::min(panels_, divide_up(threads, row_tasks));
    in_parallel(row_tasks * column_tasks, [&](std::int64_t task) {
      const std::int64_t i = task / column_tasks, j = task % column_tasks;
      multiply_block(i * rows / row_tasks, (i + 1) * rows / row_tasks, j * panels_ / column_tasks,
                     (j + 1) * panels_ / column_tasks);
    });
  }

  /// Panels [i_begin, i_end) of A with [j_begin, j_end) of the chunk.
  void multiply_block(std::int64_t i_begin, std::int64_t i_end, std::int64_t j_begin,
                      std::int64_t j_end) {
    const std::int64_t panels = i_end - i_begin;
    char* a = t_a.of(panels * block_steps_ * step_bytes_);
    char* sums = t_sums.of((blocks_ > 1 ? panels * (j_end - j_begin) : 1) * kPairBytes);
    alignas(64) char more[kPairBytes];
    for (std::int64_t block = 0; block < blocks_; ++block) {
      const auto [k_begin, k_end] = range(block);
      const std::int64_t steps = steps_of(k_end - k_begin);
      const auto parts_a = pack_a(i_begin, i_end, k_begin, k_end, a);
      for (std::int64_t j = j_begin; j < j_end; ++j) {
        const char* b = b_ + (j * chunk_steps_ + block * block_steps_) * step_bytes_;
        const int parts_b = parts_b_[static_cast<std::size_t>(j * blocks_ + block)];
        for (std::int64_t i = 0; i < panels; ++i) {
          const Multiply work =
              multiply_of(gemm_.parts, parts_a[static_cast<std::size_t>(i)], parts_b);
          const char* panel = a + i * block_steps_ * step_bytes_;
          char* to = sums + (blocks_ > 1 ? (j - j_begin) * panels + i : 0) * kPairBytes;
          const std::int64_t row = (i_begin + i) * kPanel, column = (panel_ + j) * kPanel;
          if (block == 0) {
            work(panel, b, steps, to);
            if (step_ > 0) add_c(gemm_, to, row, column);
          } else {
            work(panel, b, steps, more);
            add(to, more);
          }
          if (block == blocks_ - 1) finish(gemm_, to, row, column);
        }
      }
    }
  }

  /// The numbers of parts of the panels.
  std::vector<int> pack_a(std::int64_t i_begin, std::int64_t i_end, std::int64_t k_begin,
                          std::int64_t k_end, char* a) {
    std::vector<int> parts;
    for (std::int64_t i = i_begin; i < i_end; ++i, a += block_steps_ * step_bytes_) {
      const std::int64_t count = std::min(kPanel, gemm_.m - i * kPanel);
      const Packed packed =
          pack_panel(Role::a, gemm_.parts, gemm_.a, i * kPanel, count, k_begin, k_end, a);
      parts.push_back(packed.parts);
      note(packed.in_range);
    }
    return parts;
  }

  const Gemm& gemm_;
  const std::int64_t step_bytes_;
  std::int64_t chunk_steps_ = 0, block_steps_ = 0, blocks_ = 0, chunk_panels_ = 0;
  std::int64_t step_ = 0, panel_ = 0, panels_ = 0;  // the chunk: from where on, and its panels
  char* b_ = nullptr;
  std::vector<int> parts_b_;
  std::atomic<bool> in_range_ = true;
};

}  // namespace

bool amx_gemm(const Gemm& gemm) {
  return Product(gemm).compute();
}

}  // namespace petlab::kernels
#endif
