// SigLIP's first vocabulary: SentencePiece's own library reads and applies spiece.model.
#include "json_file.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/lfs_pointer.hpp"
#include "petlab/base/read_file.hpp"
#include "petlab/base/sha256.hpp"
#include "shown_text.hpp"
#include "siglip_tokens.hpp"
#include "unicode_text.hpp"

#include <sentencepiece_processor.h>

#include <system_error>

namespace petlab::clip {

namespace fs = std::filesystem;

using base::Error;
using base::ErrorKind;

namespace {

constexpr std::size_t kMaxModelBytes = 100'000'000;
constexpr std::string_view kFile = "spiece.model";
// A text is encoded behind this and its pieces are dropped, as transformers does: so the blank in
// front of the first word is neither stripped nor added twice.
constexpr std::string_view kInFront = "<unk>";

bool is_punctuation(char c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
         (c >= '{' && c <= '~');
}

class SentencePieces final : public SiglipTokens {
 public:
  explicit SentencePieces(const fs::path& folder)
      : marks_(read_siglip_marks(folder, {.end = "</s>", .padding = "</s>"})), source_(kFile) {
    const fs::path file = folder / kFile;
    const std::string bytes = base::read_text_file(file, kMaxModelBytes);
    if (base::is_lfs_pointer(bytes)) refuse_file(file, base::kLfsPointer + 1);
    if (const auto status = pieces_.LoadFromSerializedProto(bytes); !status.ok())
      refuse_file(file, "is no vocabulary of SentencePiece: " + shown(status.ToString()));
    if (pieces_.GetPieceSize() < 1) refuse_file(file, "holds no pieces");
    end_ = id_of(file, marks_.end);
    padding_ = id_of(file, marks_.padding);
    n_in_front_ = ids_of(std::string(kInFront)).size();
    base::Sha256 hash;
    hash.update(bytes);
    hash.update(marks_.end + "\n" + marks_.padding + (marks_.is_lower_case ? "\nlower" : "\n"));
    hash_ = hash.finish_hex();
  }

  [[nodiscard]] std::vector<std::int64_t> encode(std::string_view text) const override {
    std::string blanks = std::string(kBlank);
    const std::string valid = valid_utf8(text);
    for (std::size_t at = 0; at < valid.size();) {
      const bool is_blank = std::string_view(valid).substr(at).starts_with(kBlank);
      blanks += is_blank ? ' ' : valid[at];
      at += is_blank ? kBlank.size() : 1;
    }
    const std::vector<std::int64_t> ids = ids_of(std::string(kInFront) + cleaned(blanks));
    if (ids.size() < n_in_front_) return ids;
    return {ids.begin() + static_cast<std::ptrdiff_t>(n_in_front_), ids.end()};
  }

  [[nodiscard]] std::string decode(std::span<const std::int64_t> ids) const override {
    std::string text;
    pieces_.Decode(std::vector<int>(ids.begin(), ids.end()), &text);
    return text;
  }

  [[nodiscard]] std::int64_t size() const override { return pieces_.GetPieceSize(); }
  [[nodiscard]] std::int64_t end() const override { return end_; }
  [[nodiscard]] std::int64_t padding() const override { return padding_; }
  [[nodiscard]] const std::string& source() const override { return source_; }
  [[nodiscard]] const std::string& hash() const override { return hash_; }

 private:
  [[nodiscard]] std::int64_t id_of(const fs::path& file, const std::string& mark) const {
    const int id = pieces_.PieceToId(mark);
    if (id < 0 || pieces_.IdToPiece(id) != mark)
      refuse_file(file, "lacks the piece '" + shown(mark) + "', which ends or pads texts");
    return id;
  }

  [[nodiscard]] std::vector<std::int64_t> ids_of(const std::string& text) const {
    std::vector<int> ids;
    if (const auto status = pieces_.Encode(text, &ids); !status.ok())
      throw Error(ErrorKind::internal, "SentencePiece: " + status.ToString());
    return {ids.begin(), ids.end()};
  }

  /// canonicalize_text() of SiglipTokenizer.
  [[nodiscard]] std::string cleaned(const std::string& text) const {
    std::string kept;
    for (const char c : marks_.is_lower_case ? lower_case_words(text) : text)
      if (!is_punctuation(c)) kept += c;
    return std::string(trimmed(with_plain_blanks(kept)));
  }

  SiglipMarks marks_;
  std::string source_;
  sentencepiece::SentencePieceProcessor pieces_;
  std::int64_t end_ = 0;
  std::int64_t padding_ = 0;
  std::size_t n_in_front_ = 0;
  std::string hash_;
};

}  // namespace

std::unique_ptr<SiglipTokens> read_sentence_pieces(const fs::path& folder) {
  return std::make_unique<SentencePieces>(folder);
}

SiglipMarks read_siglip_marks(const fs::path& folder, SiglipMarks marks) {
  const fs::path file = folder / "tokenizer_config.json";
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return marks;
  const JsonObject json = JsonObject::read(file);
  const auto mark = [&](const char* key, std::string& value) {
    if (!json.given(key)) return;
    value = json.at(key).is_object() ? json.object(key).text("content") : json.text(key);
  };
  mark("eos_token", marks.end);
  mark("pad_token", marks.padding);
  marks.is_lower_case = json.boolean_or("do_lower_case", marks.is_lower_case);
  if (json.given("padding_side") && json.text("padding_side") != "right")
    json.fail("padding_side", "is '" + shown(json.text("padding_side")) +
                                  "', expected 'right': SigLIP was trained with its padding "
                                  "behind the texts");
  return marks;
}

}  // namespace petlab::clip
