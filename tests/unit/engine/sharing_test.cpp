#include "petlab/engine/sharing.hpp"

#include "petlab/base/error.hpp"
#include "petlab/engine/parameter_count.hpp"
#include "petlab/engine/run.hpp"
#include "tiny_world.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace petlab::engine {
namespace {

using ::testing::ElementsAre;

const std::vector<std::string> kTasks = {"a", "b", "c"};
const sdk::Partition kPartition = {{0, 2}, {1}};

TEST(Sharing, HasANameForEachKind) {
  for (const auto sharing : {Sharing::per_task, Sharing::joint, Sharing::grouped,
                             Sharing::grouped_specific, Sharing::joint_specific}) {
    EXPECT_EQ(parse_sharing(to_string(sharing)), sharing);
  }
  EXPECT_THROW((void)parse_sharing("some"), base::Error);
}

TEST(Arrangement, PerTask) {
  const Arrangement a = arrange(Sharing::per_task, kTasks);
  EXPECT_THAT(a.owners, ElementsAre(Owner{Scope::task, "a", "a"}, Owner{Scope::task, "b", "b"},
                                    Owner{Scope::task, "c", "c"}));
  EXPECT_THAT(a.of_task, ElementsAre(ElementsAre(0), ElementsAre(1), ElementsAre(2)));
}

TEST(Arrangement, Joint) {
  const Arrangement a = arrange(Sharing::joint, kTasks);
  EXPECT_THAT(a.owners, ElementsAre(Owner{Scope::shared, "", ""}));
  EXPECT_THAT(a.of_task, ElementsAre(ElementsAre(0), ElementsAre(0), ElementsAre(0)));
}

TEST(Arrangement, Grouped) {
  const Arrangement a = arrange(Sharing::grouped, kTasks, kPartition);
  EXPECT_THAT(a.owners,
              ElementsAre(Owner{Scope::group, "a+c", "1"}, Owner{Scope::group, "b", "2"}));
  EXPECT_THAT(a.of_task, ElementsAre(ElementsAre(0), ElementsAre(1), ElementsAre(0)));
}

TEST(Arrangement, GroupComesBeforeTask) {
  const Arrangement a = arrange(Sharing::grouped_specific, kTasks, kPartition);
  EXPECT_EQ(a.owners.size(), 5U);
  EXPECT_THAT(a.of_task, ElementsAre(ElementsAre(0, 2), ElementsAre(1, 3), ElementsAre(0, 4)));
  const Arrangement j = arrange(Sharing::joint_specific, kTasks);
  EXPECT_EQ(j.owners.size(), 4U);
  EXPECT_THAT(j.of_task, ElementsAre(ElementsAre(0, 1), ElementsAre(0, 2), ElementsAre(0, 3)));
}

TEST(CheckSharing, RefusesToComposeWhatCannotBeComposed) {
  EXPECT_NO_THROW(check_sharing(testing::both_prompts(), Sharing::grouped_specific));
  EXPECT_NO_THROW(check_sharing(testing::whole_copy(), Sharing::grouped));
  try {
    check_sharing(testing::whole_copy(), Sharing::joint_specific);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::config);
    EXPECT_STREQ(error.what(),
                 "method 'copy' cannot be used with sharing 'joint+specific': two of its adapters "
                 "cannot be composed");
  }
}

Adapters make(Sharing sharing, const std::vector<std::string>& tasks, std::uint64_t seed) {
  const auto backbone = testing::tiny_backbone();
  const auto method = testing::both_prompts().make({});
  FailureContext where;
  std::vector<Task> views;
  for (const std::string& name : tasks)
    views.push_back({name, {"cup", "bed"}, {}});
  return make_adapters(*method, "both", testing::tiny_source(*backbone, views),
                       arrange(sharing, tasks, {{0, 1}}), seed, where);
}

bool same(const Adapters& x, std::size_t i, const Adapters& y, std::size_t j) {
  return at::equal(x.parameters[i][0].value, y.parameters[j][0].value);
}

TEST(MakeAdapters, SeedOfAnAdapterIsItsOwners) {
  const Adapters both = make(Sharing::per_task, {"a", "b"}, 1);
  const Adapters alone = make(Sharing::per_task, {"b"}, 1);
  EXPECT_TRUE(same(both, 1, alone, 0));
  EXPECT_FALSE(same(both, 0, both, 1));
  EXPECT_FALSE(same(alone, 0, make(Sharing::per_task, {"b"}, 2), 0));
  // A task's own adapter starts the same whatever it is composed with.
  EXPECT_TRUE(same(make(Sharing::joint_specific, {"a", "b"}, 1), 2, both, 1));
}

