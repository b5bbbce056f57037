// Methods that prompt, against reference/prompts.py.
#include "method_parity.hpp"

namespace petlab::tests {
namespace {

using engine::Sharing;

const std::vector<MethodCase> kCases = {
    {"coop", "coop"},
    {"coop_middle", "coop", {{"n-ctx", "5"}, {"class-position", "middle"}}, Sharing::per_task},
    {"coop_front", "coop", {{"n-ctx", "4"}, {"class-position", "front"}}},
    {"coop_composed", "coop", {{"n-ctx", "3"}}, Sharing::grouped_specific},
    {"coop_middle_composed",
     "coop",
     {{"n-ctx", "3"}, {"class-position", "middle"}},
     Sharing::grouped_specific},
    {"coop_csc", "coop-csc", {{"n-ctx", "4"}}},
    {"coop_csc_front", "coop-csc", {{"n-ctx", "4"}, {"class-position", "front"}}, Sharing::grouped},
    {"coop_csc_composed", "coop-csc", {{"n-ctx", "2"}}, Sharing::grouped_specific},
    {"cocoop", "cocoop", {{"reduction", "2"}}},
    {"cocoop_composed", "cocoop", {{"n-ctx", "2"}, {"reduction", "4"}}, Sharing::grouped_specific},
    {"text_prompt", "text-prompt"},
    {"text_prompt_composed",
     "text-prompt",
     {{"n-prompt", "2"}, {"depth", "2"}},
     Sharing::grouped_specific},
    {"vision_prompt", "vision-prompt", {}, Sharing::joint_specific},
    {"vpt_deep", "vpt-deep", {}, Sharing::per_task},
    {"vpt_deep_projected", "vpt-deep", {{"n-prompt", "3"}, {"project", "5"}}},
    {"vpt_deep_composed",
     "vpt-deep",
     {{"n-prompt", "2"}, {"depth", "3"}},
     Sharing::grouped_specific},
    {"vpt_shallow", "vpt-shallow", {}, Sharing::grouped},
    {"vpt_shallow_projected", "vpt-shallow", {{"project", "6"}, {"init", "xavier"}}},
    {"ivlp", "ivlp"},
    {"ivlp_composed",
     "ivlp",
     {{"n-text", "4"}, {"n-vision", "3"}, {"text-depth", "2"}, {"vision-depth", "3"}},
     Sharing::grouped_specific},
    {"kgcoop", "kgcoop"},
    {"kgcoop_squared",
     "kgcoop",
     {{"distance", "squared"}, {"reference", "a fan of a {}."}, {"weight", "2.5"}},
     Sharing::per_task},
    {"kgcoop_composed", "kgcoop", {{"n-ctx", "3"}}, Sharing::grouped_specific},
    {"promptsrc", "promptsrc", {{"templates", "a photo of a {}.|a red {}|seven {}s"}}},
    {"promptsrc_weights",
     "promptsrc",
     {{"templates", "a {}"},
      {"text-weight", "3"},
      {"image-weight", "40"},
      {"logits-weight", "7"},
      {"text-depth", "3"},
      {"vision-depth", "1"}},
     Sharing::per_task},
    {"promptsrc_composed",
     "promptsrc",
     {{"templates", "a {}|a photo of an {}"}, {"n-text", "2"}, {"n-vision", "3"}},
     Sharing::grouped_specific},
    {"maple", "maple", {{"depth", "3"}}},
    {"maple_first_layer", "maple", {{"depth", "1"}, {"n-ctx", "4"}}, Sharing::per_task},
    {"maple_composed", "maple", {{"depth", "2"}}, Sharing::grouped_specific},
    {"mmap", "mmap"},
    {"mmap_shape", "mmap", {{"b", "6"}, {"m", "3"}, {"n", "4"}, {"depth", "2"}}},
    {"mmap_shared_scales", "mmap", {{"b", "4"}, {"share-k", "true"}, {"depth", "3"}}},
    {"mmap_text", "mmap", {{"b", "4"}, {"modalities", "text"}}},
    {"mmap_vision", "mmap", {{"b", "4"}, {"modalities", "vision"}}},
    {"mmap_independent", "mmap", {{"b", "4"}, {"prompts", "independent"}}},
    {"mmap_composed", "mmap", {{"b", "4"}, {"m", "2"}}, Sharing::grouped_specific},
    {"mmap_rank_1", "mmap", {{"preset", "rank-1"}, {"b", "5"}, {"init", ""}}},
    {"mmap_added",
     "mmap",
     {{"b", "6"}, {"preset", "paper-0.09"}, {"composition", "add"}},
     Sharing::grouped_specific},
    {"mmap_words_once", "mmap", {{"b", "4"}, {"init-adapters", "first"}}, Sharing::joint_specific},
};

MethodFamily& family() {
  static MethodFamily prompts("prompts", kCases);
  return prompts;
}

class PromptMethods : public ::testing::TestWithParam<MethodCase> {};

TEST_P(PromptMethods, StepEqualsTheReference) {
  family().expect_step_equals_reference(GetParam());
}

TEST_P(PromptMethods, MixedBatchEqualsOneTaskAtATime) {
  expect_mixed_equals_alone(GetParam());
}

INSTANTIATE_TEST_SUITE_P(All, PromptMethods, ::testing::ValuesIn(kCases), case_name);

// The only prompts that start as zero-shot: words at the input alone.
TEST(PromptMethodsStart, WordsAtTheInputAreZeroShot) {
  expect_zero_shot_start({"coop", "coop", {{"n-ctx", "4"}, {"init", "a photo of a"}}},
                         "a photo of a {}.");
  expect_zero_shot_start({"kgcoop", "kgcoop"}, "a photo of a {}.");
  expect_zero_shot_start({"text_prompt", "text-prompt", {{"depth", "1"}}}, "a photo of a {}.");
  // Fewer vectors than words: the others stay in the text.
  expect_zero_shot_start({"text_prompt", "text-prompt", {{"depth", "1"}, {"n-prompt", "2"}}},
                         "a photo of a {}.");
}

}  // namespace
}  // namespace petlab::tests
