// SigLIP 2's vocabulary: Gemma's byte pairs over whole texts, in the tokenizers library's file.
#include "added_tokens.hpp"
#include "byte_pairs.hpp"
#include "json_file.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/sha256.hpp"
#include "shown_text.hpp"
#include "siglip_tokens.hpp"
#include "unicode_text.hpp"

#include <algorithm>
#include <array>
#include <unordered_map>

namespace petlab::clip {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMaxTokenizerBytes = 100'000'000;

/// Replaces every blank by its sign; perhaps after lower case, which petlab does in any case, as
/// transformers' Siglip2Tokenizer.
void check_steps(const JsonObject& json) {
  const nlohmann::json replace{
      {"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", kBlank}};
  const nlohmann::json lower{{"type", "Lowercase"}};
  const nlohmann::json both{{"type", "Sequence"}, {"normalizers", {lower, replace}}};
  if (!json.given("normalizer") ||
      (json.at("normalizer") != replace && json.at("normalizer") != both))
    json.fail("normalizer", "is not that of a SigLIP 2, which puts U+2581 for blanks");
  if (json.given("pre_tokenizer")) {
    const JsonObject split = json.object("pre_tokenizer");
    // It splits at blanks, of which the normalizer has left none.
    if (split.text("type") != "Split" ||
        split.at("pattern") != nlohmann::json::object({{"String", " "}}))
      json.fail("pre_tokenizer", "is not that of a SigLIP 2, which splits at blanks");
  }
}

class GemmaPairs final : public SiglipTokens {
 public:
  explicit GemmaPairs(const fs::path& folder)
      : marks_(read_siglip_marks(folder, {.end = "<eos>", .padding = "<pad>"})),
        source_("tokenizer.json") {
    const JsonObject json = JsonObject::read(folder / source_, kMaxTokenizerBytes);
    check_steps(json);
    const JsonObject model = json.object("model");
    if (model.text("type") != "BPE")
      model.fail("type", "is '" + shown(model.text("type")) +
                             "', expected BPE, SigLIP 2's; beside a SigLIP's must be spiece.model");
    if (!model.boolean_or("byte_fallback", false))
      model.fail("byte_fallback", "is not true, as that of a SigLIP 2 is");
    for (const char* key :
         {"dropout", "ignore_merges", "continuing_subword_prefix", "end_of_word_suffix"})
      if (model.given(key) && model.at(key) != false && model.at(key) != 0 && model.at(key) != "")
        model.fail(key, "is set, which SigLIP 2's tokenizer does not have");
    read_tokens(model);
    read_added(json);
    read_merges(model);
    check_end(json);
    hash_ = sum_.finish_hex();
  }

  [[nodiscard]] std::vector<std::int64_t> encode(std::string_view text) const override {
    const std::string valid = valid_utf8(text);
    std::vector<std::int64_t> ids;
    for (const AddedTokens::Piece& written : raw_.split(valid)) {
      if (written.id >= 0) {
        ids.push_back(written.id);
        continue;
      }
      const std::string normal = normalised(written.text);
      for (const AddedTokens::Piece& piece : normalised_.split(normal)) {
        if (piece.id >= 0)
          ids.push_back(piece.id);
        else
          append(piece.text, ids);
      }
    }
    return ids;
  }

  [[nodiscard]] std::string decode(std::span<const std::int64_t> ids) const override {
    std::string bytes;
    for (const std::int64_t id : ids) {
      const std::string& token = tokens_.at(static_cast<std::size_t>(id));
      const auto byte = std::find(byte_ids_.begin(), byte_ids_.end(), id);
      if (byte != byte_ids_.end())
        bytes += static_cast<char>(byte - byte_ids_.begin());
      else
        bytes += token;
    }
    std::string text;
    for (std::string_view rest = bytes; !rest.empty();) {
      const bool is_blank = rest.starts_with(kBlank);
      text += is_blank ? ' ' : rest.front();
      rest.remove_prefix(is_blank ? kBlank.size() : 1);
    }
    return valid_utf8(text);
  }

  [[nodiscard]] std::int64_t size() const override {
    return static_cast<std::int64_t>(tokens_.size());
  }
  [[nodiscard]] std::int64_t end() const override { return end_; }
  [[nodiscard]] std::int64_t padding() const override { return padding_; }
  [[nodiscard]] const std::string& source() const override { return source_; }
  [[nodiscard]] const std::string& hash() const override { return hash_; }

 private:
  void read_tokens(const JsonObject& model) {
    const JsonObject vocabulary = model.object("vocab");
    tokens_.resize(vocabulary.items().size());
    std::vector<bool> is_known(tokens_.size(), false);
    for (const auto& [token, unused] : vocabulary.items().items()) {
      const auto id = static_cast<std::size_t>(
          vocabulary.integer(token, 0, static_cast<std::int64_t>(tokens_.size()) - 1));
      if (is_known[id]) vocabulary.fail(token, "has the id of another token");
      is_known[id] = true;
      tokens_[id] = token;
      ids_.emplace(token, static_cast<std::int32_t>(id));
    }
    for (const std::string& token : tokens_)
      sum_.update(token + "\n");
    for (std::size_t byte = 0; byte < byte_ids_.size(); ++byte) {
      constexpr std::string_view kDigits = "0123456789ABCDEF";
      const std::string name = {'<', '0', 'x', kDigits[byte / 16], kDigits[byte % 16], '>'};
      byte_ids_.at(byte) = known(vocabulary, name);
    }
  }

