#pragma once

#include "petlab/clip/backbone.hpp"
#include "petlab/kernels/shared_attention.hpp"

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace petlab::clip {

/// How the texts of a batch share rows of the text tower.
///
/// Attention is causal, so what stands in front of a text does not depend on what follows: the
/// start token, prompts and the words that all texts begin with are the same for all texts that use
/// the same adapters. They are rows of their own, once for each group of such texts (the start
/// token even once for all texts with the same modules), and a text adds the rows from its first
/// own token to its end token, none behind. Row-wise work is done on this matrix without padding.
///
/// Rows of a module set stand together: its start token, the common words of its groups, its texts,
/// and last, while there are prompts, the prompts of its groups.
class TextLayout {
 public:
  /// What the layout of given tokens depends on.
  struct Sharing {
    std::int64_t n_prompt = 0;
    std::int64_t n_prompt_sets = 0;
    bool are_prompts_embedded = false;  ///< inserted before layer 0: tokens move to later positions
    std::vector<std::int64_t> module_set_sizes;  ///< texts of each set of modules; empty for one
    at::Tensor set_of_text;                      ///< int64 [N] prompt sets; undefined for one
    c10::Device device = c10::kCPU;              ///< of the weights
  };

  /// Null where the texts do not begin with the same token.
  [[nodiscard]] static std::shared_ptr<const TextLayout> make(const TokenBatch& tokens,
                                                              const Sharing& sharing);

  /// Rows without and with those of the prompts.
  struct Rows {
    std::int64_t count = 0;
    std::vector<std::int64_t> set_sizes;     ///< rows of each module set
    std::vector<std::int64_t> start;         ///< a module set's
    std::vector<std::int64_t> first_word;    ///< a group's
    std::vector<std::int64_t> first_token;   ///< a text's own
    std::vector<std::int64_t> first_prompt;  ///< a group's; empty without prompts
    at::Tensor ends;                         ///< int64 [N]: the texts' end tokens
  };
  [[nodiscard]] const Rows& rows(bool with_prompts) const {
    return with_prompts && n_prompt_ > 0 ? with_ : without_;
  }

  [[nodiscard]] const at::Tensor& ids() const { return ids_; }              ///< of rows(false)
  [[nodiscard]] const at::Tensor& positions() const { return positions_; }  ///< of rows(false)

  /// The rows with prompts from those without, x [rows(false), W], and prompts [sets, n, W].
  [[nodiscard]] at::Tensor insert(const at::Tensor& x, const at::Tensor& prompts) const;
  /// The prompts of all groups as rows, in the groups' order.
  [[nodiscard]] at::Tensor prompt_rows(const at::Tensor& prompts) const;
  /// True where inserted prompts stand behind all other rows.
  [[nodiscard]] bool are_prompts_last() const { return with_.set_sizes.size() == 1; }
  /// The way back: x [rows(true), W] -> [rows(false), W].
  [[nodiscard]] at::Tensor drop(const at::Tensor& x) const;

  enum class Queries : std::uint32_t { all, without_prompts, ends };
  /// Attention over rows(with_prompts), whose queries are all rows, those but the prompts, or the
  /// texts' end tokens (row i of the queries and the output is text i's).
  [[nodiscard]] const kernels::SharedSequences& sequences(bool with_prompts, Queries queries) const;

 private:
  struct Group {
    std::int64_t module_set = 0;
    std::int64_t prompt_set = 0;
    std::vector<std::int64_t> texts;
  };

  TextLayout() = default;
  void find_groups(const Sharing& sharing, std::int64_t n_texts);
  [[nodiscard]] Rows arrange(bool with_prompts) const;
  [[nodiscard]] kernels::SharedSequences make_sequences(bool with_prompts, Queries queries) const;

  std::vector<Group> groups_;  ///< those of a module set together
  std::int64_t n_module_sets_ = 1;
  std::int64_t n_prompt_ = 0;
  std::int64_t n_words_ = 0;               ///< common tokens behind the start token
  std::vector<std::int64_t> lengths_;      ///< own tokens of each text, with the end token
  std::vector<std::int64_t> set_of_text_;  ///< module set
  Rows without_, with_;
  at::Tensor ids_, positions_;
  at::Tensor prompt_order_;  ///< int64 [groups], undefined where it is 0, 1, ...
  mutable std::mutex mutex_;
  mutable std::array<std::optional<kernels::SharedSequences>, 6> sequences_;
};

/// Layouts of one batch of tokens, kept for its next forward.
class TextLayouts {
 public:
  [[nodiscard]] std::shared_ptr<const TextLayout> of(const TokenBatch& tokens,
                                                     const TextLayout::Sharing& sharing);

 private:
  std::mutex mutex_;
  std::vector<std::pair<TextLayout::Sharing, std::shared_ptr<const TextLayout>>> known_;
};

}  // namespace petlab::clip
