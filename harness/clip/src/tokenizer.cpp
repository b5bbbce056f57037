#include "petlab/clip/tokenizer.hpp"

#include "byte_alphabet.hpp"
#include "byte_pairs.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/sha256.hpp"
#include "siglip_tokens.hpp"
#include "unicode_text.hpp"
#include "vocabulary_files.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

namespace petlab::clip {

using base::Error;
using base::ErrorKind;

namespace {

constexpr std::size_t kMaxCachedWords = 1 << 16;
constexpr std::size_t kMaxCachedLength = 64;  // bytes of a word worth remembering

}  // namespace

struct Tokenizer::Impl {
  std::vector<std::string> tokens;        // by id
  std::array<std::int32_t, 256> inner{};  // id of a byte inside of a word
  std::array<std::int32_t, 256> last{};   // id of a byte at the end of a word
  BytePairs pairs;
  std::int32_t start = 0;
  std::int32_t end = 0;
  AddedTokens raw;         // looked for in the text as it is written
  AddedTokens normalised;  // and in what normalise_text() makes of it
  std::string source;
  std::string hash;
  std::unique_ptr<SiglipTokens> siglip;  // where it is there, nothing of the others counts

  mutable std::shared_mutex mutex;
  mutable std::unordered_map<std::string, std::vector<std::int32_t>> cache;

  [[nodiscard]] std::vector<std::int32_t> encode_word(const std::string& word) const {
    {
      const std::shared_lock lock(mutex);
      if (const auto found = cache.find(word); found != cache.end()) return found->second;
    }
    std::vector<std::int32_t> symbols;
    symbols.reserve(word.size());
    for (std::size_t i = 0; i < word.size(); ++i) {
      const auto byte = static_cast<unsigned char>(word[i]);
      symbols.push_back(i + 1 < word.size() ? inner[byte] : last[byte]);
    }
    std::vector<std::int32_t> ids = pairs.merge(symbols);
    if (word.size() <= kMaxCachedLength) {
      const std::unique_lock lock(mutex);
      if (cache.size() < kMaxCachedWords) cache.emplace(word, ids);
    }
    return ids;
  }
};

Tokenizer::Tokenizer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

Tokenizer Tokenizer::load(const std::filesystem::path& model_dir, std::int64_t vocab_size) {
  VocabularyFiles files = read_vocabulary_files(model_dir, vocab_size);
  auto impl = std::make_unique<Impl>();
  base::Sha256 hash;
  for (const std::string& token : files.tokens)
    hash.update(token + "\n");
  for (const VocabularyFiles::Merge& merge : files.merges) {
    impl->pairs.add(merge.left, merge.right, merge.merged);
    hash.update(std::to_string(merge.left) + " " + std::to_string(merge.right) + "\n");
  }
  // The two marks may be written out in a text, and then stand for themselves.
  impl->raw.add(std::string(kStartToken), files.start, /*is_single_word=*/false);
  impl->raw.add(std::string(kEndToken), files.end, /*is_single_word=*/false);
  for (const AddedToken& token : files.added) {
    hash.update("added " + token.content + (token.is_single_word ? " word" : "") +
                (token.is_normalised ? " normalised\n" : "\n"));
    if (token.is_normalised)
      impl->normalised.add(with_single_blanks(normalise_text(token.content)), token.id,
                           token.is_single_word);
    else
      impl->raw.add(token.content, token.id, token.is_single_word);
  }
  impl->tokens = std::move(files.tokens);
  impl->inner = files.inner;
  impl->last = files.last;
  impl->start = files.start;
  impl->end = files.end;
  impl->source = std::move(files.source);
  impl->hash = hash.finish_hex();
  return Tokenizer(std::move(impl));
}

Tokenizer Tokenizer::load_siglip(const std::filesystem::path& model_dir) {
  std::error_code ignored;
  const bool has_pieces = std::filesystem::exists(model_dir / "spiece.model", ignored);
  if (!has_pieces && !std::filesystem::exists(model_dir / "tokenizer.json", ignored))
    throw Error(ErrorKind::data, "the folder '" + model_dir.string() +
                                     "' holds no vocabulary of a SigLIP: expected spiece.model, or "
                                     "tokenizer.json of a SigLIP 2");
  auto impl = std::make_unique<Impl>();
  impl->siglip = has_pieces ? read_sentence_pieces(model_dir) : read_gemma_pairs(model_dir);
  return Tokenizer(std::move(impl));
}

std::vector<std::int64_t> Tokenizer::encode(std::string_view text) const {
  if (impl_->siglip) return impl_->siglip->encode(text);
  std::vector<std::int64_t> ids;
  for (const AddedTokens::Piece& written : impl_->raw.split(text)) {
    if (written.id >= 0) {
      ids.push_back(written.id);
      continue;
    }
    std::string normalised = normalise_text(written.text);
    if (!impl_->normalised.is_empty()) normalised = with_single_blanks(normalised);
    for (const AddedTokens::Piece& piece : impl_->normalised.split(normalised)) {
      if (piece.id >= 0) {
        ids.push_back(piece.id);
        continue;
      }
      for (const std::string& word : split_words(piece.text))
        for (const std::int32_t id : impl_->encode_word(word))
          ids.push_back(id);
    }
  }
  return ids;
}

TokenBatch Tokenizer::encode_batch(std::span<const std::string> texts, std::int64_t context_length,
                                   std::int64_t* truncated) const {
  if (context_length < 2)
    throw Error(ErrorKind::internal, "a context of " + std::to_string(context_length) +
                                         " tokens does not hold a start and an end token");
  std::vector<std::vector<std::int64_t>> rows;
  rows.reserve(texts.size());
  std::size_t longest = 0;
  for (const std::string& text : texts) {
    std::vector<std::int64_t> row = encode(text);
    if (has_start_token()) row.insert(row.begin(), impl_->start);
    const auto room = static_cast<std::size_t>(context_length - 1);
    if (row.size() > room) {
      row.resize(room);
      if (truncated != nullptr) ++*truncated;
    }
    row.push_back(end_token());
    longest = std::max(longest, row.size());
    rows.push_back(std::move(row));
  }
  const auto count = static_cast<std::int64_t>(rows.size());
  // Of CLIP padding is the end token, as in transformers; behind the first one nothing is looked
  // at.
  TokenBatch batch{
      at::full({count, static_cast<std::int64_t>(longest)}, padding_token(), at::kLong),
      at::zeros({count}, at::kLong)};
  auto* ids = batch.ids.mutable_data_ptr<std::int64_t>();
  auto* eot = batch.eot.mutable_data_ptr<std::int64_t>();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::copy(rows[i].begin(), rows[i].end(), ids + i * longest);
    eot[i] = impl_->siglip
                 ? static_cast<std::int64_t>(rows[i].size()) - 1
                 : std::find(rows[i].begin(), rows[i].end(), impl_->end) - rows[i].begin();
  }
  return batch;
}