TEST(MakeAdapters, AGroupStartsTheSameWhateverItsTasksAre) {
  const auto backbone = testing::tiny_backbone();
  const auto method = testing::both_prompts().make({});
  FailureContext where;
  std::vector<Task> views;
  for (const std::string& name : kTasks)
    views.push_back({name, {"cup", "bed"}, {}});
  const auto first_groups = [&](const sdk::Partition& partition) {
    return make_adapters(*method, "both", testing::tiny_source(*backbone, views),
                         arrange(Sharing::grouped, kTasks, partition), /*seed=*/1, where);
  };
  const Adapters wide = first_groups({{0, 1}, {2}}), narrow = first_groups({{0}, {1, 2}});
  EXPECT_TRUE(same(wide, 0, narrow, 0));
  EXPECT_TRUE(same(wide, 1, narrow, 1));
  EXPECT_FALSE(same(wide, 0, wide, 1));
}

TEST(RateFactors, MultiplyByNameAndByScope) {
  const Adapters adapters = make(Sharing::joint_specific, {"a", "b"}, 1);
  ASSERT_EQ(adapters.trainable().size(), 6U);  // text and vision prompts of three adapters
  Training training;
  EXPECT_EQ(adapters.rate_factors(training), std::vector<double>(6, 1.0));
  training.rate_by_scope = {{"shared", 0.25}};
  training.rate_by_parameter = {{"t*", 3.0}};
  EXPECT_THAT(adapters.rate_factors(training), ElementsAre(0.75, 0.25, 3.0, 1.0, 3.0, 1.0));
  training.rate_by_parameter = {{"scales", 2.0}};
  try {
    (void)adapters.rate_factors(training);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::config);
    EXPECT_THAT(error.what(),
                ::testing::HasSubstr("rate-by-parameter has 'scales', which fits none of the "
                                     "adapters' parameters: "));
  }
}

TEST(CountParameters, CountsEachAdapter) {
  const Adapters adapters = make(Sharing::grouped_specific, {"a", "b"}, 1);
  const auto backbone = testing::tiny_backbone();
  const auto counts = count_parameters(adapters, *backbone);
  ASSERT_EQ(counts.size(), 4U);
  const std::int64_t expected = 2 * 2 * 16 + 2 * 2 * 12;  // layers x tokens x width, both towers
  EXPECT_EQ(counts[0].scope, "group");
  EXPECT_EQ(counts[0].owner, "a+b");
  EXPECT_EQ(counts[2].scope, "task");
  EXPECT_EQ(counts[2].owner, "b");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(counts[static_cast<std::size_t>(i)].trainable, expected);
    EXPECT_EQ(counts[static_cast<std::size_t>(i)].stored_bytes, 4 * expected);
  }
  EXPECT_EQ(counts[3].scope, "frozen");
  EXPECT_EQ(counts[3].trainable, 0);
  EXPECT_EQ(counts[3].stored_bytes, 4 * backbone->parameter_count());
}

TEST(CountParameters, CountsATensorThatTwoAdaptersUseOnce) {
  Adapters adapters = make(Sharing::per_task, {"a", "b"}, 1);
  adapters.parameters[1][0].value = adapters.parameters[0][0].value;
  adapters.parameters[1].push_back({"again", adapters.parameters[0][0].value.view({-1})});
  const auto counts = count_parameters(adapters, *testing::tiny_backbone());
  EXPECT_EQ(counts[0].trainable, 2 * 2 * 16 + 2 * 2 * 12);
  EXPECT_EQ(counts[1].trainable, 2 * 2 * 16);  // the text prompts are the first adapter's
}

TEST(TrainedHash, DependsOnValues) {
  const Adapters adapters = make(Sharing::joint, {"a", "b"}, 1);
  const std::string before = trained_hash(adapters);
  EXPECT_EQ(before, trained_hash(make(Sharing::joint, {"a", "b"}, 1)));
  EXPECT_NE(before, trained_hash(make(Sharing::joint, {"a", "b"}, 2)));
  EXPECT_EQ(before.size(), 64U);
}

}  // namespace
}  // namespace petlab::engine
