#include "vocabulary_builder.hpp"

#include "byte_alphabet.hpp"
#include "petlab/base/error.hpp"
#include "shown_text.hpp"

namespace petlab::clip {

using base::Error;
using base::ErrorKind;

namespace {

constexpr std::size_t kMaxAdded = 10'000;

/// Tokens of `added_tokens` that the vocabulary itself does not have.
std::vector<std::pair<std::string, nlohmann::json>> missing_tokens(const JsonObject& vocabulary,
                                                                   const nlohmann::json& added) {
  std::vector<std::pair<std::string, nlohmann::json>> result;
  const auto fail = [&](const std::string& what) {
    throw Error(ErrorKind::data, "'" + vocabulary.file().string() + "': added_tokens " + what);
  };
  if (!added.is_array() || added.size() > kMaxAdded) fail("is not a list of a few tokens");
  for (const nlohmann::json& one : added) {
    if (!one.is_object() || !one.contains("content") || !one["content"].is_string() ||
        !one.contains("id"))
      fail("holds an entry without content and id");
    const auto token = one["content"].get<std::string>();
    if (!vocabulary.contains(token))
      result.emplace_back(token, one["id"]);
    else if (vocabulary.at(token) != one["id"])
      fail("gives '" + shown(token) + "' another id than the vocabulary");
  }
  return result;
}

}  // namespace

void VocabularyBuilder::add_tokens(const JsonObject& vocabulary, const nlohmann::json& added) {
  const auto more = missing_tokens(vocabulary, added);
  const auto count = static_cast<std::int64_t>(vocabulary.items().size() + more.size());
  std::vector<bool> taken(static_cast<std::size_t>(count), false);
  files_.tokens.resize(static_cast<std::size_t>(count));
  const auto take = [&](const std::string& token, std::int64_t id) {
    if (taken[static_cast<std::size_t>(id)])
      vocabulary.fail(token, "has the id " + std::to_string(id) + ", which another token has, too");
    taken[static_cast<std::size_t>(id)] = true;
    files_.tokens[static_cast<std::size_t>(id)] = token;
    ids_[token] = static_cast<std::int32_t>(id);
  };
  for (const auto& [token, unused] : vocabulary.items().items())
    take(token, vocabulary.integer(token, 0, count - 1));
  for (const auto& [token, id] : more) {
    if (!id.is_number_unsigned() || id >= count)
      vocabulary.fail(token, "is an added token whose id is not below " + std::to_string(count));
    take(token, id.get<std::int64_t>());
  }
  for (const nlohmann::json& one : added)
    add_found(one);
  find_marks();
}

void VocabularyBuilder::add_found(const nlohmann::json& added) {
  const auto flag = [&](const char* name, bool missing) {
    return added.contains(name) && added[name].is_boolean() ? added[name].get<bool>() : missing;
  };
  const auto content = added["content"].get<std::string>();
  // The marks are found wherever they are written out.
  if (content == kStartToken || content == kEndToken) return;
  files_.added.push_back({.content = content,
                          .id = ids_.at(content),
                          .is_single_word = flag("single_word", false),
                          .is_normalised = flag("normalized", !flag("special", false))});
}

std::string VocabularyBuilder::add_token(const std::string& token) {
  const auto id = static_cast<std::int32_t>(files_.tokens.size());
  if (!ids_.emplace(token, id).second) return "the token '" + shown(token) + "' is there already";
  files_.tokens.push_back(token);
  return "";
}

std::string VocabularyBuilder::add_merge(std::string_view line) {
  const std::size_t space = line.find(' ');
  if (space == 0 || space == std::string_view::npos || space + 1 == line.size() ||
      line.find(' ', space + 1) != std::string_view::npos)
    return "expected two tokens with one space between";
  return add_merge(std::string(line.substr(0, space)), std::string(line.substr(space + 1)));
}

std::string VocabularyBuilder::add_merge(const std::string& left, const std::string& right) {
  for (const std::string& token : {left, right, left + right})
    if (!ids_.contains(token))
      return "the token '" + shown(token) + "' is not in " +
             (file_.extension() == ".json" ? file_.filename().string() : "the vocabulary");
  const VocabularyFiles::Merge merge{ids_.at(left), ids_.at(right), ids_.at(left + right)};
  const std::uint64_t pair = static_cast<std::uint64_t>(static_cast<std::uint32_t>(merge.left))
                                 << 32 |
                             static_cast<std::uint32_t>(merge.right);
  if (!pairs_.insert(pair).second)
    return "the merge '" + shown(left) + " " + shown(right) + "' is there already";
  files_.merges.push_back(merge);
  return "";
}

std::int32_t VocabularyBuilder::id_of(const std::string& token) const {
  const auto found = ids_.find(token);
  if (found == ids_.end())
    throw Error(ErrorKind::data, "'" + file_.string() + "' has no token '" + token + "'");
  return found->second;
}

void VocabularyBuilder::find_marks() {
  for (unsigned byte = 0; byte < 256; ++byte) {
    const std::string& symbol = byte_alphabet().symbol(static_cast<unsigned char>(byte));
    files_.inner[byte] = id_of(symbol);
    files_.last[byte] = id_of(symbol + std::string(kEndOfWord));
  }
  files_.start = id_of(std::string(kStartToken));
  files_.end = id_of(std::string(kEndToken));
}

VocabularyFiles VocabularyBuilder::finish() {
  find_marks();
  return std::move(files_);
}

}  // namespace petlab::clip
