#include "byte_alphabet.hpp"
#include "petlab/base/atomic_file.hpp"
#include "petlab/base/error.hpp"
#include "petlab/clip/tokenizer.hpp"
#include "unicode_text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

namespace petlab::clip {

using base::Error;
using base::ErrorKind;

namespace {

using Pair = std::pair<std::int32_t, std::int32_t>;

/// A distinct word of the texts, as far as it has been merged.
struct Word {
  std::vector<std::int32_t> symbols;
  std::int64_t count = 0;
};

/// A pair of neighbours: how often it is there, and in which words (or was, once).
struct Occurrences {
  std::int64_t count = 0;
  std::set<std::size_t> words;
};

class Trainer {
 public:
  explicit Trainer(std::span<const std::pair<std::string, std::int64_t>> texts) {
    for (const std::string_view suffix : {std::string_view(), kEndOfWord})
      for (const unsigned char byte : byte_alphabet().order())
        add_token(byte_alphabet().symbol(byte) + std::string(suffix));
    std::map<std::string, std::int64_t> counts;
    for (const auto& [text, count] : texts)
      for (std::string& word : split_words(normalise_text(text)))
        counts[std::move(word)] += count;
    for (const auto& [word, count] : counts)
      add_word(word, count);
  }

  [[nodiscard]] std::int64_t token_count() const {
    return static_cast<std::int64_t>(tokens_.size());
  }

  /// Adds the merge of the most frequent pair. False when no word has two symbols any more.
  bool merge_best() {
    const auto best =
        std::max_element(pairs_.begin(), pairs_.end(), [this](const auto& a, const auto& b) {
          if (a.second.count != b.second.count) return a.second.count < b.second.count;
          return texts_of(b.first) < texts_of(a.first);  // of equals, the one that sorts first
        });
    if (best == pairs_.end() || best->second.count <= 0) return false;
    const Pair pair = best->first;
    // Copied: counting below changes the table.
    const std::set<std::size_t> words = best->second.words;
    const auto left = tokens_[static_cast<std::size_t>(pair.first)];
    const auto right = tokens_[static_cast<std::size_t>(pair.second)];
    merges_.emplace_back(left, right);
    const std::int32_t merged = add_token(left + right);
    for (const std::size_t index : words)
      merge_in(index, pair, merged);
    pairs_.erase(pair);
    return true;
  }

  void write(std::int64_t context_length, const std::filesystem::path& model_dir) {
    add_token(std::string(kStartToken));
    add_token(std::string(kEndToken));
    nlohmann::ordered_json vocabulary = nlohmann::ordered_json::object();
    for (std::size_t id = 0; id < tokens_.size(); ++id)
      vocabulary[tokens_[id]] = id;
    std::string merges = "#version: 0.2\n";
    for (const auto& [left, right] : merges_)
      merges.append(left + " " + right + "\n");
    const nlohmann::ordered_json config{{"tokenizer_class", "CLIPTokenizer"},
                                        {"bos_token", kStartToken},
                                        {"eos_token", kEndToken},
                                        {"unk_token", kEndToken},
                                        {"pad_token", kEndToken},
                                        {"do_lower_case", true},
                                        {"model_max_length", context_length}};
    std::error_code error;
    std::filesystem::create_directories(model_dir, error);
    base::write_file(model_dir / "vocab.json", vocabulary.dump(1) + "\n");
    base::write_file(model_dir / "merges.txt", merges);
    base::write_file(model_dir / "tokenizer_config.json", config.dump(2) + "\n");
  }

 private:
  [[nodiscard]] std::pair<const std::string&, const std::string&> texts_of(const Pair& pair) const {
    return {tokens_[static_cast<std::size_t>(pair.first)],
            tokens_[static_cast<std::size_t>(pair.second)]};
  }

  /// Two merges may give the same text ("a" "bc" and "ab" "c"): then they share the token.
  std::int32_t add_token(const std::string& token) {
    const auto id = static_cast<std::int32_t>(tokens_.size());
    const auto [place, is_new] = ids_.try_emplace(token, id);
    if (is_new) tokens_.push_back(token);
    return place->second;
  }

  void add_word(const std::string& text, std::int64_t count) {
    Word word{{}, count};
    for (std::size_t i = 0; i < text.size(); ++i) {
      std::string symbol = byte_alphabet().symbol(static_cast<unsigned char>(text[i]));
      if (i + 1 == text.size()) symbol += kEndOfWord;
      word.symbols.push_back(ids_.at(symbol));
    }
    words_.push_back(std::move(word));
    count_pairs(words_.size() - 1, +1);
  }

  void count_pairs(std::size_t index, std::int64_t sign) {
    const Word& word = words_[index];
    for (std::size_t i = 0; i + 1 < word.symbols.size(); ++i) {
      Occurrences& found = pairs_[{word.symbols[i], word.symbols[i + 1]}];
      found.count += sign * word.count;
      if (sign > 0) found.words.insert(index);
    }
  }

  void merge_in(std::size_t index, const Pair& pair, std::int32_t merged) {
    count_pairs(index, -1);
    const std::vector<std::int32_t>& old = words_[index].symbols;
    std::vector<std::int32_t> symbols;
    for (std::size_t i = 0; i < old.size(); ++i) {
      const bool is_pair = i + 1 < old.size() && Pair{old[i], old[i + 1]} == pair;
      symbols.push_back(is_pair ? merged : old[i]);
      if (is_pair) ++i;
    }
    words_[index].symbols = std::move(symbols);
    count_pairs(index, +1);
  }

  std::vector<std::string> tokens_;
  std::unordered_map<std::string, std::int32_t> ids_;
  std::vector<std::pair<std::string, std::string>> merges_;
  std::vector<Word> words_;
  std::map<Pair, Occurrences> pairs_;
};

}  // namespace

void train_tokenizer(std::span<const std::pair<std::string, std::int64_t>> texts,
                     std::int64_t vocab_size, std::int64_t context_length,
                     const std::filesystem::path& model_dir) {
  constexpr std::int64_t kMarks = 2;
  Trainer trainer(texts);
  if (vocab_size < trainer.token_count() + kMarks)
    throw Error(ErrorKind::config, "a vocabulary of " + std::to_string(vocab_size) +
                                       " tokens is too small: bytes and marks alone are " +
                                       std::to_string(trainer.token_count() + kMarks));
  while (trainer.token_count() + kMarks < vocab_size)
    if (!trainer.merge_best())
      throw Error(ErrorKind::config, "the texts give a vocabulary of " +
                                         std::to_string(trainer.token_count() + kMarks) +
                                         " tokens at most, expected " + std::to_string(vocab_size));
  trainer.write(context_length, model_dir);
}

}  // namespace petlab::clip
