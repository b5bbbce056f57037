#include "fake_backbone.hpp"
#include "loaded_plugin.hpp"

#include <gtest/gtest.h>

namespace petlab::tests {
namespace {

TEST(ZeroShot, TrainsNothingAndChangesNothing) {
  const auto method = make_method("zero_shot", "zero-shot");
  EXPECT_EQ(method->text_template(), "a photo of a {}.");
  const auto adapter = make_adapter(*method, FakeBackbone::small());
  EXPECT_TRUE(adapter->parameters().empty());
  const sdk::BackboneChanges changes = adapter->changes({});
  EXPECT_TRUE(changes.vision.prompts.empty());
  EXPECT_TRUE(changes.text.prompts.empty());
  EXPECT_TRUE(changes.weights.empty());
}

TEST(ZeroShot, TakesATemplateWithOneBrace) {
  EXPECT_EQ(make_method("zero_shot", "zero-shot", {{"template", "an icon of {}"}})->text_template(),
            "an icon of {}");
  for (const std::string text : {"a photo", "{} and {}", ""})
    EXPECT_EQ(error_of(sdk::ErrorKind::config,
                       [&] { (void)make_method("zero_shot", "zero-shot", {{"template", text}}); }),
              "method 'zero-shot': option 'template' is '" + text +
                  "', expected a text with exactly one {} for the class name");
}

}  // namespace
}  // namespace petlab::tests
