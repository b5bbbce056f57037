// The tokenizer against transformers' CLIPTokenizer: with CLIP's real vocabulary on every kind of
// text, and with a small one that petlab has trained.
#include "petlab/clip/tokenizer.hpp"
#include "reference.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>

namespace petlab::clip {
namespace {

namespace fs = std::filesystem;
using Ids = std::vector<std::int64_t>;

/// The files that tokenizer_reference.py writes.
class Records {
 public:
  explicit Records(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(in), {});
  }

  [[nodiscard]] bool done() const { return at_ == bytes_.size(); }

  /// A record's elements, each of `width` bytes.
  std::string_view next(std::size_t width) {
    std::uint32_t count = 0;
    std::memcpy(&count, bytes_.data() + at_, sizeof(count));
    const std::string_view record(bytes_.data() + at_ + sizeof(count), count * width);
    at_ += sizeof(count) + record.size();
    if (at_ > bytes_.size()) throw std::runtime_error("a file of the reference is cut short");
    return record;
  }

  Ids next_ids() {
    const std::string_view record = next(sizeof(std::uint16_t));
    Ids ids;
    for (std::size_t i = 0; i < record.size(); i += sizeof(std::uint16_t)) {
      std::uint16_t id = 0;
      std::memcpy(&id, record.data() + i, sizeof(id));
      ids.push_back(id);
    }
    return ids;
  }

 private:
  std::string bytes_;
  std::size_t at_ = 0;
};

/// Bytes as a JSON text in ASCII; what is no UTF-8 shows as U+FFFD.
std::string shown(std::string_view text) {
  constexpr std::size_t kLongest = 200;
  return nlohmann::json(text.substr(0, kLongest))
      .dump(-1, ' ', /*ensure_ascii=*/true, nlohmann::json::error_handler_t::replace);
}

/// Compares all strings of `folder` and says how many there were of each kind. At most this many
/// differences of a kind are shown.
std::size_t compare(const Tokenizer& tokenizer, const fs::path& folder) {
  constexpr std::size_t kShown = 3;
  const auto about = nlohmann::json::parse(std::ifstream(folder / "kinds.json"));
  EXPECT_EQ(tokenizer.vocab_size(), about.at("vocabulary").get<std::int64_t>());
  const auto context = about.at("context").get<std::int64_t>();
  Records strings(folder / "strings.bin");
  Records ids(folder / "ids.bin");
  Records texts(folder / "texts.bin");
  Records cut(folder / "cut.bin");
  std::size_t total = 0;
  for (const auto& kind : about.at("kinds")) {
    const auto name = kind.at(0).get<std::string>();
    const auto count = kind.at(1).get<std::size_t>();
    std::size_t wrong = 0;
    std::size_t wrong_texts = 0;
    std::vector<std::string> first;
    std::int64_t too_long = 0;
    constexpr std::size_t kCutStrings = 100;  // of each kind, as in tokenizer_reference.py
    for (std::size_t i = 0; i < count; ++i) {
      const std::string_view text = strings.next(1);
      const Ids expected = ids.next_ids();
      const Ids ours = tokenizer.encode(text);
      if (ours != expected && ++wrong <= kShown)
        ADD_FAILURE() << name << ", string " << i << " " << shown(text) << "\n  gives    "
                      << nlohmann::json(ours).dump() << "\n  expected "
                      << nlohmann::json(expected).dump();
      const std::string_view again = texts.next(1);
      if (tokenizer.decode(expected) != again && ++wrong_texts <= kShown)
        ADD_FAILURE() << name << ": ids of string " << i << " decode to\n  "
                      << shown(tokenizer.decode(expected)) << "\n  expected " << shown(again);
      if (i >= kCutStrings) continue;
      first.emplace_back(text);
      if (static_cast<std::int64_t>(expected.size()) + 2 > context) ++too_long;
    }
    EXPECT_EQ(wrong, 0U) << name;
    EXPECT_EQ(wrong_texts, 0U) << name;
    total += count;

    std::int64_t truncated = 0;
    const TokenBatch batch = tokenizer.encode_batch(first, context, &truncated);
    EXPECT_EQ(truncated, too_long) << name;
    // petlab pads to the longest text of the batch, the reference to the context.
    const at::Tensor padding = at::full({batch.ids.size(0), context - batch.ids.size(1)},
                                        tokenizer.end_token(), at::kLong);
    const at::Tensor padded = at::cat({batch.ids, padding}, 1);
    for (std::int64_t i = 0; i < padded.size(0); ++i)
      EXPECT_TRUE(at::equal(padded[i], at::tensor(cut.next_ids(), at::kLong)))
          << name << ", string " << i << ", cut to " << context;
    std::cout << "  " << name << ": " << count << " strings, " << wrong << " differ";
    if (kind.size() > 2)
      std::cout << "; OpenAI's code reads " << kind.at(2) << " of the first 300 otherwise";
    std::cout << "\n";
  }
  EXPECT_TRUE(strings.done() && ids.done() && texts.done() && cut.done());
  return total;
}

TEST(TokenizerParity, EveryStringHasTheIdsOfTheReferenceWithTheRealVocabulary) {
  const auto folder = parity::fresh_folder("tokenizer-real");
  parity::run_reference("tokenizer_reference.py", {folder.string(), folder.string()});
  const Tokenizer tokenizer = Tokenizer::load(folder);
  EXPECT_EQ(tokenizer.vocab_size(), 49408);
  EXPECT_EQ(tokenizer.start_token(), 49406);
  EXPECT_EQ(tokenizer.end_token(), 49407);
  const std::size_t count = compare(tokenizer, folder);
  EXPECT_GE(count, 100'000U);
  std::cout << "  " << count << " strings in all\n";
  fs::remove_all(folder);
}

TEST(TokenizerParity, ATrainedVocabularyGivesTheIdsOfTheReference) {
  const auto folder = parity::fresh_folder("tokenizer-trained");
  // Words that the test strings hold, and others, so that some merges apply and some do not.
  std::vector<std::pair<std::string, std::int64_t>> texts;
  std::int64_t count = 1;
  for (const char* text :
       {"a photo of the dog, an alarm clock and a bike", "calculators, bottles, batteries",
        "it's don't we'll they've I'm you'd", "café naïve Ångström ÜBER straße", "Привет мир",
        "東京 こんにちは 안녕하세요 नमस्ते", "👩‍👩‍👧‍👦 🇯🇵 ❤️ 🙂",
        "&amp; &lt;p&gt; 12345 3.14 C++"})
    texts.emplace_back(text, count++);
  train_tokenizer(texts, /*vocab_size=*/670, /*context_length=*/77, folder);
  parity::run_reference("tokenizer_reference.py", {folder.string(), folder.string(), "--small"});
  EXPECT_GE(compare(Tokenizer::load(folder), folder), 5'000U);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace petlab::clip
