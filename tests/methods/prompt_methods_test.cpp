// Methods that prompt, against reference/prompts.py.
#include "method_parity.hpp"

namespace petlab::tests {
namespace {

using core::Sharing;

MethodFamily& family() {
  static MethodFamily prompts(
      "prompts", {
                     {"coop", "coop"},
                     {"coop_composed", "coop", {{"n-ctx", "3"}}, Sharing::grouped_specific},
                     {"vpt_deep", "vpt-deep", {}, Sharing::per_task},
                     {"vpt_deep_composed",
                      "vpt-deep",
                      {{"n-prompt", "2"}, {"depth", "3"}},
                      Sharing::grouped_specific},
                     {"vpt_shallow", "vpt-shallow", {}, Sharing::grouped},
                 });
  return prompts;
}

class PromptMethods : public ::testing::TestWithParam<MethodCase> {};

TEST_P(PromptMethods, StepEqualsTheReference) {
  family().expect_step_equals_reference(GetParam());
}

TEST_P(PromptMethods, MixedBatchEqualsOneTaskAtATime) {
  expect_mixed_equals_alone(GetParam());
}

INSTANTIATE_TEST_SUITE_P(All, PromptMethods, ::testing::ValuesIn(family().cases()), case_name);

// Words at the input alone are the words of the template: the only prompts that start there.
TEST(PromptMethodsStart, WordsAtTheInputAreZeroShot) {
  expect_zero_shot_start({"coop", "coop", {{"n-ctx", "4"}, {"init", "a photo of a"}}},
                         "a photo of a {}.");
}

}  // namespace
}  // namespace petlab::tests
