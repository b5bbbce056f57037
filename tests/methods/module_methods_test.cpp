// Methods that put modules into the towers or behind them, against reference/modules.py.
#include "method_parity.hpp"

namespace petlab::tests {
namespace {

using engine::Sharing;

MethodFamily& family() {
  static MethodFamily modules(
      "modules",
      {
          {"zero_shot", "zero-shot"},
          {"zero_shot_ensemble", "zero-shot", {{"templates", "a photo of a {}.|a {}"}}},
          {"full_fine_tuning", "full-fine-tuning", {}, Sharing::grouped},
          {"full_fine_tuning_image", "full-fine-tuning", {{"towers", "image"}}},
          {"bitfit", "bitfit", {}, Sharing::per_task},
          {"bitfit_query_mlp", "bitfit", {{"biases", "query-mlp"}}},
          {"layer_norm", "layer-norm", {}, Sharing::grouped},
          {"lora", "lora", {}, Sharing::per_task},
          {"lora_composed",
           "lora",
           {{"maps", "q,v,out,fc1,fc2"}, {"rank", "3"}, {"scaling", "rank"}, {"alpha", "2"}},
           Sharing::grouped_specific},
          {"ia3", "ia3", {}, Sharing::per_task},
          {"ia3_composed", "ia3", {}, Sharing::grouped_specific},
          {"ssf", "ssf", {{"towers", "both"}}, Sharing::per_task},
          {"ssf_composed", "ssf", {}, Sharing::grouped_specific},
          {"houlsby", "adapter-houlsby", {{"reduction", "4"}}, Sharing::per_task},
          {"houlsby_composed",
           "adapter-houlsby",
           {{"reduction", "4"}, {"norm", "true"}, {"activation", "quick-gelu"}},
           Sharing::grouped_specific},
          {"pfeiffer", "adapter-pfeiffer", {{"train-scale", "true"}}, Sharing::per_task},
          {"pfeiffer_composed", "adapter-pfeiffer", {}, Sharing::grouped_specific},
          {"parallel", "adapter-parallel", {{"n-hidden", "8"}, {"place", "both"}}},
          {"parallel_composed",
           "adapter-parallel",
           {{"n-hidden", "8"}, {"scale", "4"}},
           Sharing::grouped_specific},
          {"compacter", "compacter", {{"reduction", "4"}, {"n", "2"}}, Sharing::per_task},
          {"compacter_composed",
           "compacter",
           {{"reduction", "4"}, {"n", "2"}, {"rank", "2"}, {"shared-rule", "false"}},
           Sharing::grouped_specific},
          {"clip_adapter", "clip-adapter", {}, Sharing::per_task},
          {"clip_adapter_composed",
           "clip-adapter",
           {{"towers", "both"}, {"text-ratio", "0.4"}},
           Sharing::grouped_specific},
          {"feature_affine", "feature-affine", {}, Sharing::per_task},
          {"feature_affine_composed",
           "feature-affine",
           {{"towers", "both"}},
           Sharing::grouped_specific},
          {"linear_probe", "linear-probe"},
          {"linear_probe_random",
           "linear-probe",
           {{"init", "random"}, {"bias", "false"}, {"unit-features", "false"}, {"scale", "1"}},
           Sharing::per_task},
      });
  return modules;
}

class ModuleMethods : public ::testing::TestWithParam<MethodCase> {};

TEST_P(ModuleMethods, StepEqualsTheReference) {
  family().expect_step_equals_reference(GetParam());
}

TEST_P(ModuleMethods, MixedBatchEqualsOneTaskAtATime) {
  expect_mixed_equals_alone(GetParam());
}

INSTANTIATE_TEST_SUITE_P(All, ModuleMethods, ::testing::ValuesIn(family().cases()), case_name);

// The methods that start as zero-shot. Those that do not: clip-adapter, compacter (near), ssf with
// its own start, adapters with init=normal, linear-probe with init=random.
class ZeroShotStart : public ::testing::TestWithParam<MethodCase> {};

TEST_P(ZeroShotStart, GivesTheFrozenBackbonesLogits) {
  expect_zero_shot_start(GetParam(), "a photo of a {}.");
}

const MethodCase kZeroShotStarts[] = {
    {"full_fine_tuning", "full-fine-tuning"},
    {"bitfit", "bitfit"},
    {"layer_norm", "layer-norm"},
    {"lora", "lora", {}, Sharing::grouped_specific},
    {"ia3", "ia3", {}, Sharing::grouped_specific},
    {"ssf", "ssf", {{"init-std", "0"}, {"towers", "both"}}, Sharing::grouped_specific},
    {"houlsby", "adapter-houlsby", {}, Sharing::grouped_specific},
    {"pfeiffer", "adapter-pfeiffer"},
    {"parallel", "adapter-parallel"},
    {"feature_affine", "feature-affine", {{"towers", "both"}}, Sharing::grouped_specific},
    {"linear_probe", "linear-probe"},
};
INSTANTIATE_TEST_SUITE_P(All, ZeroShotStart, ::testing::ValuesIn(kZeroShotStarts), case_name);

}  // namespace
}  // namespace petlab::tests
