// Methods that know their tasks, against reference/multi_task.py.
#include "method_parity.hpp"

namespace petlab::tests {
namespace {

using engine::Sharing;

MethodFamily& family() {
  static MethodFamily methods(
      "multi_task",
      {
          {"hyperformer", "hyperformer", {{"reduction", "4"}}},
          {"hyperformer_before",
           "hyperformer",
           {{"reduction", "4"}, {"norm", "before"}, {"sites", "mlp"}},
           Sharing::grouped},
          {"hyperformer_composed",
           "hyperformer",
           {{"reduction", "4"}, {"norm", "none"}, {"embedding", "8"}},
           Sharing::grouped_specific},
          {"polyhistor", "polyhistor", {{"reduction", "4"}, {"kernel", "2"}}},
          {"polyhistor_composed",
           "polyhistor",
           {{"reduction", "4"}, {"kernel", "2"}, {"towers", "both"}},
           Sharing::grouped_specific},
          {"moe_adapter", "moe-adapter", {{"reduction", "4"}}},
          {"moe_adapter_composed",
           "moe-adapter",
           {{"reduction", "4"}, {"sites", "both"}, {"top-k", "0"}, {"n-experts", "3"}},
           Sharing::grouped_specific},
          {"vmtl", "vmtl", {{"n-latent", "8"}}},
          {"tip_adapter", "tip-adapter", {{"alpha", "2"}, {"beta", "3"}}, Sharing::grouped},
          {"tip_adapter_f", "tip-adapter-f", {}},
          {"tip_adapter_f_composed", "tip-adapter-f", {}, Sharing::grouped_specific},
          {"vmtl_per_task", "vmtl", {{"n-latent", "8"}, {"feature-scale", "2"}}, Sharing::per_task},
      });
  return methods;
}

class MultiTaskMethods : public ::testing::TestWithParam<MethodCase> {};

TEST_P(MultiTaskMethods, StepEqualsTheReference) {
  family().expect_step_equals_reference(GetParam());
}

TEST_P(MultiTaskMethods, MixedBatchEqualsOneTaskAtATime) {
  expect_mixed_equals_alone(GetParam());
}

INSTANTIATE_TEST_SUITE_P(All, MultiTaskMethods, ::testing::ValuesIn(family().cases()), case_name);

// The others (hyperformer, vmtl, tip-adapter) do not start as zero-shot.
TEST(MultiTaskMethodsStart, ZeroInitialisedAdaptersAreZeroShot) {
  expect_zero_shot_start({"moe_adapter", "moe-adapter", {{"reduction", "4"}}}, "a photo of a {}.");
  expect_zero_shot_start({"polyhistor", "polyhistor", {{"reduction", "4"}, {"kernel", "2"}}},
                         "a photo of a {}.");
}

}  // namespace
}  // namespace petlab::tests
