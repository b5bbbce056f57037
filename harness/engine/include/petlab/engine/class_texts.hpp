#pragma once

#include "petlab/clip/backbone.hpp"
#include "petlab/engine/tasks.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace petlab::engine {

/// The texts of all classes of a run as tokens, each list of classes once, and the batches of them
/// that the tasks of a step need.
class ClassTexts {
 public:
  /// `text_template` holds one "{}". Texts longer than the context are cut (find_cut_texts() names
  /// them).
  ClassTexts(const clip::Backbone& backbone, const std::vector<Task>& tasks,
             const std::string& text_template);

  /// The class list of a task; tasks with the same classes share one.
  [[nodiscard]] std::size_t list_of_task(std::size_t task) const { return list_of_task_.at(task); }
  [[nodiscard]] std::size_t n_lists() const { return list_rows_.size(); }
  [[nodiscard]] std::int64_t n_classes(std::size_t list) const { return list_rows_[list].second; }

  /// Tokens of some lists, one behind the other. Made once, with what the text tower finds out.
  [[nodiscard]] const clip::TokenBatch& tokens_of(const std::vector<std::size_t>& lists) const;

  /// Tokens of a list several times, one behind the other: a copy for each image of a batch.
  struct Copies {
    clip::TokenBatch tokens;
    at::Tensor image_of_text;  ///< int64 [count * n_classes]
  };
  [[nodiscard]] const Copies& copies_of(std::size_t list, std::int64_t count) const;

  /// int64 [n]: 0, 1, ... for texts with prompts of their own; the same tensor every time.
  [[nodiscard]] const at::Tensor& each_its_own(std::int64_t n) const;

  /// For texts whose class name comes first: the order (see clip::TowerBatch) that puts the first
  /// `n_before` of `n_prompt` prompts before the class name and the others behind it,
  /// int64 [N, L + n_prompt]. `position` is middle or front.
  [[nodiscard]] const at::Tensor& token_order(const std::vector<std::size_t>& lists,
                                              std::int64_t n_prompt,
                                              sdk::ClassPosition position) const;

  /// The texts of some tasks, packed into one batch.
  struct Plan {
    struct Part {
      std::size_t set = 0;
      std::size_t list = 0;
      std::int64_t offset = 0;  ///< first row of its texts in the batch
    };
    std::vector<std::size_t> sets;  ///< sets in the batch; their texts stand together
    std::vector<std::int64_t> texts_of_set;
    std::vector<Part> parts;
    std::vector<std::size_t> lists;         ///< of the parts
    std::vector<std::size_t> part_of_task;  ///< of the given tasks, in their order
    clip::TokenBatch tokens;
    at::Tensor set_of_text;  ///< int64 [N], place in `sets`; undefined for one set
  };

  /// The batch of `tasks`, where `set_of_task[t]` is the set of adapters of task t. Kept for the
  /// next step with the same tasks.
  [[nodiscard]] const Plan& plan(const std::vector<std::int64_t>& tasks,
                                 const std::vector<std::size_t>& set_of_task);

 private:
  c10::Device device_;
  std::int64_t n_start_;  ///< tokens in front of a text: the start token, where there is one
  std::vector<std::size_t> list_of_task_;
  std::vector<std::pair<std::int64_t, std::int64_t>> list_rows_;  ///< first row and count in texts_
  clip::TokenBatch texts_;                  ///< all class lists, one below the other
  std::vector<std::int64_t> name_lengths_;  ///< tokens of the class name, one a row of texts_
  std::map<std::vector<std::int64_t>, Plan> plans_;
  // What is the same at every step, made when it is first asked for.
  mutable std::map<std::vector<std::size_t>, clip::TokenBatch> tokens_;
  mutable std::map<std::pair<std::size_t, std::int64_t>, Copies> copies_;
  mutable std::map<std::int64_t, at::Tensor> each_its_own_;
  mutable std::map<std::tuple<std::vector<std::size_t>, std::int64_t, sdk::ClassPosition>,
                   at::Tensor>
      orders_;
};

/// The place of `value` in `list`, appended when it is not there.
template <typename T>
std::size_t place_of(std::vector<T>& list, const T& value) {
  for (std::size_t i = 0; i < list.size(); ++i)
    if (list[i] == value) return i;
  list.push_back(value);
  return list.size() - 1;
}

}  // namespace petlab::engine
