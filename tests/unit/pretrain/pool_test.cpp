#include "petlab/pretrain/pool.hpp"

#include "icon_fixture.hpp"
#include "petlab/base/error.hpp"
#include "petlab/datasets/csv.hpp"
#include "petlab/pretrain/sampler.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>

namespace petlab::pretrain {
namespace {

using testing::UnorderedElementsAre;

std::vector<std::string> names_of(const std::vector<PoolIcon>& pool) {
  std::vector<std::string> names;
  for (const PoolIcon& icon : pool)
    names.push_back(icon.set + ":" + icon.name);
  return names;
}

/// The rule, written a second time and more bluntly: words of phrases, as they are.
void expect_no_class_word_by_evaluation_designers(const std::vector<PoolIcon>& pool,
                                                  const PoolRule& rule) {
  std::set<std::string> words;
  for (const auto& row :
       datasets::read_csv<2>(IconFixture::recipe() / "class_phrases.csv", {"class", "phrase"}))
    for (const std::string& word : words_of(row[0] + " " + row[1]))
      words.insert(word);
  std::set<std::string> evaluation;
  for (const auto& row : datasets::read_csv<4>(IconFixture::recipe() / "manifest.csv",
                                               {"domain", "class", "set", "icon"}))
    evaluation.insert(rule.family_of(row[2]));
  ASSERT_FALSE(evaluation.empty());
  for (const PoolIcon& icon : pool) {
    if (!evaluation.contains(icon.family)) continue;
    for (const std::string& word : words_of(icon.name))
      ASSERT_FALSE(words.contains(word)) << icon.set << ":" << icon.name;
  }
}

TEST(PoolRule, KnowsTheEvaluationDesignersFromTheManifest) {
  const PoolRule rule(IconFixture::recipe());
  EXPECT_TRUE(rule.evaluation_families().contains("openmoji"));
  EXPECT_TRUE(rule.evaluation_families().contains("heroicons"));  // through heroicons-outline
  for (const std::string& family : rule.evaluation_families())
    EXPECT_FALSE(rule.is_free(family));
}

TEST(PoolRule, GivesClassWordsOnlyByDesignersWithoutEvaluationPictures) {
  const PoolRule rule(IconFixture::recipe());
  EXPECT_TRUE(rule.allows("tabler", "airplane"));
  EXPECT_FALSE(rule.allows("openmoji", "airplane"));
  EXPECT_FALSE(rule.allows("openmoji", "airplanes-2"));
  EXPECT_TRUE(rule.allows("openmoji", "whale"));
  // Drawn like an evaluation set but in no list: strangers are not trusted.
  EXPECT_FALSE(rule.allows("fluent-emoji-high-contrast", "airplane"));
}

TEST(Pool, LeavesOutLicencesLogosAndSubjectsThatOneDesignerDrew) {
  const IconFixture fixture;
  const PoolRule rule(IconFixture::recipe());
  const std::vector<PoolIcon> pool = select_pool(fixture.package(), rule);
  EXPECT_THAT(
      names_of(pool),
      UnorderedElementsAre("lucide:airplane", "lucide:truck", "lucide:umbrella", "lucide:whale",
                           "mingcute:truck-fill", "mingcute:umbrella-line", "openmoji:truck",
                           "openmoji:whale", "tabler:airplane", "tabler:truck", "tabler:umbrella"));
  EXPECT_TRUE(std::is_sorted(pool.begin(), pool.end(), [](const auto& a, const auto& b) {
    return std::tie(a.set, a.name) < std::tie(b.set, b.name);
  }));
  expect_no_class_word_by_evaluation_designers(pool, rule);
}

TEST(Pool, AMissingPackageIsOneSentence) {
  const PoolRule rule(IconFixture::recipe());
  EXPECT_THROW((void)select_pool("/nowhere", rule), base::Error);
}

TEST(Pool, OfTheRealPackageHoldsNoClassWordByAnEvaluationDesigner) {
  const char* const given = std::getenv("PETLAB_ICON_PACKAGE");
  const std::filesystem::path package =
      given != nullptr
          ? std::filesystem::path(given)
          : std::filesystem::path(PETLAB_SOURCE_DIR) / "datasets/cache/iconify-json-2.2.535";
  if (!std::filesystem::exists(package / "package.json"))
    GTEST_SKIP() << "no icon package in " << package << "; `make demo` fetches it";
  const PoolRule rule(IconFixture::recipe());
  const std::vector<PoolIcon> pool = select_pool(package, rule);
  EXPECT_GT(pool.size(), 80000U);
  expect_no_class_word_by_evaluation_designers(pool, rule);
}

TEST(Pool, TakesNamesFromAliasesAndRefusesPicturesThatHaveAClassWordForAnAlias) {
  const IconFixture fixture;
  fixture.add_aliases("openmoji", {{"truck", "lorry-icon"}, {"whale", "airplane-2"}});
  const PoolRule rule(IconFixture::recipe());
  const std::vector<PoolIcon> pool = select_pool(fixture.package(), rule);
  const auto names = names_of(pool);
  EXPECT_THAT(names, testing::Not(testing::Contains("openmoji:whale")));
  const auto truck = std::find_if(pool.begin(), pool.end(), [](const PoolIcon& icon) {
    return icon.set == "openmoji" && icon.name == "truck";
  });
  ASSERT_NE(truck, pool.end());
  EXPECT_THAT(truck->own_names, testing::ElementsAre("truck", "lorry"));
  EXPECT_EQ(truck->set_title, "openmoji");
}

TEST(Curriculum, HoldsTheMeasuredDesignerOutAndStartsWithWhatManyDrew) {
  const IconFixture fixture;
  const std::vector<PoolIcon> pool =
      select_pool(fixture.package(), PoolRule(IconFixture::recipe()));
  const Curriculum curriculum =
      make_curriculum(pool, {.table_families = 3, .held_out = {"mingcute"}});
  EXPECT_EQ(curriculum.n_rows, 1);  // trucks; umbrellas are left with two designers
  ASSERT_EQ(curriculum.held_out.size(), 1U);
  EXPECT_EQ(curriculum.held_out[0].family, "mingcute");
  EXPECT_EQ(curriculum.held_out[0].pictures.size(), 1U);
  EXPECT_EQ(curriculum.held_out_subjects.size(), 1U);
  base::SplitMix64 generator(1);
  const auto share_of_trucks = [&](double progress) {
    double trucks = 0;
    for (const std::int64_t i : draw_pictures(curriculum, progress, 0.0, 4000, generator)) {
      const PoolIcon& icon = pool[static_cast<std::size_t>(i)];
      EXPECT_NE(icon.family, "mingcute");
      if (icon.subject == "truck") trucks += 1.0 / 4000;
    }
    return trucks;
  };
  // Three designers against three subjects of two: 3^p / (3^p + 3 * 2^p).
  EXPECT_NEAR(share_of_trucks(0.0), 27.0 / 51.0, 0.03);
  EXPECT_NEAR(share_of_trucks(1.0), 0.342, 0.03);
}

TEST(Curriculum, DrawsPairsOfOneSubject) {
  const IconFixture fixture;
  const std::vector<PoolIcon> pool =
      select_pool(fixture.package(), PoolRule(IconFixture::recipe()));
  const Curriculum curriculum = make_curriculum(pool, {.table_families = 3, .held_out = {}});
  base::SplitMix64 generator(1);
  const std::vector<std::int64_t> drawn = draw_pictures(curriculum, 1.0, 1.0, 4001, generator);
  ASSERT_EQ(drawn.size(), 4001U);
  const auto subject_at = [&](std::size_t i) {
    return curriculum.subject_of_picture[static_cast<std::size_t>(drawn[i])];
  };
  // A partner is another picture of the subject, unless chance names the same one again.
  std::size_t pairs = 0;
  for (std::size_t i = 0; i + 1 < drawn.size(); ++i)
    pairs += subject_at(i) == subject_at(i + 1) && drawn[i] != drawn[i + 1];
  EXPECT_GT(pairs, 1300U);
}

TEST(Curriculum, NeverUsesExcludedPictures) {
  const IconFixture fixture;
  const std::vector<PoolIcon> pool =
      select_pool(fixture.package(), PoolRule(IconFixture::recipe()));
  const Curriculum curriculum =
      make_curriculum(pool, {.table_families = 2, .held_out = {"mingcute"}, .excluded = {0, 3, 4}});
  for (const std::int64_t excluded : {0, 3, 4}) {
    EXPECT_THAT(curriculum.training, testing::Not(testing::Contains(excluded)));
    for (const HeldOut& held_out : curriculum.held_out)
      EXPECT_THAT(held_out.pictures, testing::Not(testing::Contains(excluded)));
    for (const auto& pictures : curriculum.training_of_subject)
      EXPECT_THAT(pictures, testing::Not(testing::Contains(excluded)));
  }
}

}  // namespace
}  // namespace petlab::pretrain
