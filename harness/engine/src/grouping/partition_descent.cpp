#include "grouping/partition_descent.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace petlab::engine {

PartitionDescent::PartitionDescent(const PartitionScore& score, std::int64_t n_groups)
    : score_(score),
      least_gain_(score.resolution() * static_cast<double>(score.tasks())),
      fixed_(n_groups > 0),
      n_(score.tasks()),
      slots_(fixed_ ? n_groups : score.tasks()),
      groups_(static_cast<std::size_t>(slots_)),
      to_group_(static_cast<std::size_t>(n_ * slots_)) {}

void PartitionDescent::reset(const std::vector<std::int64_t>& group_of) {
  // Numbered by their first task, so that the slots in use are the first ones.
  std::vector<std::int64_t> number(static_cast<std::size_t>(slots_), -1);
  group_of_ = group_of;
  top_ = 0;
  for (std::int64_t& group : group_of_) {
    std::int64_t& own = number[static_cast<std::size_t>(group)];
    if (own < 0) own = top_++;
    group = own;
  }
  work_ += static_cast<double>(n_ * n_);
  std::fill(groups_.begin(), groups_.end(), GroupSums{});
  std::fill(to_group_.begin(), to_group_.end(), 0.0);
  for (std::int64_t task = 0; task < n_; ++task) {
    const auto t = static_cast<std::size_t>(task);
    double* row = to_group_.data() + static_cast<std::size_t>(task * slots_);
    const double* pairs = score_.row(task);
    for (std::int64_t other = 0; other < n_; ++other)
      row[group_of_[static_cast<std::size_t>(other)]] += pairs[other];
    GroupSums& group = groups_[static_cast<std::size_t>(group_of_[t])];
    group.pairs += 0.5 * row[group_of_[t]];
    ++group.size;
    group.members += task;
  }
}

GroupSums PartitionDescent::without(std::int64_t task) const {
  const std::int64_t from = group_of_[static_cast<std::size_t>(task)];
  const GroupSums& group = groups_[static_cast<std::size_t>(from)];
  // A group of one has no pairs: no rounding may stay behind in it.
  const double pairs = group.size > 2 ? group.pairs - to_groups(task)[from] : 0.0;
  return {pairs, group.size - 1, group.members - task};
}

GroupSums PartitionDescent::with(std::int64_t group, std::int64_t task) const {
  const GroupSums& sums = groups_[static_cast<std::size_t>(group)];
  return {sums.pairs + to_groups(task)[group], sums.size + 1, sums.members + task};
}

double PartitionDescent::gain_of_move(std::int64_t task, std::int64_t to) const {
  const std::int64_t from = group_of_[static_cast<std::size_t>(task)];
  return score_.value(without(task)) + score_.value(with(to, task)) - value(from) - value(to);
}

double PartitionDescent::gain_of_swap(std::int64_t a, std::int64_t b) const {
  const std::int64_t ga = group_of_[static_cast<std::size_t>(a)];
  const std::int64_t gb = group_of_[static_cast<std::size_t>(b)];
  const double both = score_.pair(a, b);
  GroupSums first = without(a);
  first.pairs += to_groups(b)[ga] - both;
  first.members += b;
  ++first.size;
  GroupSums second = without(b);
  second.pairs += to_groups(a)[gb] - both;
  second.members += a;
  ++second.size;
  return score_.value(first) + score_.value(second) - value(ga) - value(gb);
}

bool PartitionDescent::may_move(std::int64_t task, std::int64_t to) const {
  const std::int64_t from = group_of_[static_cast<std::size_t>(task)];
  return to != from && !(fixed_ && groups_[static_cast<std::size_t>(from)].size == 1);
}

std::int64_t PartitionDescent::empty_slot() const {
  for (std::int64_t g = 0; g < slots_; ++g)
    if (groups_[static_cast<std::size_t>(g)].size == 0) return g;
  return -1;
}

