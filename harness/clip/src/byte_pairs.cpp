#include "byte_pairs.hpp"

#include <queue>
#include <tuple>

namespace petlab::clip {

namespace {

constexpr std::int32_t kNoPlace = -1;

std::uint64_t key(std::int32_t left, std::int32_t right) {
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 |
         static_cast<std::uint32_t>(right);
}

/// A symbol of the word in a doubly linked list. A merged pair lives on in its left symbol.
struct Node {
  std::int32_t token;
  std::int32_t before;
  std::int32_t after;
};

/// A pair that could be merged when it was found. It is stale once one of its symbols has changed.
struct Candidate {
  std::int32_t rank;
  std::int32_t place;  // of the left symbol
  std::int32_t left;
  std::int32_t right;
  std::int32_t token;

  bool operator>(const Candidate& other) const {
    return std::tie(rank, place) > std::tie(other.rank, other.place);
  }
};

}  // namespace

bool BytePairs::add(std::int32_t left, std::int32_t right, std::int32_t merged) {
  const auto rank = static_cast<std::int32_t>(merges_.size());
  return merges_.try_emplace(key(left, right), Merge{rank, merged}).second;
}

const BytePairs::Merge* BytePairs::find(std::int32_t left, std::int32_t right) const {
  const auto found = merges_.find(key(left, right));
  return found == merges_.end() ? nullptr : &found->second;
}

std::vector<std::int32_t> BytePairs::merge(const std::vector<std::int32_t>& symbols) const {
  const auto count = static_cast<std::int32_t>(symbols.size());
  std::vector<Node> nodes;
  nodes.reserve(symbols.size());
  for (std::int32_t i = 0; i < count; ++i)
    nodes.push_back(
        {symbols[static_cast<std::size_t>(i)], i - 1, i + 1 < count ? i + 1 : kNoPlace});
  const auto node = [&](std::int32_t place) -> Node& {
    return nodes[static_cast<std::size_t>(place)];
  };

  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue;
  const auto offer = [&](std::int32_t place) {
    if (place == kNoPlace || node(place).after == kNoPlace) return;
    const std::int32_t left = node(place).token;
    const std::int32_t right = node(node(place).after).token;
    if (const Merge* merge = find(left, right))
      queue.push({merge->rank, place, left, right, merge->token});
  };
  for (std::int32_t i = 0; i + 1 < count; ++i)
    offer(i);

  while (!queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    Node& left = node(best.place);
    if (left.token != best.left || left.after == kNoPlace || node(left.after).token != best.right)
      continue;
    Node& right = node(left.after);
    left.token = best.token;
    left.after = right.after;
    right.token = kNoPlace;
    if (left.after != kNoPlace) node(left.after).before = best.place;
    offer(left.before);
    offer(best.place);
  }
  std::vector<std::int32_t> merged;
  for (std::int32_t i = count > 0 ? 0 : kNoPlace; i != kNoPlace; i = node(i).after)
    merged.push_back(node(i).token);
  return merged;
}

}  // namespace petlab::clip
