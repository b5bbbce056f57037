#include "shared_sequences.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace petlab::kernels {
namespace {

// Sequences of a task: small enough to feed all threads, large enough that the prefix, which every
// task reads and whose gradient every task keeps for itself, does not matter.
constexpr std::int64_t kSequencesPerTask = 32;

std::int64_t length_of(const std::vector<SharedSequences::Position>& positions) {
  return static_cast<std::int64_t>(positions.size());
}

}  // namespace

SharedSequences::SharedSequences(const std::vector<Group>& groups, std::int64_t n_rows,
                                 std::int64_t n_out) {
  auto impl = std::make_shared<Impl>();
  impl->n_rows = n_rows;
  impl->n_out = n_out;
  impl->prefix_length = length_of(groups.front().prefix);
  const auto append = [&](const Sequence& positions, std::int64_t seen_before) {
    const Stretch stretch{static_cast<std::int64_t>(impl->positions.size()), length_of(positions)};
    for (std::int64_t i = 0; i < stretch.count; ++i)
      if (positions[static_cast<std::size_t>(i)].out >= 0) impl->n_pairs += seen_before + i + 1;
    impl->positions.insert(impl->positions.end(), positions.begin(), positions.end());
    impl->longest = std::max(impl->longest, seen_before + stretch.count);
    return stretch;
  };
  for (const Group& group : groups) {
    const auto g = static_cast<std::int64_t>(impl->prefixes.size());
    TORCH_CHECK(length_of(group.prefix) == impl->prefix_length,
                "prefixes of different lengths in one batch");
    impl->prefixes.push_back(append(group.prefix, 0));
    impl->of_group.push_back({static_cast<std::int64_t>(impl->sequences.size()),
                              static_cast<std::int64_t>(group.sequences.size())});
    for (const Sequence& sequence : group.sequences)
      impl->sequences.push_back(append(sequence, impl->prefix_length));
    const Stretch all = impl->of_group.back();
    std::int64_t done = 0;
    do {
      const std::int64_t count = std::min(kSequencesPerTask, all.count - done);
      impl->tasks.push_back({g, {all.first + done, count}, done == 0});
      done += count;
    } while (done < all.count);
  }
  std::unordered_map<std::int32_t, std::int32_t> slot_of;
  for (const Stretch& prefix : impl->prefixes) {
    for (std::int64_t i = prefix.first; i < prefix.first + prefix.count; ++i) {
      const std::int32_t row = impl->positions[static_cast<std::size_t>(i)].row;
      const auto [found, is_new] =
          slot_of.emplace(row, static_cast<std::int32_t>(impl->slot_rows.size()));
      if (is_new) impl->slot_rows.push_back(row);
      impl->slots.push_back(found->second);
    }
  }
  impl_ = std::move(impl);
}

SharedSequences::~SharedSequences() = default;
SharedSequences::SharedSequences(SharedSequences&&) noexcept = default;
SharedSequences& SharedSequences::operator=(SharedSequences&&) noexcept = default;

std::int64_t SharedSequences::n_rows() const {
  return impl_->n_rows;
}
std::int64_t SharedSequences::n_out() const {
  return impl_->n_out;
}
std::int64_t SharedSequences::n_pairs() const {
  return impl_->n_pairs;
}

PaddedSequences SharedSequences::Impl::make_padded() const {
  const auto at_position = [&](std::int64_t i) -> const Position& {
    return positions[static_cast<std::size_t>(i)];
  };
  std::vector<std::int64_t> prefix_rows, prefix_queries, rows, queries, group_of;
  std::vector<std::int64_t> out(static_cast<std::size_t>(n_out), 0);
  std::int64_t made = 0;
  bool any_prefix_query = false;
  for (const Stretch& prefix : prefixes)
    for (std::int64_t i = prefix.first; i < prefix.first + prefix.count; ++i)
      any_prefix_query = any_prefix_query || at_position(i).out >= 0;
  for (const Stretch& prefix : prefixes) {
    for (std::int64_t i = prefix.first; i < prefix.first + prefix.count; ++i) {
      const Position& p = at_position(i);
      prefix_rows.push_back(p.row);
      if (!any_prefix_query) continue;
      prefix_queries.push_back(p.out >= 0 ? p.query : 0);
      if (p.out >= 0) out[static_cast<std::size_t>(p.out)] = made;
      ++made;
    }
  }
  std::int64_t most_keys = 1;
  std::int64_t most_queries = 1;
  for (const Stretch& sequence : sequences) {
    std::int64_t needed = 0;
    for (std::int64_t i = sequence.first; i < sequence.first + sequence.count; ++i)
      needed += at_position(i).out >= 0 ? 1 : 0;
    most_keys = std::max(most_keys, sequence.count);
    most_queries = std::max(most_queries, needed);
  }
  const auto n = static_cast<std::int64_t>(sequences.size());
  const std::int64_t length = prefix_length + most_keys;
  at::Tensor mask = at::zeros({n, 1, most_queries, length}, at::kBool);
  bool* seen = mask.data_ptr<bool>();
  for (std::size_t g = 0; g < of_group.size(); ++g) {
    for (std::int64_t s = of_group[g].first; s < of_group[g].first + of_group[g].count; ++s) {
      const Stretch sequence = sequences[static_cast<std::size_t>(s)];
      group_of.push_back(static_cast<std::int64_t>(g));
      std::int64_t n_queries = 0;
      for (std::int64_t i = 0; i < most_keys; ++i) {
        const Position& p = at_position(sequence.first + std::min(i, sequence.count - 1));
        rows.push_back(p.row);
        if (i >= sequence.count || p.out < 0) continue;
        out[static_cast<std::size_t>(p.out)] = made + n_queries;
        queries.push_back(p.query);
        std::fill_n(seen + (s * most_queries + n_queries) * length, prefix_length + i + 1, true);
        ++n_queries;
      }
      for (; n_queries < most_queries; ++n_queries) {  // a row that nobody reads
        queries.push_back(0);
        seen[(s * most_queries + n_queries) * length] = true;
      }
      made += most_queries;
    }
  }
  PaddedSequences padded;
  const auto tensor = [](const std::vector<std::int64_t>& values) {
    return at::tensor(values, at::kLong);
  };
  padded.prefix_rows = tensor(prefix_rows);
  if (any_prefix_query) padded.prefix_queries = tensor(prefix_queries);
  padded.rows = tensor(rows);
  padded.queries = tensor(queries);
  if (prefixes.size() > 1) padded.group_of = tensor(group_of);
  padded.mask = mask;
  padded.out = tensor(out);
  return padded;
}

PaddedSequences SharedSequences::Impl::padded(c10::Device device) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [where, known] : padded_)
    if (where == device) return known;
  PaddedSequences made = make_padded();
  for (at::Tensor* tensor : {&made.prefix_rows, &made.prefix_queries, &made.rows, &made.queries,
                             &made.group_of, &made.mask, &made.out})
    if (tensor->defined()) *tensor = tensor->to(device);
  padded_.emplace_back(device, made);
  return made;
}

}  // namespace petlab::kernels
