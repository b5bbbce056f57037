#include "petlab/engine/truncated_prompts.hpp"

#include "tiny_world.hpp"

#include <gtest/gtest.h>

namespace petlab::engine {
namespace {

std::string many_words(int count) {
  std::string text = "cup";
  for (int i = 1; i < count; ++i)
    text += " cup";
  return text;
}

TEST(TruncatedPrompts, CountsDifferentTextsThatDoNotFit) {
  const auto backbone = testing::tiny_backbone();
  const clip::Tokenizer& tokenizer = backbone->tokenizer();
  const std::int64_t context = backbone->shape().context_length;
  const auto length = [&](const std::string& text) {
    return static_cast<std::int64_t>(tokenizer.encode(text).size()) + 2;
  };
  // The longest name that fits behind the template, and one word more.
  int words = 1;
  while (length("the " + many_words(words + 1) + ".") <= context)
    ++words;
  const std::string fits = many_words(words);
  const std::string too_long = many_words(words + 1);
  const std::vector<Task> tasks = {{"a", {"cup", fits, too_long}, {}},
                                   {"b", {too_long, many_words(words + 40), "cup"}, {}}};
  const TruncatedPrompts cut = find_cut_texts(tokenizer, context, tasks, "the {}.");
  EXPECT_EQ(cut.count, 2);
  EXPECT_EQ(cut.example, "the " + too_long + ".");
  EXPECT_EQ(cut.message(context), "2 class texts are longer than the " + std::to_string(context) +
                                      " tokens that the backbone reads and were cut, such as '" +
                                      cut.example + "'");
  std::int64_t truncated = 0;
  const std::vector<std::string> texts = {"the " + fits + ".", "the " + too_long + "."};
  const clip::TokenBatch batch = tokenizer.encode_batch(texts, context, &truncated);
  EXPECT_EQ(truncated, 1) << "the tokenizer must cut what is counted";
  EXPECT_EQ(find_cut_texts(tokenizer, context, {tasks[0]}, "the {}.").count, 1);
  EXPECT_EQ(TruncatedPrompts().message(context), "");
}

TEST(TruncatedPrompts, ARunRecordsWhatWasCut) {
  RunInputs inputs = testing::tiny_inputs(testing::nothing());
  const auto run = [&] {
    const auto record = testing::run_well(testing::tiny_spec("nothing", Sharing::joint, 1), inputs);
    for (const auto& [name, value] : record.environment)
      if (name == results::environment::kCutTexts) return value;
    return std::string();
  };
  EXPECT_EQ(run(), "");
  inputs.tasks[0].classes[0] = many_words(200);
  const std::string message = run();
  EXPECT_EQ(message.rfind("1 class text is longer than the ", 0), 0U) << message;
}

}  // namespace
}  // namespace petlab::engine
