#include "petlab/clip/tokenizer.hpp"

#include "model_fixture.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <sstream>
#include <thread>

namespace petlab::clip {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

using Ids = std::vector<std::int64_t>;

TEST(Tokenizer, MarksAreTheLastTokens) {
  const Tokenizer tokenizer = Tokenizer::load(test::tokenizer_folder());
  EXPECT_EQ(tokenizer.vocab_size(), 560);
  EXPECT_EQ(tokenizer.start_token(), 558);
  EXPECT_EQ(tokenizer.end_token(), 559);
}

TEST(Tokenizer, EdgeCases) {
  const Tokenizer tokenizer = Tokenizer::load(test::tokenizer_folder());
  EXPECT_EQ(tokenizer.encode(""), Ids{});
  EXPECT_EQ(tokenizer.encode(" \n\t"), Ids{});
  EXPECT_EQ(tokenizer.encode("A  PHOTO\nof"), tokenizer.encode("a photo of"));
  EXPECT_EQ(tokenizer.encode("a<|endoftext|>"), (Ids{tokenizer.encode("a")[0], 559}));
  EXPECT_EQ(tokenizer.encode("<|startoftext|>").size(), 1U);
  EXPECT_GT(tokenizer.encode("<|ENDOFTEXT|>").size(), 1U);
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("A photo of a DOG, isn't it?")),
            "a photo of a dog , isn 't it ?");
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("日本 🙂 é")), "日本 🙂 é");
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("\xFF")), "\uFFFD");
  // The words of a very long text are found in time that does not grow with its square.
  EXPECT_GT(tokenizer.encode(std::string(200'000, 'q')).size(), 1'000U);
  EXPECT_THAT(test::error_of([&] { (void)tokenizer.decode(Ids{560}); }),
              HasSubstr("no token with the id 560"));
}

TEST(Tokenizer, BatchesAreCutBehindTheLongestText) {
  const Tokenizer tokenizer = Tokenizer::load(test::tokenizer_folder());
  const std::vector<std::string> texts{"a bed", "", "a photo of a dog."};
  const TokenBatch batch = tokenizer.encode_batch(texts, 20);
  const auto longest = static_cast<std::int64_t>(tokenizer.encode(texts[2]).size()) + 2;
  EXPECT_EQ(batch.ids.size(1), longest);
  for (std::int64_t row = 0; row < 3; ++row) {
    const auto ids = tokenizer.encode(texts[static_cast<std::size_t>(row)]);
    const auto end = static_cast<std::int64_t>(ids.size()) + 1;
    EXPECT_EQ(batch.ids[row][0].item<std::int64_t>(), 558);
    EXPECT_EQ(batch.eot[row].item<std::int64_t>(), end);
    for (std::int64_t place = end; place < longest; ++place)
      EXPECT_EQ(batch.ids[row][place].item<std::int64_t>(), 559);
  }
  EXPECT_EQ(tokenizer.encode_batch({}, 20).ids.size(0), 0);
}

TEST(Tokenizer, LongTextsKeepTheirEnd) {
  const Tokenizer tokenizer = Tokenizer::load(test::tokenizer_folder());
  const std::vector<std::string> texts{"a", "a photo of a dog and a photo of a dog"};
  std::int64_t truncated = 0;
  const TokenBatch batch = tokenizer.encode_batch(texts, 6, &truncated);
  EXPECT_EQ(truncated, 1);
  EXPECT_EQ(batch.ids.size(1), 6);
  EXPECT_EQ(batch.eot[1].item<std::int64_t>(), 5);
  const auto ids = tokenizer.encode(texts[1]);
  for (std::int64_t i = 0; i < 4; ++i)
    EXPECT_EQ(batch.ids[1][i + 1].item<std::int64_t>(), ids[static_cast<std::size_t>(i)]);
}

TEST(Tokenizer, ThreadsMayShareIt) {
  const Tokenizer tokenizer = Tokenizer::load(test::tokenizer_folder());
  const Ids expected = tokenizer.encode("a photo of an alarm clock 123");
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        (void)tokenizer.encode("word" + std::string(static_cast<std::size_t>(i + t), 'x'));
        if (tokenizer.encode("a photo of an alarm clock 123") != expected) ++wrong;
      }
    });
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(TokenizerTrainer, IsDeterministicAndBreaksTiesByText) {
  const test::TemporaryFolder a, b;
  // "cd" and "ab" are equally frequent.
  const std::vector<std::pair<std::string, std::int64_t>> texts{{"cd", 2}, {"ab", 2}, {"ef", 1}};
  const std::vector<std::pair<std::string, std::int64_t>> reversed(texts.rbegin(), texts.rend());
  train_tokenizer(texts, 516, 20, a.path());
  train_tokenizer(reversed, 516, 20, b.path());
  EXPECT_EQ(test::read_file(a.path() / "merges.txt"), "#version: 0.2\na b</w>\nc d</w>\n");
  for (const char* file : {"merges.txt", "vocab.json", "tokenizer_config.json"})
    EXPECT_EQ(test::read_file(a.path() / file), test::read_file(b.path() / file));
}

