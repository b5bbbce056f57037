#include "petlab/pretrain/options.hpp"

#include "petlab/base/error.hpp"

#include <gmock/gmock.h>

#include <map>

namespace petlab::pretrain {
namespace {

TEST(Options, AreSetByName) {
  PretrainOptions options;
  set_option(options, "batch-size", "256");
  set_option(options, "learning-rate", "1e-3");
  set_option(options, "contrast", "sigmoid");
  set_option(options, "early-view", "patches");
  set_option(options, "held-out", "mingcute");
  EXPECT_EQ(options.batch_size, 256);
  EXPECT_DOUBLE_EQ(options.learning_rate, 1e-3);
  EXPECT_EQ(options.contrast, Contrast::sigmoid);
  EXPECT_EQ(options.early_view, EarlyView::patches);
  EXPECT_EQ(options.held_out, "mingcute");
}

TEST(Options, AreWrittenAsTheyAreRead) {
  PretrainOptions options;
  set_option(options, "learning-rate", "0.00123");
  set_option(options, "contrast", "sigmoid");
  PretrainOptions again;
  for (const auto& [name, value] : option_values(options))
    set_option(again, name, value);
  EXPECT_EQ(option_values(again), option_values(options));
  const std::map<std::string, std::string> values = [&] {
    const auto list = option_values(options);
    return std::map<std::string, std::string>(list.begin(), list.end());
  }();
  EXPECT_EQ(values.at("learning-rate"), "0.00123");
  EXPECT_EQ(values.at("contrast"), "sigmoid");
}

TEST(Options, RefuseWhatTheyDoNotKnow) {
  PretrainOptions options;
  EXPECT_THROW(set_option(options, "batchsize", "1"), base::Error);
  EXPECT_THROW(set_option(options, "batch-size", "many"), base::Error);
  EXPECT_THROW(set_option(options, "batch-size", "1.5"), base::Error);
  EXPECT_THROW(set_option(options, "contrast", "triplet"), base::Error);
  EXPECT_THROW(set_option(options, "warm-up", "0.1x"), base::Error);
}

}  // namespace
}  // namespace petlab::pretrain
