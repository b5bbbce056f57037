#include "petlab/datasets/icon_home.hpp"

#include "icon_package.hpp"
#include "petlab/datasets/csv.hpp"
#include "petlab/datasets/tools/build_icon_home.hpp"
#include "petlab/datasets/tools/duplicates.hpp"

#include <map>
#include <set>
#include <sstream>

namespace petlab::datasets {
namespace {

using namespace tools;

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class IconHome : public IconPackage {
 protected:
  BuildReport build() const { return build_icon_home(package(), recipe(), out()); }
};

TEST_F(IconHome, BuildsPicturesAttributionAndDescription) {
  std::size_t last = 0;
  const BuildReport report =
      build_icon_home(package(), recipe(), out(), {}, [&](std::size_t done, std::size_t total) {
        EXPECT_EQ(total, 4U);
        last = done;
      });
  EXPECT_EQ(last, 4U);
  EXPECT_FALSE(report.up_to_date);
  EXPECT_EQ(report.rendered, 4U);
  EXPECT_EQ(report.per_domain, (std::map<std::string, std::size_t>{{"line", 2}, {"solid", 2}}));
  EXPECT_EQ(decode_image(out() / "line/alarm_clock/thin__alarm.png").width, 96);

  const std::string credits = text_of(out() / "ATTRIBUTION.md");
  EXPECT_THAT(credits, HasSubstr("| fat | The fat set | [A \\| B](https://example.org/fat) | "
                                 "[CC BY 4.0](https://example.org/licence) | CC-BY-4.0 | 2 |"));
  const Dataset dataset = load_icon_home(out(), recipe());
  EXPECT_EQ(dataset.name, "icon-home");
  EXPECT_EQ(dataset.version, "7");
  EXPECT_THAT(dataset.display_names, ElementsAre("alarm clock", "cup"));
  EXPECT_EQ(dataset.domains[0].samples[0].id, "line/alarm_clock/thin__alarm");
  EXPECT_EQ(dataset.fingerprint, report.fingerprint);
  std::ostringstream text;
  text << report;
  EXPECT_THAT(text.str(), HasSubstr("4 images (line 2, solid 2), 4 rendered now"));
}

TEST_F(IconHome, GivesTheSameBytesEveryTime) {
  BuildOptions one_thread;
  one_thread.threads = 1;
  const auto first = build();
  const auto second = build_icon_home(package(), recipe(), root() / "again", one_thread);
  EXPECT_EQ(first.fingerprint, second.fingerprint);
}

TEST_F(IconHome, DoesOnlyWhatIsMissing) {
  const auto first = build();
  EXPECT_TRUE(build().up_to_date);
  // Without its package a finished build is still good.
  std::filesystem::rename(package(), root() / "away");
  EXPECT_TRUE(build().up_to_date);
  std::filesystem::rename(root() / "away", package());

  std::filesystem::remove(out() / "line/cup/thin__cup.png");
  const auto repaired = build();
  EXPECT_EQ(repaired.rendered, 1U);
  EXPECT_EQ(repaired.fingerprint, first.fingerprint);

  const auto picture = out() / "solid/cup/fat__cup.png";
  std::filesystem::resize_file(picture, std::filesystem::file_size(picture) / 2);
  EXPECT_EQ(build().rendered, 1U);
  EXPECT_EQ(load_icon_home(out(), recipe()).fingerprint, first.fingerprint);
}

TEST_F(IconHome, TakesOutPicturesThatTheManifestNoLongerLists) {
  build();
  write_recipe({"line,alarm clock,thin,alarm", "solid,alarm clock,fat,alarm", "solid,cup,fat,cup"},
               "8");
  EXPECT_THAT(error_of([&] { (void)load_icon_home(out(), recipe()); }),
              HasSubstr("was built from manifest version 7, the manifest is now version 8"));
  const auto report = build();
  EXPECT_EQ(report.removed, 1U);
  EXPECT_EQ(report.rendered, 0U);
  EXPECT_FALSE(std::filesystem::exists(out() / "line/cup"));
  EXPECT_EQ(load_icon_home(out(), recipe()).version, "8");
}

TEST_F(IconHome, FindsPicturesThatWereChangedAfterTheBuild) {
  build();
  const auto picture = out() / "line/cup/thin__cup.png";
  write("out/line/cup/thin__cup.png", encode_png(pattern(96, 96, 1)));
  EXPECT_THAT(error_of([&] { (void)load_icon_home(out()); }), HasSubstr("were changed"));
  std::filesystem::remove(picture);
  EXPECT_THAT(error_of([&] { (void)load_icon_home(out()); }), HasSubstr("line/cup holds no image"));
  EXPECT_THAT(error_of([&] { (void)load_icon_home(root() / "nowhere"); }),
              HasSubstr("run `petlab datasets build icon-home`"));
}

TEST_F(IconHome, SaysWhatIsMissing) {
  write_recipe({"line,cup,thin,cup", "line,cup,thin,saucer"});
  EXPECT_THAT(error_of([&] { build(); }),
              HasSubstr("image thin/saucer of Icon-Home: icon 'saucer' is not in set 'thin'"));
  write_recipe({"line,cup,slim,cup"});
  EXPECT_THAT(error_of([&] { build(); }), HasSubstr("icon set 'slim' is missing"));
  write_package("2.0.0");
  EXPECT_THAT(error_of([&] { build(); }), HasSubstr("version 2.0.0, expected 2.2.535"));
  std::filesystem::remove_all(package());
  EXPECT_THAT(error_of([&] { build(); }),
              HasSubstr("the npm package @iconify/json is not in " + package().string() +
                        " (no package.json there): get it with `npm pack @iconify/json@2.2.535`"));
}

TEST_F(IconHome, LeavesForeignFoldersAlone) {
  write("out/thesis.tex", "years of work");
  EXPECT_THAT(error_of([&] { build(); }), HasSubstr("holds files that petlab did not write"));
  EXPECT_EQ(text_of(out() / "thesis.tex"), "years of work");
}

TEST_F(IconHome, RefusesTheSamePictureInTwoDomains) {
  write_recipe({"line,cup,thin,cup", "solid,cup,thin,cup-again", "solid,cup,fat,cup"});
  EXPECT_THAT(error_of([&] { build(); }),
              HasSubstr("line/cup/thin__cup and solid/cup/thin__cup-again have the same pixels"));
  EXPECT_THAT(text_of(out() / "duplicates.csv"),
              HasSubstr("identical,1.0000,other domain same class"));
  EXPECT_THROW((void)load_icon_home(out()), base::Error) << "a refused build is not usable";
}

TEST_F(IconHome, ChecksTheManifest) {
  const auto read = [&] { return error_of([&] { (void)read_icon_home_manifest(recipe()); }); };
  const std::string csv = text_of(recipe() / "manifest.csv");
  write("recipe/manifest.csv", csv + "line,cup,thin,cup-again\n");
  EXPECT_THAT(read(), HasSubstr("the manifest was changed without a new version"));
  write_recipe({"line,cup,thin,cup", "line,mug,thin,cup"});
  EXPECT_THAT(read(), HasSubstr("manifest.csv line 3: thin/cup is in domain 'line' twice"));
  write_recipe({"line,cup,thin,../cup"});
  EXPECT_THAT(read(), HasSubstr("manifest.csv line 2: a name is empty or holds other signs"));
  write_recipe({"line,cup,thin"});
  EXPECT_THAT(read(), HasSubstr("manifest.csv line 2"));
  write("recipe/manifest.json", "{\n");
  EXPECT_THAT(read(), HasSubstr("manifest.json is not valid JSON at byte 2 of 2"));
  write("recipe/manifest.json", "{}");
  EXPECT_THAT(read(), HasSubstr("manifest.json is not a manifest description"));
}

TEST(Duplicates, ShapesOfTheSameDrawingCorrelate) {
  const Image image = pattern(96, 96, 1);
  Image brighter = image;
  for (auto& value : brighter.rgb)
    value = static_cast<std::uint8_t>(value / 2 + 60);
  const auto dot = [](const Shape& a, const Shape& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
      sum += static_cast<double>(a[i]) * b[i];
    return sum;
  };
  EXPECT_NEAR(dot(shape_of(image), shape_of(image)), 1.0, 1e-5);
  EXPECT_GT(dot(shape_of(image), shape_of(brighter)), 0.99);
  EXPECT_LT(dot(shape_of(image), shape_of(pattern(96, 96, 6))), 0.97);
  const Image blank{4, 4, std::vector<std::uint8_t>(48, 255)};
  EXPECT_EQ(dot(shape_of(blank), shape_of(blank)), 0.0);
}

/// The manifest that petlab carries.
TEST(Manifest, IsWholeAndEveryCellIsFilled) {
  const std::filesystem::path recipe = std::string(PETLAB_SOURCE_DIR) + "/datasets/icon-home";
  const IconHomeManifest manifest = read_icon_home_manifest(recipe);
  EXPECT_EQ(manifest.picture_size, 96);
  std::map<std::pair<std::string, std::string>, int> cells;
  std::set<std::string> pictures;
  for (const auto& row : manifest.rows) {
    ++cells[{row.domain, row.class_name}];
    EXPECT_TRUE(pictures.insert(row.set + "/" + row.icon).second) << row.set << "/" << row.icon;
  }
  EXPECT_EQ(cells.size(), 4U * 65U);
  for (const auto& [cell, count] : cells) {
    EXPECT_GE(count, 5) << cell.first << "/" << cell.second;
    EXPECT_LE(count, 40) << cell.first << "/" << cell.second;
  }
  std::set<std::string> classes;
  for (const auto& [class_name, phrase] :
       read_csv<2>(recipe / "class_phrases.csv", {"class", "phrase"})) {
    classes.insert(class_name);
  }
  EXPECT_EQ(classes.size(), 65U);
  for (const auto& row : manifest.rows)
    EXPECT_TRUE(classes.contains(row.class_name));
  for (const auto& [domain, class_name, set, icon, reason] :
       read_csv<5>(recipe / "removed.csv", {"domain", "class", "set", "icon", "reason"})) {
    EXPECT_FALSE(pictures.contains(set + "/" + icon)) << set << "/" << icon;
    EXPECT_THAT(reason, Not(::testing::IsEmpty()));
  }
}

}  // namespace
}  // namespace petlab::datasets