TEST(TokenizerTrainer, RefusesSizesThatCannotBe) {
  const test::TemporaryFolder folder;
  const std::vector<std::pair<std::string, std::int64_t>> texts{{"ab", 1}};
  EXPECT_THAT(test::error_of([&] { train_tokenizer(texts, 513, 20, folder.path()); }),
              HasSubstr("bytes and marks alone are 514"));
  EXPECT_THAT(test::error_of([&] { train_tokenizer(texts, 600, 20, folder.path()); }),
              HasSubstr("a vocabulary of 515 tokens at most, expected 600"));
}

TEST(Tokenizer, BadFilesAreNamedWithTheirLine) {
  const test::TemporaryFolder folder;
  for (const char* file : {"vocab.json", "merges.txt"})
    std::filesystem::copy_file(test::tokenizer_folder() / file, folder.path() / file);
  const auto error = [&] { return test::error_of([&] { (void)Tokenizer::load(folder.path()); }); };
  const auto merges = folder.path() / "merges.txt";
  const std::string good = test::read_file(merges);
  const auto with_line = [&](const std::string& line) {
    test::write_file(merges, "#version: 0.2\n" + line + "\n");
    return error();
  };
  const std::string place = merges.string() + "', line 2: ";
  EXPECT_THAT(with_line("ab"), HasSubstr(place + "expected two tokens"));
  EXPECT_THAT(with_line("a b c"), HasSubstr(place + "expected two tokens"));
  EXPECT_THAT(with_line("a zzz"), HasSubstr(place + "the token 'zzz' is not in vocab.json"));
  EXPECT_THAT(with_line("q q"), HasSubstr(place + "the token 'qq' is not in vocab.json"));
  test::write_file(merges, good + good.substr(good.find('\n') + 1));
  EXPECT_THAT(error(), HasSubstr("is there already"));
  std::filesystem::remove(merges);
  EXPECT_THAT(error(),
              AllOf(HasSubstr(folder.path().string()), HasSubstr("vocab.json without merges.txt"),
                    HasSubstr("or tokenizer.json")));
  test::write_file(merges, good);

  const auto vocabulary = folder.path() / "vocab.json";
  test::write_file(vocabulary, R"({"a": 0, "b": 0})");
  EXPECT_THAT(error(), HasSubstr("'b' has the id 0, which another token has"));
  test::write_file(vocabulary, R"({"a": 0, "b": 5})");
  EXPECT_THAT(error(), HasSubstr("'b' is 5, expected an integer from 0 to 1"));
  test::write_file(vocabulary, R"({"a": 0})");
  EXPECT_THAT(error(), HasSubstr("has no token"));
}

/// tokenizer.json of the small vocabulary, as the tokenizers library writes it.
json tokenizer_json() {
  const auto folder = test::tokenizer_folder();
  json merges = json::array();
  std::istringstream lines(test::read_file(folder / "merges.txt"));
  for (std::string line; std::getline(lines, line);)
    if (!line.starts_with("#version")) merges.push_back(line);
  const char* pattern =
      R"(<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|)"
      R"([^\s\p{L}\p{N}]+)";
  return {{"added_tokens", json::array()},
          {"normalizer", {{"normalizers", {{{"type", "NFC"}}, {{"type", "Lowercase"}}}}}},
          {"pre_tokenizer", {{"pretokenizers", {{{"pattern", {{"Regex", pattern}}}}}}}},
          {"model",
           {{"type", "BPE"},
            {"end_of_word_suffix", "</w>"},
            {"continuing_subword_prefix", ""},
            {"vocab", json::parse(test::read_file(folder / "vocab.json"))},
            {"merges", merges}}}};
}

