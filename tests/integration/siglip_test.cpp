// A SigLIP as the backbone of a study: every method runs on it, as on a CLIP.
#include "../parity/reference.hpp"
#include "program.hpp"
#include "sample_study.hpp"
#include "stored_results.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace petlab::tests {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

constexpr std::array kMethods{"zero-shot",
                              "coop",
                              "coop-csc",
                              "cocoop",
                              "kgcoop",
                              "maple",
                              "ivlp",
                              "promptsrc",
                              "mmap",
                              "text-prompt",
                              "vision-prompt",
                              "vpt-shallow",
                              "vpt-deep",
                              "lora",
                              "ia3",
                              "ssf",
                              "bitfit",
                              "layer-norm",
                              "adapter-houlsby",
                              "adapter-parallel",
                              "compacter",
                              "clip-adapter",
                              "tip-adapter",
                              "linear-probe",
                              "logistic-regression",
                              "full-fine-tuning"};

TEST(SiglipStudy, EveryMethodRunsOnIt) {
  const Workshop workshop;
  const fs::path models = workshop.folder() / "models";
  parity::run_reference("write_siglip.py", {models.string()});
  fs::remove_all(workshop.folder() / "clip");
  fs::copy(models / "siglip2", workshop.folder() / "clip");
  std::string rows;
  for (const std::string method : kMethods) {
    rows += "[row." + method + "]\nmethod = " + method + "\nsharing = joint\n";
    if (method == "coop" || method == "coop-csc") rows += "option.n-ctx = 4\n";
    if (method == "maple") rows += "option.depth = 3\n";
    if (method == "compacter") rows += "option.reduction = 2\noption.n = 2\n";
    if (method == "coop") rows += "option.class-position = middle\n";
  }
  const std::string study = workshop.write_study(rows, "epochs = 1\nbatch = 8\nwarmup-epochs = 0");
  const Output run = run_petlab(run_arguments(study, "store.sqlite"), workshop.folder());
  ASSERT_EQ(run.exit_code, 0) << run.out << run.err;
  const auto results = stored_results(workshop.folder() / "store.sqlite");
  EXPECT_EQ(results.size(), kMethods.size());
  for (const auto& [row, result] : results) {
    EXPECT_FALSE(result.predictions.empty()) << row;
    for (const auto& [predicted, probability] : result.predictions)
      ASSERT_TRUE(std::isfinite(probability)) << row;
  }
  // Every trained row has done something of its own; Tip-Adapter remembers examples and trains
  // nothing.
  for (const auto& [row, result] : results)
    if (row != "zero-shot" && row != "tip-adapter") {
      EXPECT_NE(result.trained_hash, results.at("zero-shot").trained_hash) << row;
    }
}

TEST(SiglipStudy, CommandsOfClipKnowIt) {
  const Workshop workshop;
  const fs::path models = workshop.folder() / "models";
  parity::run_reference("write_siglip.py", {models.string()});
  const Output info = run_petlab({"clip", "info", "models/siglip"}, workshop.folder());
  EXPECT_EQ(info.exit_code, 0) << info.err;
  EXPECT_THAT(info.out,
              AllOf(HasSubstr("family      SigLIP ViT of width 40, patches of 8, image pooling "
                              "attention, text pooling last, no causal mask"),
                    HasSubstr("height and width to 32 (bilinear), mean 0.5 0.5 0.5"),
                    HasSubstr("tokens from spiece.model"), HasSubstr(", end 1\n")));
  const Output clip = run_petlab({"clip", "info", "clip"}, workshop.folder());
  EXPECT_THAT(clip.out, HasSubstr("family      CLIP ViT of width 32, patches of 8, text pooling "));
  const Output answer = run_petlab({"clip", "classify", "--backbone", "models/siglip2", "--image",
                                    "pictures/Art/bed/picture0.jpg", "--labels", "bed,mug"},
                                   workshop.folder());
  EXPECT_EQ(answer.exit_code, 0) << answer.err;
  EXPECT_THAT(answer.out, AllOf(HasSubstr("bed"), HasSubstr("mug")));
}

}  // namespace
}  // namespace petlab::tests
