#include "vocabulary_files.hpp"

#include "byte_alphabet.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/lfs_pointer.hpp"
#include "petlab/base/read_file.hpp"
#include "shown_text.hpp"
#include "vocabulary_builder.hpp"

#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <memory>
#include <system_error>

namespace petlab::clip {

namespace fs = std::filesystem;

using base::Error;
using base::ErrorKind;

namespace {

constexpr std::size_t kMaxVocabularyBytes = 100'000'000;
constexpr std::size_t kMaxMergesBytes = 50'000'000;
constexpr const char* kBpeFile = "bpe_simple_vocab_16e6.txt.gz";

/// Calls `take` with every line and its number, from 1. Ends of lines may be those of Windows.
void each_line(std::string_view text,
               const std::function<void(std::string_view, std::size_t)>& take) {
  std::size_t number = 0;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    take(line, ++number);
  }
}

/// The tokens that were added to a vocabulary beside its files, as tokenizer.json lists them.
nlohmann::json added_beside(const fs::path& folder) {
  std::error_code ignored;
  nlohmann::json result = nlohmann::json::array();
  if (const fs::path joint = folder / "tokenizer.json"; fs::exists(joint, ignored)) {
    const JsonObject json = JsonObject::read(joint, kMaxVocabularyBytes);
    return json.given("added_tokens") ? json.at("added_tokens") : result;
  }
  const auto number = [](const JsonObject& json, const std::string& id) {
    std::int64_t value = -1;
    const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), value);
    if (error != std::errc() || end != id.data() + id.size()) json.fail(id, "is no token's id");
    return value;
  };
  if (const fs::path file = folder / "tokenizer_config.json"; fs::exists(file, ignored)) {
    const JsonObject json = JsonObject::read(file);
    if (json.given("added_tokens_decoder")) {
      const JsonObject tokens = json.object("added_tokens_decoder");
      for (const auto& [id, token] : tokens.items().items()) {
        if (!token.is_object()) tokens.fail(id, "is not an object");
        result.push_back(token);
        result.back()["id"] = number(tokens, id);
      }
      return result;
    }
  }
  if (const fs::path file = folder / "added_tokens.json"; fs::exists(file, ignored)) {
    const JsonObject json = JsonObject::read(file);
    for (const auto& [content, id] : json.items().items())
      result.push_back({{"content", content}, {"id", id}});
  }
  return result;
}

/// The text of a vocabulary file. Throws for what Git LFS leaves in the place of one.
std::string read_text(const fs::path& file) {
  std::string text = base::read_text_file(file, kMaxMergesBytes);
  if (base::is_lfs_pointer(text)) refuse_file(file, base::kLfsPointer + 1);
  return text;
}

VocabularyFiles read_pair(const fs::path& vocabulary, const fs::path& merges) {
  VocabularyBuilder builder(vocabulary);
  builder.add_tokens(JsonObject::read(vocabulary, kMaxVocabularyBytes),
                     added_beside(vocabulary.parent_path()));
  const std::string text = read_text(merges);
  each_line(text, [&](std::string_view line, std::size_t number) {
    if (line.empty() || (number == 1 && line.starts_with("#version"))) return;
    if (const std::string wrong = builder.add_merge(line); !wrong.empty())
      throw Error(ErrorKind::data,
                  "'" + merges.string() + "', line " + std::to_string(number) + ": " + wrong);
  });
  VocabularyFiles files = builder.finish();
  files.source = "vocab.json, merges.txt";
  return files;
}

std::string inflate(const fs::path& file) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> in(::gzopen(file.c_str(), "rb"), ::gzclose);
  if (!in) refuse_file(file, "cannot be read");
  std::string text;
  std::string piece(1 << 16, '\0');
  while (true) {
    const int got = ::gzread(in.get(), piece.data(), static_cast<unsigned>(piece.size()));
    if (got < 0) refuse_file(file, "is no sound gzip file");
    if (got == 0) break;
    text.append(piece, 0, static_cast<std::size_t>(got));
    if (text.size() > kMaxMergesBytes) refuse_file(file, "has more than 50 MB of text");
    if (base::is_lfs_pointer(text))
      refuse_file(file, base::kLfsPointer + 1);  // zlib takes plain text
  }
  int code = Z_OK;
  ::gzerror(in.get(), &code);
  if (code != Z_OK && code != Z_STREAM_END) refuse_file(file, "is no sound gzip file");
  return text;
}

/// The steps of tokenizer.json that come before the model; petlab's are CLIP's.
void check_pipeline(const JsonObject& json) {
  constexpr std::string_view kSplit =
      R"('s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+)";
  // A search in the printed section is enough: the question is whether it is CLIP's or another's.
  const std::string normalizer = json.given("normalizer") ? json.at("normalizer").dump() : "";
  const std::string splitter = json.given("pre_tokenizer") ? json.at("pre_tokenizer").dump() : "";
  if (normalizer.find("\"NFC\"") == std::string::npos ||
      normalizer.find("\"Lowercase\"") == std::string::npos)
    json.fail("normalizer", "is not CLIP's, which composes (NFC) and lowers");
  if (splitter.find(nlohmann::json(kSplit).dump().substr(1)) == std::string::npos)
    json.fail("pre_tokenizer", "does not split words as CLIP does");
}

}  // namespace