TEST(Tokenizer, ReadsTokenizerJson) {
  const test::TemporaryFolder folder;
  const auto file = folder.path() / "tokenizer.json";
  const json good = tokenizer_json();
  test::write_file(file, good.dump());
  const Tokenizer tokenizer = Tokenizer::load(folder.path());
  const Tokenizer expected = Tokenizer::load(test::tokenizer_folder());
  EXPECT_EQ(tokenizer.hash(), expected.hash());
  EXPECT_EQ(tokenizer.encode("a photo of a dog"), expected.encode("a photo of a dog"));

  const auto error_with = [&](const char* pointer, const json& value) {
    json bad = good;
    bad[json::json_pointer(pointer)] = value;
    test::write_file(file, bad.dump());
    const std::string message = test::error_of([&] { (void)Tokenizer::load(folder.path()); });
    EXPECT_THAT(message, HasSubstr(file.string()));
    return message;
  };
  EXPECT_THAT(error_with("/model/type", "WordPiece"), HasSubstr("'model.type' is 'WordPiece'"));
  EXPECT_THAT(error_with("/model/end_of_word_suffix", ""), HasSubstr("is not </w>"));
  EXPECT_THAT(error_with("/model/dropout", 0.1), HasSubstr("'model.dropout' is set"));
  EXPECT_THAT(error_with("/model/byte_fallback", true), HasSubstr("'model.byte_fallback' is set"));
  EXPECT_THAT(error_with("/normalizer", nullptr), HasSubstr("'normalizer' is not CLIP's"));
  EXPECT_THAT(error_with("/pre_tokenizer", {{"type", "Whitespace"}}),
              HasSubstr("does not split words as CLIP does"));
  EXPECT_THAT(error_with("/model/merges/3", "a"),
              HasSubstr("'model.merges' entry 4: expected two tokens"));
  EXPECT_THAT(error_with("/model/merges/3", {"a", "b", "c"}), HasSubstr("entry 4: expected two"));
  EXPECT_THAT(error_with("/model/merges/3", {"a", "zzz"}),
              HasSubstr("entry 4: the token 'zzz' is not in tokenizer.json"));
  EXPECT_THAT(error_with("/model/merges/3", good["model"]["merges"][0]),
              HasSubstr("is there already"));
  EXPECT_THAT(error_with("/model/merges", 7), HasSubstr("'model.merges' is not a list"));
  EXPECT_THAT(error_with("/model/vocab/a", 1), HasSubstr("which another token has, too"));
  EXPECT_THAT(error_with("/added_tokens", {{{"content", "<|endoftext|>"}, {"id", 1}}}),
              HasSubstr("gives '<|endoftext|>' another id"));
  EXPECT_THAT(error_with("/added_tokens", {{{"content", "<new>"}, {"id", 561}}}),
              HasSubstr("whose id is not below 561"));
}

TEST(Tokenizer, ReadsOpenAisMerges) {
  const test::TemporaryFolder folder;
  std::string text = test::read_file(test::tokenizer_folder() / "merges.txt");
  const auto file = folder.path() / "bpe_simple_vocab_16e6.txt.gz";
  // gzip reads text that is not compressed, too; that it decompresses is shown in tests/parity.
  test::write_file(file, text + "a b\n");
  EXPECT_EQ(Tokenizer::load(folder.path(), 560).hash(),
            Tokenizer::load(test::tokenizer_folder()).hash());
  EXPECT_THAT(test::error_of([&] { (void)Tokenizer::load(folder.path()); }),
              AllOf(HasSubstr(file.string()), HasSubstr("has 47 merges"),
                    HasSubstr("a vocabulary of 49408 tokens needs 48894")));
  EXPECT_THAT(test::error_of([&] { (void)Tokenizer::load(folder.path(), 100); }),
              HasSubstr("at least 514 tokens"));
  test::write_file(file, "#version\na b\na b\n");
  EXPECT_THAT(test::error_of([&] { (void)Tokenizer::load(folder.path(), 516); }),
              HasSubstr("line 3: the token 'ab' is there already"));
  test::write_file(file, "\x1f\x8b\x08 cut");
  EXPECT_THAT(test::error_of([&] { (void)Tokenizer::load(folder.path(), 516); }),
              HasSubstr("is no sound gzip file"));
}

}  // namespace
}  // namespace petlab::clip