void PartitionDescent::move(std::int64_t task, std::int64_t to) {
  const std::int64_t from = group_of_[static_cast<std::size_t>(task)];
  const GroupSums rest = without(task);
  groups_[static_cast<std::size_t>(to)] = with(to, task);
  groups_[static_cast<std::size_t>(from)] = rest;
  group_of_[static_cast<std::size_t>(task)] = to;
  top_ = std::max(top_, to + 1);
  work_ += static_cast<double>(n_);
  const double* pairs = score_.row(task);
  double* row = to_group_.data();
  for (std::int64_t other = 0; other < n_; ++other, row += slots_) {
    row[from] -= pairs[other];
    row[to] += pairs[other];
  }
}

bool PartitionDescent::move_tasks() {
  bool improved = false;
  for (std::int64_t task = 0; task < n_; ++task) {
    const std::int64_t end = std::min(top_ + 1, slots_);
    work_ += static_cast<double>(end);
    const std::int64_t from = group_of_[static_cast<std::size_t>(task)];
    const GroupSums& own = groups_[static_cast<std::size_t>(from)];
    if (fixed_ && own.size == 1) continue;
    const double leaving = score_.value(without(task)) - score_.value(own);
    bool empty_seen = own.size == 1;  // alone already
    double best = least_gain_;
    std::int64_t target = -1;
    for (std::int64_t to = 0; to < end; ++to) {
      if (to == from) continue;
      if (groups_[static_cast<std::size_t>(to)].size == 0) {
        if (empty_seen) continue;
        empty_seen = true;
      }
      const double gain = leaving + score_.value(with(to, task)) - value(to);
      if (gain > best) {
        best = gain;
        target = to;
      }
    }
    if (target >= 0) {
      move(task, target);
      improved = true;
    }
  }
  return improved;
}

bool PartitionDescent::swap_tasks() {
  bool improved = false;
  work_ += 0.5 * static_cast<double>(n_ * n_);
  for (std::int64_t a = 0; a < n_; ++a) {
    for (std::int64_t b = a + 1; b < n_; ++b) {
      const std::int64_t ga = group_of_[static_cast<std::size_t>(a)];
      const std::int64_t gb = group_of_[static_cast<std::size_t>(b)];
      if (ga == gb || gain_of_swap(a, b) <= least_gain_) continue;
      // One after the other through the sums, so that the pair itself is counted right.
      move(a, gb);
      move(b, ga);
      improved = true;
    }
  }
  return improved;
}

bool PartitionDescent::merge_groups() {
  std::vector<std::int64_t> used;
  for (std::int64_t g = 0; g < top_; ++g)
    if (groups_[static_cast<std::size_t>(g)].size > 0) used.push_back(g);
  std::vector<double> cross(used.size() * used.size());
  std::vector<std::size_t> place(static_cast<std::size_t>(slots_));
  for (std::size_t u = 0; u < used.size(); ++u)
    place[static_cast<std::size_t>(used[u])] = u;
  for (std::int64_t task = 0; task < n_; ++task) {
    double* row =
        cross.data() +
        place[static_cast<std::size_t>(group_of_[static_cast<std::size_t>(task)])] * used.size();
    for (std::size_t u = 0; u < used.size(); ++u)
      row[u] += to_groups(task)[used[u]];
  }
  work_ += static_cast<double>(used.size()) * static_cast<double>(n_);
  double best = least_gain_;
  std::int64_t into = -1;
  std::int64_t gone = -1;
  for (std::size_t u = 0; u < used.size(); ++u) {
    const GroupSums& a = groups_[static_cast<std::size_t>(used[u])];
    for (std::size_t v = u + 1; v < used.size(); ++v) {
      const GroupSums& b = groups_[static_cast<std::size_t>(used[v])];
      const GroupSums both{a.pairs + b.pairs + cross[u * used.size() + v], a.size + b.size,
                           a.members + b.members};
      const double gain = score_.value(both) - score_.value(a) - score_.value(b);
      if (gain > best) {
        best = gain;
        into = used[u];
        gone = used[v];
      }
    }
  }
  if (into < 0) return false;
  for (std::int64_t task = 0; task < n_; ++task)
    if (group_of_[static_cast<std::size_t>(task)] == gone) move(task, into);
  return true;
}

void PartitionDescent::improve() {
  for (;;) {
    while (move_tasks()) {
    }
    if (swap_tasks()) continue;
    if (fixed_ || !merge_groups()) return;
  }
}

