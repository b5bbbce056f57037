#include "petlab/datasets/class_part.hpp"

#include "petlab/datasets/dataset_hash.hpp"
#include "petlab/datasets/registry.hpp"
#include "petlab/datasets/split.hpp"
#include "test_support.hpp"

#include <algorithm>
#include <set>

namespace petlab::datasets {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Two domains with 6 pictures of each of 5 classes; the second has not the last.
Dataset five_classes() {
  Dataset dataset{"made", "1", {"a", "b", "c", "d", "e"}, {}, {}, "f"};
  for (const std::string name : {"one", "two"}) {
    Domain domain{name, {}, {}};
    for (std::int64_t c = 0; c < (name == "one" ? 5 : 4); ++c) {
      domain.classes.push_back(c);
      for (int i = 0; i < 6; ++i)
        domain.samples.push_back(
            {name + "/" + dataset.classes[static_cast<std::size_t>(c)] + "/" + std::to_string(i),
             {},
             c});
    }
    dataset.domains.push_back(domain);
  }
  return dataset;
}

std::set<std::string> ids(const Dataset& dataset,
                          const std::vector<std::vector<std::int64_t>>& part) {
  std::set<std::string> result;
  for (std::size_t d = 0; d < part.size(); ++d)
    for (const std::int64_t sample : part[d])
      result.insert(dataset.domains[d].samples[static_cast<std::size_t>(sample)].id);
  return result;
}

TEST(ClassPart, BaseIsTheLargerFirstHalfByName) {
  Dataset base = five_classes();
  take_classes(base, ClassPart::base);
  EXPECT_THAT(base.domains[0].classes, ElementsAre(0, 1, 2));
  EXPECT_THAT(base.domains[1].classes, ElementsAre(0, 1, 2));
  EXPECT_EQ(base.fingerprint, "f");
  EXPECT_EQ(dataset_hash(five_classes()), "f");
  Dataset fresh = five_classes();
  fresh.domains.pop_back();
  take_classes(fresh, ClassPart::unseen);
  EXPECT_THAT(fresh.domains[0].classes, ElementsAre(3, 4));
  EXPECT_NE(dataset_hash(base), "f");
  EXPECT_NE(dataset_hash(base), dataset_hash(fresh));
  EXPECT_EQ(base.domains[0].samples.size(), 30U);
}

TEST(ClassPart, ADomainNeedsTwoClasses) {
  Dataset dataset = five_classes();
  try {
    take_classes(dataset, ClassPart::unseen);  // domain two has d alone
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("domain 'two'"), HasSubstr("1 of the new classes"),
                                    HasSubstr("at least two")));
  }
}

TEST(ClassPart, SplitsOfThePartsAreThePartsOfTheWholeSplit) {
  Dataset whole = five_classes();
  whole.domains.pop_back();
  for (const SplitChoice& choice :
       {SplitChoice{.train_fraction = 0.5},
        SplitChoice{.kind = SplitChoice::Kind::shots, .train_shots = 2},
        SplitChoice{.train_fraction = 0.4, .development_fraction = 0.2}}) {
    const Split all = choose_split(whole, choice, 7);
    std::set<std::string> train, test, validation;
    std::set<std::string> hashes = {all.hash};
    for (const ClassPart part : {ClassPart::base, ClassPart::unseen}) {
      Dataset dataset = whole;
      take_classes(dataset, part);
      const Split split = choose_split(dataset, choice, 7);
      hashes.insert(split.hash);
      EXPECT_THAT(split.name, HasSubstr("-" + to_string(part) + "-classes"));
      for (const std::string& id : ids(dataset, split.train)) {
        EXPECT_EQ(id < "one/d", part == ClassPart::base) << id;
        train.insert(id);
      }
      test.merge(ids(dataset, split.test));
      validation.merge(ids(dataset, split.validation));
    }
    EXPECT_EQ(hashes.size(), 3U);
    EXPECT_EQ(train, ids(whole, all.train));
    EXPECT_EQ(test, ids(whole, all.test));
    EXPECT_EQ(validation, ids(whole, all.validation));
  }
}

}  // namespace
}  // namespace petlab::datasets
