#include "petlab/datasets/tools/iconify.hpp"

#include "icon_package.hpp"
#include "petlab/datasets/tools/svg.hpp"

namespace petlab::datasets {
namespace {

using namespace tools;

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Iconify : public IconPackage {};

TEST_F(Iconify, ReadsWhatASetSaysOfItself) {
  const IconSet set = IconSet::read(package(), "fat");
  EXPECT_EQ(set.info().prefix, "fat");
  EXPECT_EQ(set.info().name, "The fat set");
  EXPECT_EQ(set.info().author, "A | B");
  EXPECT_EQ(set.info().licence.spdx, "CC-BY-4.0");
  EXPECT_EQ(set.info().licence.url, "https://example.org/licence");
  EXPECT_FALSE(set.info().palette);
  EXPECT_THAT(set.categories().at("Things"), ElementsAre("alarm", "cup"));
}

TEST_F(Iconify, AppliesDefaultsAndOverrides) {
  const IconSet set = IconSet::read(package(), "thin");
  EXPECT_EQ(set.icon("cup").width, 24);
  EXPECT_EQ(set.icon("cup").left, 0);
  EXPECT_FALSE(set.icon("cup").hidden);
  EXPECT_EQ(set.icon("arrow").width, 32);
  EXPECT_EQ(set.icon("arrow").left, 2);
  EXPECT_TRUE(set.icon("arrow").hidden);
  EXPECT_THAT(icon_svg(set.icon("arrow"), "#123456"),
              HasSubstr("viewBox=\"2 0 32 24\" color=\"#123456\""));
}

TEST_F(Iconify, ResolvesAliasesWithTurnsAndFlips) {
  const IconSet set = IconSet::read(package(), "thin");
  EXPECT_EQ(set.icon("beaker").body, set.icon("cup").body);
  EXPECT_EQ(set.find("lost"), nullptr);
  EXPECT_EQ(set.find("loop"), nullptr);
  EXPECT_FALSE(set.icons().contains("beaker"));
  EXPECT_EQ(set.icon("turned").width, 24);
  EXPECT_EQ(set.icon("turned").height, 32);
  EXPECT_EQ(set.icon("turned").top, 2);
  EXPECT_EQ(set.icon("twice").width, 32);

  // Half a turn is the picture read backwards; a flip is each row read backwards.
  const auto plain = render_svg(icon_svg(set.icon("arrow")), 64);
  const auto twice = render_svg(icon_svg(set.icon("twice")), 64);
  const auto mirrored = render_svg(icon_svg(set.icon("mirrored")), 64);
  EXPECT_NE(plain, twice);
  int worst = 0;
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 64; ++x) {
      const auto at = [](int row, int column) {
        return static_cast<std::size_t>((row * 64 + column) * 3);
      };
      worst = std::max(worst, std::abs(plain[at(y, x)] - twice[at(63 - y, 63 - x)]));
      worst = std::max(worst, std::abs(plain[at(y, x)] - mirrored[at(y, 63 - x)]));
    }
  }
  EXPECT_LE(worst, 40) << "the renderer's edges differ a little, a wrong transform by 255";
}

TEST_F(Iconify, NamesTheSetOrIconThatIsMissing) {
  const IconSet set = IconSet::read(package(), "thin");
  EXPECT_EQ(set.find("saucer"), nullptr);
  EXPECT_EQ(
      error_of([&] { (void)set.icon("saucer"); }),
      "icon 'saucer' is not in set 'thin'; it belongs to version 2.2.535 of @iconify/json, get it "
      "with `npm pack @iconify/json@2.2.535` and unpack the archive");
  EXPECT_THAT(error_of([&] { (void)IconSet::read(package(), "slim"); }),
              HasSubstr("icon set 'slim' is missing"));
  write("package/json/broken.json", "{\"icons\": {");
  EXPECT_THAT(error_of([&] { (void)IconSet::read(package(), "broken"); }),
              AllOf(HasSubstr("broken.json is not valid JSON at byte 11 of 11; get it with `npm"),
                    HasSubstr("and unpack the archive")));
  write("package/json/bodiless.json", "{\"info\": {}, \"icons\": {\"a\": {}}}");
  EXPECT_EQ(error_of([&] { (void)IconSet::read(package(), "bodiless"); }),
            "icon 'a' of set 'bodiless' has no `body`");
}

TEST_F(Iconify, LeavesOutTagsAndCategoriesOfOtherTypes) {
  write("package/json/odd.json",
        R"({"info": {"name": "odd", "tags": ["line", 7]}, "icons": {"a": {"body": ""}},
            "categories": {"Things": ["a", null], "None": 3}})");
  const IconSet set = IconSet::read(package(), "odd");
  EXPECT_THAT(set.info().tags, ElementsAre("line"));
  EXPECT_THAT(set.categories().at("Things"), ElementsAre("a"));
  EXPECT_TRUE(set.categories().at("None").empty());
}

TEST_F(Iconify, ChecksWhichPackageItIs) {
  EXPECT_THAT(list_icon_sets(package()), ElementsAre("fat", "thin"));
  EXPECT_EQ(icon_package_version(package()), "2.2.535");
  check_icon_package(package());
  write_package("2.2.1");
  EXPECT_THAT(error_of([&] { check_icon_package(package()); }),
              HasSubstr("version 2.2.1, expected 2.2.535: get it with `npm pack"));
  write_package("2.2.535", "left-pad");
  EXPECT_THAT(error_of([&] { check_icon_package(package()); }), HasSubstr("package 'left-pad'"));
  EXPECT_THAT(error_of([&] { check_icon_package(root() / "none"); }),
              HasSubstr("the npm package @iconify/json is not in"));
}

}  // namespace
}  // namespace petlab::datasets
