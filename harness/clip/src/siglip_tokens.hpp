#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace petlab::clip {

/// U+2581, which stands for a blank in the pieces of SentencePiece and Gemma.
inline constexpr std::string_view kBlank = "\xE2\x96\x81";

/// The vocabulary of a SigLIP: texts to ids, without start and end.
class SiglipTokens {
 public:
  virtual ~SiglipTokens() = default;
  [[nodiscard]] virtual std::vector<std::int64_t> encode(std::string_view text) const = 0;
  [[nodiscard]] virtual std::string decode(std::span<const std::int64_t> ids) const = 0;
  [[nodiscard]] virtual std::int64_t size() const = 0;
  [[nodiscard]] virtual std::int64_t end() const = 0;
  [[nodiscard]] virtual std::int64_t padding() const = 0;
  [[nodiscard]] virtual const std::string& source() const = 0;  ///< the file's name
  [[nodiscard]] virtual const std::string& hash() const = 0;    ///< SHA-256 of what it holds
};

/// spiece.model, a SentencePiece vocabulary, by its own library, with the cleaning of transformers'
/// SiglipTokenizer: small letters (do_lower_case of tokenizer_config.json), no ASCII punctuation,
/// single blanks. Throws Error(data) naming the file.
[[nodiscard]] std::unique_ptr<SiglipTokens> read_sentence_pieces(
    const std::filesystem::path& folder);

/// tokenizer.json of a SigLIP 2: Gemma's byte-pair vocabulary, of small letters, with bytes for
/// what it does not have. Throws Error(data) naming the file and the key.
[[nodiscard]] std::unique_ptr<SiglipTokens> read_gemma_pairs(const std::filesystem::path& folder);

/// What tokenizer_config.json beside a vocabulary says, with defaults where it is silent or absent.
struct SiglipMarks {
  std::string end;
  std::string padding;
  bool is_lower_case = true;
};

/// Throws Error(data) for texts padded in front of them, which SigLIP has not seen in training.
[[nodiscard]] SiglipMarks read_siglip_marks(const std::filesystem::path& folder,
                                            SiglipMarks missing);

}  // namespace petlab::clip