  void read_added(const JsonObject& json) {
    if (!json.given("added_tokens")) return;
    const nlohmann::json& list = json.at("added_tokens");
    if (!list.is_array()) json.fail("added_tokens", "is not a list");
    for (const nlohmann::json& one : list) {
      if (!one.is_object() || !one.contains("content") || !one["content"].is_string())
        json.fail("added_tokens", "holds an entry without content");
      const auto content = one["content"].get<std::string>();
      const auto found = ids_.find(content);
      const auto flag = [&](const char* name) {
        return one.contains(name) && one[name].is_boolean() && one[name].get<bool>();
      };
      if (found == ids_.end() || !one.contains("id") || one["id"] != found->second)
        json.fail("added_tokens", "holds '" + shown(content) +
                                      "', which the vocabulary has not, or with another id");
      if (flag("lstrip") || flag("rstrip"))
        json.fail("added_tokens", "holds '" + shown(content) +
                                      "', which takes the blanks beside it: petlab does not");
      const bool is_word = flag("single_word");
      if (flag("normalized"))
        normalised_.add(normalised(content), found->second, is_word);
      else
        raw_.add(content, found->second, is_word);
      sum_.update("added " + content + (is_word ? " word" : "") +
                  (flag("normalized") ? " normalised\n" : "\n"));
    }
  }

  void read_merges(const JsonObject& model) {
    const nlohmann::json& merges = model.at("merges");
    if (!merges.is_array()) model.fail("merges", "is not a list");
    std::size_t number = 0;
    for (const nlohmann::json& merge : merges) {
      ++number;
      const auto wrong = [&](const std::string& what) {
        model.fail("merges", "entry " + std::to_string(number) + ": " + what);
      };
      std::string left;
      std::string right;
      // Older files write "a b", newer ones ["a", "b"].
      if (merge.is_string()) {
        const auto& both = merge.get_ref<const std::string&>();
        left = both.substr(0, both.find(' '));
        right = both.substr(std::min(both.size(), left.size() + 1));
      } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() &&
                 merge[1].is_string()) {
        left = merge[0].get<std::string>();
        right = merge[1].get<std::string>();
      } else {
        wrong("expected two tokens");
      }
      const auto first = ids_.find(left);
      const auto second = ids_.find(right);
      const auto both = ids_.find(left + right);
      if (first == ids_.end() || second == ids_.end() || both == ids_.end())
        wrong("its tokens, or what they make, are not in the vocabulary");
      if (!pairs_.add(first->second, second->second, both->second)) wrong("stands there twice");
      sum_.update(std::to_string(first->second) + " " + std::to_string(second->second) + "\n");
    }
  }

  /// The file may say that an end token follows a text; it may not say more.
  void check_end(const JsonObject& json) {
    const JsonObject vocabulary = json.object("model").object("vocab");
    end_ = known(vocabulary, marks_.end);
    padding_ = known(vocabulary, marks_.padding);
    sum_.update("marks " + std::to_string(end_) + " " + std::to_string(padding_) + "\n");
    if (!json.given("post_processor")) return;
    const JsonObject post = json.object("post_processor");
    bool is_right =
        post.given("single") && post.at("single").is_array() && post.at("single").size() == 2;
    if (is_right) {
      const nlohmann::json& single = post.at("single");
      is_right = single[0].contains("Sequence") && single[1].contains("SpecialToken") &&
                 single[1]["SpecialToken"].contains("id") &&
                 single[1]["SpecialToken"]["id"] == marks_.end;
    }
    if (!is_right)
      json.fail("post_processor", "does not put '" + shown(marks_.end) +
                                      "', and that alone, behind a text, as SigLIP 2 does");
  }

  [[nodiscard]] std::int32_t known(const JsonObject& vocabulary, const std::string& token) const {
    const auto found = ids_.find(token);
    if (found == ids_.end()) vocabulary.fail(token, "is missing: SigLIP 2's vocabulary has it");
    return found->second;
  }

  [[nodiscard]] static std::string normalised(std::string_view text) {
    std::string result;
    for (const char c : lower_case(text)) {
      if (c == ' ')
        result += kBlank;
      else
        result += c;
    }
    return result;
  }

  void append(std::string_view text, std::vector<std::int64_t>& ids) const {
    std::vector<std::int32_t> symbols;
    while (!text.empty()) {
      std::size_t size = 1;
      while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U)
        ++size;
      const auto found = ids_.find(std::string(text.substr(0, size)));
      if (found != ids_.end()) {
        symbols.push_back(found->second);
      } else {
        for (const char c : text.substr(0, size))
          symbols.push_back(byte_ids_.at(static_cast<unsigned char>(c)));
      }
      text.remove_prefix(size);
    }
    for (const std::int32_t id : pairs_.merge(symbols))
      ids.push_back(id);
  }

  SiglipMarks marks_;
  std::string source_;
  std::vector<std::string> tokens_;
  std::unordered_map<std::string, std::int32_t> ids_;
  std::array<std::int32_t, 256> byte_ids_{};
  AddedTokens raw_;
  AddedTokens normalised_;
  BytePairs pairs_;
  std::int64_t end_ = 0;
  std::int64_t padding_ = 0;
  base::Sha256 sum_;
  std::string hash_;
};

}  // namespace

std::unique_ptr<SiglipTokens> read_gemma_pairs(const fs::path& folder) {
  return std::make_unique<GemmaPairs>(folder);
}

}  // namespace petlab::clip