VocabularyFiles parse_tokenizer_json(const JsonObject& json) {
  check_pipeline(json);
  const JsonObject model = json.object("model");
  if (model.given("type") && model.text("type") != "BPE")
    model.fail("type", "is '" + shown(model.text("type")) + "', expected BPE");
  if (!model.given("end_of_word_suffix") || model.text("end_of_word_suffix") != kEndOfWord)
    model.fail("end_of_word_suffix", "is not </w>, CLIP's");
  for (const char* key : {"dropout", "byte_fallback", "ignore_merges", "fuse_unk"})
    if (model.given(key) && model.at(key) != false && model.at(key) != 0)
      model.fail(key, "is set, which CLIP's tokenizer does not have");
  if (model.given("continuing_subword_prefix") && !model.text("continuing_subword_prefix").empty())
    model.fail("continuing_subword_prefix", "is set, which CLIP's tokenizer does not have");

  VocabularyBuilder builder(json.file());
  nlohmann::json extra = nlohmann::json::array();
  if (json.given("added_tokens")) extra = json.at("added_tokens");
  builder.add_tokens(model.object("vocab"), extra);
  const nlohmann::json& merges = model.at("merges");
  if (!merges.is_array()) model.fail("merges", "is not a list");
  std::size_t number = 0;
  for (const nlohmann::json& merge : merges) {
    ++number;
    std::string wrong;
    // Older files write "a b", newer ones ["a", "b"].
    if (merge.is_string())
      wrong = builder.add_merge(merge.get_ref<const std::string&>());
    else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string())
      wrong = builder.add_merge(merge[0].get<std::string>(), merge[1].get<std::string>());
    else
      wrong = "expected two tokens";
    if (!wrong.empty()) model.fail("merges", "entry " + std::to_string(number) + ": " + wrong);
  }
  VocabularyFiles files = builder.finish();
  files.source = "tokenizer.json";
  return files;
}

VocabularyFiles parse_bpe_text(std::string_view text, std::int64_t vocab_size,
                               const fs::path& file) {
  constexpr std::int64_t kFixed = 2 * 256 + 2;  // bytes, bytes that end a word, two marks
  if (vocab_size < kFixed)
    refuse_file(file, "has at least " + std::to_string(kFixed) +
                          " tokens, but the model's vocabulary has " + std::to_string(vocab_size));
  const auto wanted = static_cast<std::size_t>(vocab_size - kFixed);
  std::vector<std::string_view> lines;
  each_line(text, [&](std::string_view line, std::size_t number) {
    if (number > 1 && lines.size() < wanted) lines.push_back(line);  // the first is a version
  });
  if (lines.size() < wanted)
    refuse_file(file, "has " + std::to_string(lines.size()) + " merges, but a vocabulary of " +
                          std::to_string(vocab_size) + " tokens needs " + std::to_string(wanted));

  VocabularyBuilder builder(file);
  for (const bool ends_word : {false, true})
    for (const unsigned char byte : byte_alphabet().order())
      builder.add_token(byte_alphabet().symbol(byte) + std::string(ends_word ? kEndOfWord : ""));
  std::size_t number = 1;
  const auto check = [&](const std::string& wrong) {
    if (!wrong.empty())
      throw Error(ErrorKind::data,
                  "'" + file.string() + "', line " + std::to_string(number) + ": " + wrong);
  };
  for (const std::string_view line : lines) {
    ++number;
    std::string merged(line);
    merged.erase(std::remove(merged.begin(), merged.end(), ' '), merged.end());
    check(builder.add_token(merged));
    check(builder.add_merge(line));
  }
  builder.add_token(std::string(kStartToken));
  builder.add_token(std::string(kEndToken));
  VocabularyFiles files = builder.finish();
  files.source = file.filename().string();
  return files;
}

VocabularyFiles read_vocabulary_files(const fs::path& folder, std::int64_t vocab_size) {
  const fs::path vocabulary = folder / "vocab.json";
  const fs::path merges = folder / "merges.txt";
  const fs::path joint = folder / "tokenizer.json";
  const fs::path bpe = folder / kBpeFile;
  const auto is_there = [](const fs::path& file) {
    std::error_code error;
    return fs::exists(file, error);
  };
  if (is_there(vocabulary) && is_there(merges)) return read_pair(vocabulary, merges);
  if (is_there(joint)) return parse_tokenizer_json(JsonObject::read(joint, kMaxVocabularyBytes));
  if (is_there(bpe)) return parse_bpe_text(inflate(bpe), vocab_size, bpe);
  const std::string half = is_there(vocabulary) ? "vocab.json without merges.txt"
                           : is_there(merges)   ? "merges.txt without vocab.json"
                                                : "no vocabulary";
  throw Error(ErrorKind::data, "the folder '" + folder.string() + "' holds " + half +
                                   ": expected vocab.json and merges.txt, or tokenizer.json, or " +
                                   kBpeFile);
}

}  // namespace petlab::clip
