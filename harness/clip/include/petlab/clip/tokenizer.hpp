#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace petlab::clip {

class TextLayouts;

/// Texts as the text tower takes them, cut behind the longest end-of-text token.
struct TokenBatch {
  at::Tensor ids;  ///< int64 [N, L]: start token, text, end token, padding
  at::Tensor eot;  ///< int64 [N]: position of the end token
  /// From keep_layouts() for tokens that are encoded again and again, else null: what the text
  /// tower finds out about them is kept there. Ids and eot must not change then.
  std::shared_ptr<TextLayouts> layouts = {};
};

/// CLIP's byte-pair tokenizer, or SigLIP's.
class Tokenizer {
 public:
  /// From vocab.json and merges.txt of a model directory, or else tokenizer.json, or else OpenAI's
  /// bpe_simple_vocab_16e6.txt.gz; the last is longer than any vocabulary and cut to `vocab_size`.
  /// Throws Error(data) naming the file and line.
  [[nodiscard]] static Tokenizer load(const std::filesystem::path& model_dir,
                                      std::int64_t vocab_size = 49408);

  /// SigLIP's: from spiece.model, a SentencePiece vocabulary, or else tokenizer.json with a
  /// byte-pair model (SigLIP 2). A text gets an end token and no start token. Throws Error(data)
  /// naming the file.
  [[nodiscard]] static Tokenizer load_siglip(const std::filesystem::path& model_dir);

  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  /// Ids of a text, without start and end token.
  [[nodiscard]] std::vector<std::int64_t> encode(std::string_view text) const;

  /// Texts with start and end token, padded to the longest of them, not to the context length.
  /// A text of more than `context_length` tokens is cut and keeps its end token; the number of
  /// texts cut is added to `*truncated` when given.
  [[nodiscard]] TokenBatch encode_batch(std::span<const std::string> texts,
                                        std::int64_t context_length,
                                        std::int64_t* truncated = nullptr) const;

  [[nodiscard]] std::string decode(std::span<const std::int64_t> ids) const;
  [[nodiscard]] std::int64_t vocab_size() const;
  /// Of a tokenizer with one; else -1.
  [[nodiscard]] std::int64_t start_token() const;
  [[nodiscard]] bool has_start_token() const { return start_token() >= 0; }
  /// Tokens that encode_batch() adds to a text: start and end, or the end alone.
  [[nodiscard]] std::int64_t n_marks() const { return has_start_token() ? 2 : 1; }
  [[nodiscard]] std::int64_t end_token() const;
  /// What encode_batch() fills up shorter texts with.
  [[nodiscard]] std::int64_t padding_token() const;

  /// Names of the files that the vocabulary comes from.
  [[nodiscard]] const std::string& source() const;
  /// SHA-256 over tokens and merges: equal for the same vocabulary in whatever files.
  [[nodiscard]] const std::string& hash() const;

 private:
  struct Impl;
  explicit Tokenizer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Learns a byte-pair vocabulary in CLIP's layout (256 bytes, 256 bytes with </w>, merges, start
/// and end token) from texts with counts, and writes vocab.json, merges.txt and
/// tokenizer_config.json. Deterministic: ties go to the pair that sorts first.
void train_tokenizer(std::span<const std::pair<std::string, std::int64_t>> texts,
                     std::int64_t vocab_size, std::int64_t context_length,
                     const std::filesystem::path& model_dir);

}  // namespace petlab::clip