void PartitionDescent::kick(std::int64_t strength, base::SplitMix64& random) {
  const auto below = [&random](std::int64_t bound) {
    return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(bound)));
  };
  for (std::int64_t k = 0; k < strength; ++k) {
    const std::int64_t task = below(n_);
    // To the group of another random task, so that large groups and small ones are both met; now
    // and then, with a free number of groups, to one of its own.
    std::int64_t to = group_of_[static_cast<std::size_t>(below(n_))];
    if (!fixed_ && below(4) == 0) to = empty_slot();
    if (fixed_ && below(2) == 0) to = below(slots_);
    if (to >= 0 && may_move(task, to)) move(task, to);
  }
  reset(std::vector<std::int64_t>(group_of_));  // leaves no rounding behind
}

std::vector<std::int64_t> agglomerate(const PartitionScore& score, std::int64_t n_groups) {
  const std::int64_t n = score.tasks();
  const auto size = static_cast<std::size_t>(n);
  std::vector<double> cross(size * size);
  std::vector<GroupSums> groups(size);
  std::vector<std::int64_t> group_of(size);
  std::iota(group_of.begin(), group_of.end(), 0);
  std::vector<std::int64_t> alive = group_of;
  for (std::int64_t i = 0; i < n; ++i) {
    std::copy_n(score.row(i), size, cross.begin() + i * n);
    groups[static_cast<std::size_t>(i)] = {0.0, 1, i};
  }
  const auto gain = [&](std::int64_t a, std::int64_t b) {
    const GroupSums& x = groups[static_cast<std::size_t>(a)];
    const GroupSums& y = groups[static_cast<std::size_t>(b)];
    const GroupSums both{x.pairs + y.pairs + cross[static_cast<std::size_t>(a * n + b)],
                         x.size + y.size, x.members + y.members};
    return score.value(both) - score.value(x) - score.value(y);
  };
  // The best partner behind each group, kept from merger to merger.
  std::vector<std::int64_t> partner(size, -1);
  std::vector<double> best(size);
  const auto find_partner = [&](std::int64_t a) {
    const auto i = static_cast<std::size_t>(a);
    partner[i] = -1;
    best[i] = -std::numeric_limits<double>::infinity();
    for (const std::int64_t b : alive) {
      if (b <= a) continue;
      const double g = gain(a, b);
      if (g > best[i]) {
        best[i] = g;
        partner[i] = b;
      }
    }
  };
  for (const std::int64_t a : alive)
    find_partner(a);
  while (static_cast<std::int64_t>(alive.size()) > std::max<std::int64_t>(1, n_groups)) {
    std::int64_t a = alive.front();
    for (const std::int64_t candidate : alive)
      if (best[static_cast<std::size_t>(candidate)] > best[static_cast<std::size_t>(a)])
        a = candidate;
    const std::int64_t b = partner[static_cast<std::size_t>(a)];
    if (n_groups == 0 && best[static_cast<std::size_t>(a)] <= score.resolution()) break;
    GroupSums& into = groups[static_cast<std::size_t>(a)];
    const GroupSums& from = groups[static_cast<std::size_t>(b)];
    into = {into.pairs + from.pairs + cross[static_cast<std::size_t>(a * n + b)],
            into.size + from.size, into.members + from.members};
    alive.erase(std::find(alive.begin(), alive.end(), b));
    for (const std::int64_t c : alive) {
      if (c == a) continue;
      const double sum =
          cross[static_cast<std::size_t>(a * n + c)] + cross[static_cast<std::size_t>(b * n + c)];
      cross[static_cast<std::size_t>(a * n + c)] = cross[static_cast<std::size_t>(c * n + a)] = sum;
    }
    for (std::int64_t& group : group_of)
      if (group == b) group = a;
    for (const std::int64_t c : alive) {
      const auto i = static_cast<std::size_t>(c);
      if (c == a || partner[i] == a || partner[i] == b) {
        find_partner(c);
      } else if (c < a) {
        const double g = gain(c, a);
        if (g > best[i]) {
          best[i] = g;
          partner[i] = a;
        }
      }
    }
  }
  for (std::int64_t& group : group_of)
    group = std::find(alive.begin(), alive.end(), group) - alive.begin();
  return group_of;
}

}  // namespace petlab::engine
