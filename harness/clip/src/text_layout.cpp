#include "text_layout.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

namespace petlab::clip {
namespace {

// Layouts of one batch of tokens that are kept: a run needs one, an ablation of orders a few.
constexpr std::size_t kMaxLayouts = 8;

constexpr std::int64_t kNoRow = -1;

std::vector<std::int64_t> values_of(const at::Tensor& tensor) {
  const at::Tensor here = tensor.to(at::kCPU, at::kLong).contiguous();
  const auto* values = here.const_data_ptr<std::int64_t>();
  return {values, values + here.numel()};
}

at::Tensor index_tensor(const std::vector<std::int64_t>& values, c10::Device device) {
  return at::tensor(values, at::kLong).to(device);
}

/// Tokens that all texts begin with, but for their end tokens; 0 where even the first differs.
std::int64_t common_tokens(const std::vector<std::int64_t>& ids,
                           const std::vector<std::int64_t>& ends, std::int64_t length) {
  const std::int64_t most = *std::min_element(ends.begin(), ends.end());
  for (std::int64_t place = 0; place < most; ++place)
    for (std::size_t text = 1; text < ends.size(); ++text)
      if (ids[text * static_cast<std::size_t>(length) + static_cast<std::size_t>(place)] !=
          ids[static_cast<std::size_t>(place)])
        return place;
  return most;
}

std::size_t at_index(std::int64_t i) {
  return static_cast<std::size_t>(i);
}

}  // namespace

std::shared_ptr<const TextLayout> TextLayout::make(const TokenBatch& tokens,
                                                   const Sharing& sharing) {
  const std::int64_t n_texts = tokens.ids.size(0);
  const std::int64_t length = tokens.ids.size(1);
  const std::vector<std::int64_t> ids = values_of(tokens.ids);
  const std::vector<std::int64_t> ends = values_of(tokens.eot);
  const std::int64_t common = n_texts > 0 ? common_tokens(ids, ends, length) : 0;
  if (common == 0) return nullptr;

  const std::shared_ptr<TextLayout> layout(new TextLayout);
  layout->n_prompt_ = sharing.n_prompt;
  layout->n_words_ = common - 1;
  for (const std::int64_t end : ends)
    layout->lengths_.push_back(end + 1 - common);
  layout->find_groups(sharing, n_texts);
  layout->without_ = layout->arrange(false);
  layout->with_ = layout->arrange(true);

  const c10::Device device = sharing.device;
  std::vector<std::int64_t> row_ids(at_index(layout->without_.count));
  std::vector<std::int64_t> positions(at_index(layout->without_.count));
  const std::int64_t shift = sharing.are_prompts_embedded ? sharing.n_prompt : 0;
  const auto put = [&](std::int64_t row, std::int64_t text, std::int64_t place) {
    row_ids[at_index(row)] = ids[at_index(text * length + place)];
    positions[at_index(row)] = place == 0 ? 0 : place + shift;
  };
  const Rows& rows = layout->without_;
  for (const std::int64_t row : rows.start)
    if (row != kNoRow) put(row, 0, 0);
  for (const std::int64_t first : rows.first_word)
    for (std::int64_t i = 0; i < layout->n_words_; ++i)
      put(first + i, 0, 1 + i);
  for (std::int64_t text = 0; text < n_texts; ++text)
    for (std::int64_t i = 0; i < layout->lengths_[at_index(text)]; ++i)
      put(rows.first_token[at_index(text)] + i, text, common + i);
  layout->ids_ = index_tensor(row_ids, device);
  layout->positions_ = index_tensor(positions, device);
  for (Rows* both : {&layout->without_, &layout->with_}) {
    std::vector<std::int64_t> last;
    for (std::size_t text = 0; text < layout->lengths_.size(); ++text)
      last.push_back(both->first_token[text] + layout->lengths_[text] - 1);
    both->ends = index_tensor(last, device);
  }
  std::vector<std::int64_t> order;
  bool is_natural = true;
  for (const Group& group : layout->groups_) {
    is_natural = is_natural && group.prompt_set == static_cast<std::int64_t>(order.size());
    order.push_back(group.prompt_set);
  }
  if (!is_natural || static_cast<std::int64_t>(order.size()) != sharing.n_prompt_sets)
    layout->prompt_order_ = index_tensor(order, device);
  return layout;
}

void TextLayout::find_groups(const Sharing& sharing, std::int64_t n_texts) {
  if (sharing.module_set_sizes.size() > 1) {
    n_module_sets_ = static_cast<std::int64_t>(sharing.module_set_sizes.size());
    for (std::int64_t set = 0; set < n_module_sets_; ++set)
      set_of_text_.insert(set_of_text_.end(), at_index(sharing.module_set_sizes[at_index(set)]),
                          set);
  } else {
    set_of_text_.assign(at_index(n_texts), 0);
  }
  std::vector<std::int64_t> prompt_sets(at_index(n_texts), 0);
  if (sharing.n_prompt_sets > 1) prompt_sets = values_of(sharing.set_of_text);
  std::map<std::pair<std::int64_t, std::int64_t>, std::vector<std::int64_t>> texts;
  for (std::int64_t text = 0; text < n_texts; ++text)
    texts[{set_of_text_[at_index(text)], prompt_sets[at_index(text)]}].push_back(text);
  for (auto& [sets, of_group] : texts)
    groups_.push_back({sets.first, sets.second, std::move(of_group)});
}

TextLayout::Rows TextLayout::arrange(bool with_prompts) const {
  Rows rows;
  rows.first_token.resize(lengths_.size());
  for (std::int64_t set = 0; set < n_module_sets_; ++set) {
    const std::int64_t before = rows.count;
    // A chunk of a batch may have no texts of a set: then there is nothing of it to compute.
    const bool is_used = std::any_of(groups_.begin(), groups_.end(),
                                     [&](const Group& group) { return group.module_set == set; });
    rows.start.push_back(is_used ? rows.count++ : kNoRow);
    for (const Group& group : groups_) {
      if (group.module_set != set) continue;
      rows.first_word.push_back(rows.count);
      rows.count += n_words_;
    }
    for (std::size_t text = 0; text < lengths_.size(); ++text) {
      if (set_of_text_[text] != set) continue;
      rows.first_token[text] = rows.count;
      rows.count += lengths_[text];
    }
    for (const Group& group : groups_) {
      if (!with_prompts || group.module_set != set) continue;
      rows.first_prompt.push_back(rows.count);
      rows.count += n_prompt_;
    }
    rows.set_sizes.push_back(rows.count - before);
  }
  return rows;
}

at::Tensor TextLayout::prompt_rows(const at::Tensor& prompts) const {
  const at::Tensor ordered =
      prompt_order_.defined() ? prompts.index_select(0, prompt_order_) : prompts;
  return ordered.reshape({ordered.size(0) * ordered.size(1), ordered.size(2)});
}

at::Tensor TextLayout::insert(const at::Tensor& x, const at::Tensor& prompts) const {
  const at::Tensor rows = prompt_rows(prompts);
  if (are_prompts_last()) return at::cat({x, rows});
  std::vector<at::Tensor> parts;
  std::int64_t done = 0;
  std::int64_t done_prompts = 0;
  for (std::size_t set = 0; set < without_.set_sizes.size(); ++set) {
    const std::int64_t own = without_.set_sizes[set];
    const std::int64_t inserted = with_.set_sizes[set] - own;
    parts.push_back(x.narrow(0, done, own));
    parts.push_back(rows.narrow(0, done_prompts, inserted));
    done += own;
    done_prompts += inserted;
  }
  return at::cat(parts);
}

at::Tensor TextLayout::drop(const at::Tensor& x) const {
  if (are_prompts_last()) return x.narrow(0, 0, without_.count);
  std::vector<at::Tensor> parts;
  std::int64_t done = 0;
  for (std::size_t set = 0; set < without_.set_sizes.size(); ++set) {
    parts.push_back(x.narrow(0, done, without_.set_sizes[set]));
    done += with_.set_sizes[set];
  }
  return at::cat(parts);
}

kernels::SharedSequences TextLayout::make_sequences(bool with_prompts, Queries queries) const {
  const bool all = queries == Queries::all;
  const Rows& in = rows(with_prompts);
  const Rows& out = rows(with_prompts && all);
  using Position = kernels::SharedSequences::Position;
  const auto position = [&](std::int64_t row, std::int64_t out_row) {
    return Position{.row = static_cast<std::int32_t>(row),
                    .out = static_cast<std::int32_t>(out_row),
                    .query = static_cast<std::int32_t>(queries == Queries::ends ? out_row : row)};
  };
  std::vector<kernels::SharedSequences::Group> groups;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const Group& from = groups_[g];
    kernels::SharedSequences::Group& group = groups.emplace_back();
    const bool owns_start = g == 0 || groups_[g - 1].module_set != from.module_set;
    const std::size_t set = at_index(from.module_set);
    const bool of_prefix = queries != Queries::ends;
    group.prefix.push_back(
        position(in.start[set], of_prefix && owns_start ? out.start[set] : kNoRow));
    if (with_prompts)
      for (std::int64_t i = 0; i < n_prompt_; ++i)
        group.prefix.push_back(
            position(in.first_prompt[g] + i, all ? out.first_prompt[g] + i : kNoRow));
    for (std::int64_t i = 0; i < n_words_; ++i)
      group.prefix.push_back(
          position(in.first_word[g] + i, of_prefix ? out.first_word[g] + i : kNoRow));
    for (const std::int64_t text : from.texts) {
      kernels::SharedSequences::Sequence& sequence = group.sequences.emplace_back();
      const std::int64_t length = lengths_[at_index(text)];
      for (std::int64_t i = 0; i < length; ++i) {
        const std::int64_t made = of_prefix         ? out.first_token[at_index(text)] + i
                                  : i + 1 == length ? text
                                                    : kNoRow;
        sequence.push_back(position(in.first_token[at_index(text)] + i, made));
      }
    }
  }
  return {groups, in.count,
          queries == Queries::ends ? static_cast<std::int64_t>(lengths_.size()) : out.count};
}