std::string Tokenizer::decode(std::span<const std::int64_t> ids) const {
  for (const std::int64_t id : ids)
    if (id < 0 || id >= vocab_size())
      throw Error(ErrorKind::internal, "there is no token with the id " + std::to_string(id));
  if (impl_->siglip) return impl_->siglip->decode(ids);
  std::string text;
  for (const std::int64_t id : ids) {
    std::string_view token = impl_->tokens[static_cast<std::size_t>(id)];
    const bool ends_word = token.ends_with(kEndOfWord);
    if (ends_word) token.remove_suffix(kEndOfWord.size());
    text += byte_alphabet().to_bytes(token);
    if (ends_word) text += ' ';
  }
  return std::string(trimmed(valid_utf8(text)));
}

std::int64_t Tokenizer::vocab_size() const {
  return impl_->siglip ? impl_->siglip->size() : static_cast<std::int64_t>(impl_->tokens.size());
}
std::int64_t Tokenizer::start_token() const {
  return impl_->siglip ? -1 : impl_->start;
}
std::int64_t Tokenizer::end_token() const {
  return impl_->siglip ? impl_->siglip->end() : impl_->end;
}
std::int64_t Tokenizer::padding_token() const {
  return impl_->siglip ? impl_->siglip->padding() : impl_->end;
}
const std::string& Tokenizer::source() const {
  return impl_->siglip ? impl_->siglip->source() : impl_->source;
}
const std::string& Tokenizer::hash() const {
  return impl_->siglip ? impl_->siglip->hash() : impl_->hash;
}

}  // namespace petlab::clip
