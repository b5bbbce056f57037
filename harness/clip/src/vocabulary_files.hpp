#pragma once

#include "added_tokens.hpp"
#include "json_file.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace petlab::clip {

/// A byte-pair vocabulary as files hold it. All ids are those of tokens.
struct VocabularyFiles {
  struct Merge {
    std::int32_t left = 0;
    std::int32_t right = 0;
    std::int32_t merged = 0;
  };

  std::vector<std::string> tokens;        ///< by id
  std::vector<Merge> merges;              ///< by rank, no pair twice
  std::array<std::int32_t, 256> inner{};  ///< id of a byte inside of a word
  std::array<std::int32_t, 256> last{};   ///< id of a byte at the end of a word
  std::int32_t start = 0;
  std::int32_t end = 0;
  std::vector<AddedToken> added;  ///< beside the two marks
  std::string source;             ///< the files' names
};

/// Reads vocab.json and merges.txt (with the added tokens of tokenizer.json, tokenizer_config.json
/// or added_tokens.json, of which the first that is there counts), or else tokenizer.json, or else
/// OpenAI's bpe_simple_vocab_16e6.txt.gz of a model's folder. The last names no number of tokens:
/// its first merges are taken until there are `vocab_size`. Throws Error(data) naming the file, and
/// all of them when the folder has none.
[[nodiscard]] VocabularyFiles read_vocabulary_files(const std::filesystem::path& folder,
                                                    std::int64_t vocab_size);

/// tokenizer.json of the tokenizers library: a BPE model with CLIP's normalizer and splitting. What
/// would make another text of tokens is refused.
[[nodiscard]] VocabularyFiles parse_tokenizer_json(const JsonObject& json);

/// Tokens and merges from the lines of OpenAI's text file.
[[nodiscard]] VocabularyFiles parse_bpe_text(std::string_view text, std::int64_t vocab_size,
                                             const std::filesystem::path& file);

}  // namespace petlab::clip
