#include "petlab/engine/class_tokens.hpp"

#include "petlab/base/error.hpp"

#include <map>

namespace petlab::engine {

void check_class_tokens(const clip::Tokenizer& tokenizer, std::int64_t context_length,
                        const std::vector<Task>& tasks, const std::string& text_template) {
  const auto room = static_cast<std::size_t>(context_length - tokenizer.n_marks());
  const std::size_t gap = text_template.find("{}");
  std::map<std::string, std::vector<std::int64_t>> known;  // by class name
  for (const Task& task : tasks) {
    std::map<std::vector<std::int64_t>, const std::string*> names;
    for (const std::string& name : task.classes) {
      auto [tokens, is_new] = known.try_emplace(name);
      if (is_new) {
        tokens->second = tokenizer.encode(std::string(text_template).replace(gap, 2, name));
        // A cut text keeps its end token.
        if (tokens->second.size() > room) tokens->second.resize(room);
      }
      const auto [twin, is_first] = names.emplace(tokens->second, &name);
      if (is_first) continue;
      base::throw_data_error(
          "classes '" + *twin->second + "' and '" + name + "' of task '" + task.name +
          "' have the same tokens in the text '" + text_template + "'" +
          (tokens->second.size() == room
               ? ", cut at the " + std::to_string(context_length) + " that the backbone reads"
               : "") +
          ", so that one of them would never be answered: give each class a name of its own "
          "(class-names in [dataset])");
    }
  }
}

}  // namespace petlab::engine
