#pragma once

#include "vocabulary_files.hpp"

#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace petlab::clip {

/// Puts a vocabulary together from tokens and merges, with its checks: ids are 0 to n-1, each once;
/// merges are of known tokens, no pair twice; every byte and both marks are there.
class VocabularyBuilder {
 public:
  /// `file` is the one that errors name.
  explicit VocabularyBuilder(std::filesystem::path file) : file_(std::move(file)) {}

  /// All at once: token -> id, and the `added_tokens` of tokenizer.json, which may repeat
  /// them. Throws Error(data).
  void add_tokens(const JsonObject& vocabulary,
                  const nlohmann::json& added = nlohmann::json::array());

  /// The token of the next id. What is wrong with it, or "".
  std::string add_token(const std::string& token);

  /// The merge of the next rank, "left right". What is wrong with it, or "".
  [[nodiscard]] std::string add_merge(std::string_view line);
  [[nodiscard]] std::string add_merge(const std::string& left, const std::string& right);

  /// Throws Error(data) for a missing byte or mark.
  [[nodiscard]] VocabularyFiles finish();

 private:
  void find_marks();
  void add_found(const nlohmann::json& added);
  [[nodiscard]] std::int32_t id_of(const std::string& token) const;

  std::filesystem::path file_;
  VocabularyFiles files_;
  std::unordered_map<std::string, std::int32_t> ids_;
  std::unordered_set<std::uint64_t> pairs_;
};

}  // namespace petlab::clip