const kernels::SharedSequences& TextLayout::sequences(bool with_prompts, Queries queries) const {
  const std::lock_guard lock(mutex_);
  with_prompts = with_prompts && n_prompt_ > 0;
  auto& known = sequences_.at((with_prompts ? 3 : 0) + static_cast<std::size_t>(queries));
  if (!known) known.emplace(make_sequences(with_prompts, queries));
  return *known;
}

std::shared_ptr<const TextLayout> TextLayouts::of(const TokenBatch& tokens,
                                                  const TextLayout::Sharing& sharing) {
  const std::lock_guard lock(mutex_);
  const auto same = [](const at::Tensor& a, const at::Tensor& b) {
    return a.defined() == b.defined() && (!a.defined() || a.is_same(b));
  };
  for (const auto& [for_what, layout] : known_)
    if (for_what.n_prompt == sharing.n_prompt && for_what.n_prompt_sets == sharing.n_prompt_sets &&
        for_what.are_prompts_embedded == sharing.are_prompts_embedded &&
        for_what.device == sharing.device &&
        for_what.module_set_sizes == sharing.module_set_sizes &&
        same(for_what.set_of_text, sharing.set_of_text))
      return layout;
  if (known_.size() >= kMaxLayouts) known_.clear();
  known_.emplace_back(sharing, TextLayout::make(tokens, sharing));
  return known_.back().second;
}

}  // namespace petlab::clip
