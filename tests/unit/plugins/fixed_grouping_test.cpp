#include "fake_grouping_host.hpp"
#include "loaded_plugin.hpp"

#include <gtest/gtest.h>

namespace petlab::tests {
namespace {

FakeGroupingHost make_idle_host() {
  return {{"line", "solid", "flat", "Real World"}, 1, [](std::int64_t) { return at::Tensor(); }};
}

sdk::Partition find(const char* name, const GivenOptions& given = {}) {
  FakeGroupingHost host = make_idle_host();
  const auto result = make_grouping("fixed_grouping", name, given)->find(host);
  EXPECT_EQ(result.partitions.size(), 1u);
  EXPECT_FALSE(result.affinity.defined());
  EXPECT_EQ(host.gradient_calls, 0);
  return result.partitions.at(0).partition;
}

std::string groups_refusal(const std::string& groups) {
  return error_of(sdk::ErrorKind::config, [&] { (void)find("given", {{"groups", groups}}); });
}

TEST(FixedGrouping, GivesOneGroupOfAllOrOneGroupEach) {
  EXPECT_EQ(find("all-in-one"), (sdk::Partition{{0, 1, 2, 3}}));
  EXPECT_EQ(find("one-each"), (sdk::Partition{{0}, {1}, {2}, {3}}));
}

TEST(FixedGrouping, ReadsGroupsByNameIntoCanonicalForm) {
  EXPECT_EQ(find("given", {{"groups", "flat+Real World,line+solid"}}),
            (sdk::Partition{{0, 1}, {2, 3}}));
  EXPECT_EQ(find("given", {{"groups", " Real World + line , solid , flat "}}),
            (sdk::Partition{{0, 3}, {1}, {2}}));
}

TEST(FixedGrouping, NamesWhatIsWrongWithTheGroups) {
  EXPECT_EQ(groups_refusal(""),
            "grouping 'given': option 'groups' is '', which is empty, expected groups like "
            "'line+solid,flat+emoji'");
  EXPECT_EQ(groups_refusal("line+solid,flat"),
            "grouping 'given': option 'groups' is 'line+solid,flat', which lacks task 'Real "
            "World', expected each task once");
  EXPECT_EQ(groups_refusal("line+line,solid"),
            "grouping 'given': option 'groups' is 'line+line,solid', which names task 'line' "
            "twice, expected each task once");
  EXPECT_EQ(groups_refusal("line+sketch"),
            "grouping 'given': option 'groups' is 'line+sketch', which names 'sketch', expected "
            "one of the tasks line, solid, flat, Real World");
  EXPECT_EQ(groups_refusal("line,,solid"),
            "grouping 'given': option 'groups' is 'line,,solid', which has an empty name, expected "
            "groups like 'line+solid,flat+emoji'");
}

}  // namespace
}  // namespace petlab::tests
