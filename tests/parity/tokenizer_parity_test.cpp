// The tokenizer against transformers' CLIPTokenizer, on a vocabulary that petlab has trained.
#include "petlab/clip/tokenizer.hpp"
#include "reference.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <iostream>

namespace petlab::clip {
namespace {

TEST(TokenizerParity, IdsEqualTheReference) {
  const auto folder = parity::fresh_folder("tokenizer");
  const auto strings_file = (folder / "strings.json").string();
  parity::run_reference("tokenizer_strings.py", {"make", strings_file});
  const auto strings =
      nlohmann::json::parse(std::ifstream(strings_file)).get<std::vector<std::string>>();
  ASSERT_GE(strings.size(), 5000U);

  // Every second string trains, so that the others hold words the vocabulary has never seen.
  std::vector<std::pair<std::string, std::int64_t>> texts;
  for (std::size_t i = 0; i < strings.size(); i += 2)
    texts.emplace_back(strings[i], 1);
  train_tokenizer(texts, /*vocab_size=*/1500, /*context_length=*/77, folder);
  const Tokenizer tokenizer = Tokenizer::load(folder);
  EXPECT_EQ(tokenizer.vocab_size(), 1500);

  const auto ids_file = (folder / "ids.json").string();
  parity::run_reference("tokenizer_strings.py",
                        {"encode", folder.string(), strings_file, ids_file});
  const auto reference = nlohmann::json::parse(std::ifstream(ids_file));
  EXPECT_EQ(reference.at("size").get<std::int64_t>(), 1500);

  std::size_t wrong = 0;
  std::size_t wrong_texts = 0;
  for (std::size_t i = 0; i < strings.size(); ++i) {
    const auto expected = reference.at("ids")[i].get<std::vector<std::int64_t>>();
    const auto ids = tokenizer.encode(strings[i]);
    if (ids != expected && ++wrong <= 5)
      ADD_FAILURE() << "string " << i << " " << nlohmann::json(strings[i]).dump(-1, ' ', true)
                    << "\n  gives    " << nlohmann::json(ids).dump() << "\n  expected "
                    << nlohmann::json(expected).dump();
    const auto text = reference.at("texts")[i].get<std::string>();
    if (tokenizer.decode(expected) != text && ++wrong_texts <= 5)
      ADD_FAILURE() << "ids of string " << i << " decode to\n  "
                    << nlohmann::json(tokenizer.decode(expected)).dump(-1, ' ', true)
                    << "\n  expected " << nlohmann::json(text).dump(-1, ' ', true);
  }
  EXPECT_EQ(wrong, 0U);
  EXPECT_EQ(wrong_texts, 0U);
  std::cout << "  " << strings.size() << " strings, " << wrong << " differ\n";

  const auto cut = reference.at("cut").get<std::vector<std::vector<std::int64_t>>>();
  const auto batch = tokenizer.encode_batch(std::span(strings).first(cut.size()), 16);
  ASSERT_EQ(batch.ids.size(1), 16);
  for (std::size_t i = 0; i < cut.size(); ++i)
    EXPECT_TRUE(at::equal(batch.ids[static_cast<std::int64_t>(i)], at::tensor(cut[i], at::kLong)))
        << "string " << i;
}

}  // namespace
}  // namespace petlab::clip
