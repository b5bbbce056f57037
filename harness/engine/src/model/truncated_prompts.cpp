#include "petlab/engine/truncated_prompts.hpp"

#include <set>

namespace petlab::engine {

std::string TruncatedPrompts::message(std::int64_t context_length) const {
  if (count == 0) return "";
  return std::to_string(count) + (count == 1 ? " class text is" : " class texts are") +
         " longer than the " + std::to_string(context_length) +
         " tokens that the backbone reads and " + (count == 1 ? "was" : "were") +
         " cut, such as '" + example + "'";
}

TruncatedPrompts find_cut_texts(const clip::Tokenizer& tokenizer, std::int64_t context_length,
                                const std::vector<Task>& tasks, const std::string& text_template) {
  const std::size_t gap = text_template.find("{}");
  TruncatedPrompts result;
  std::set<std::string> seen;
  for (const Task& task : tasks)
    for (const std::string& name : task.classes) {
      if (!seen.insert(name).second) continue;
      const std::string text = std::string(text_template).replace(gap, 2, name);
      const std::int64_t length =
          static_cast<std::int64_t>(tokenizer.encode(text).size()) + tokenizer.n_marks();
      if (length <= context_length) continue;
      if (result.count++ == 0) result.example = text;
    }
  return result;
}

}  // namespace petlab::engine
