#include "petlab/datasets/split.hpp"

#include "petlab/base/random.hpp"
#include "test_support.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

namespace petlab::datasets {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Two domains, classes of 1, 2, 5, 10 and 40 pictures; ids only, there are no files.
Dataset make_dataset() {
  Dataset dataset{"made", "1", {"a", "b", "c", "d", "e"}, {}, {}, "f"};
  for (const std::string name : {"one", "two"}) {
    Domain domain{name, {}, {0, 1, 2, 3, 4}};
    const std::vector<int> sizes{1, 2, 5, 10, 40};
    for (std::size_t c = 0; c < sizes.size(); ++c) {
      for (int i = 0; i < sizes[c]; ++i) {
        const std::string number = std::to_string(100 + i);
        domain.samples.push_back(
            {name + "/" + dataset.classes[c] + "/" + number, {}, static_cast<std::int64_t>(c)});
      }
    }
    dataset.domains.push_back(domain);
  }
  return dataset;
}

std::map<std::int64_t, std::size_t> per_class(const Domain& domain,
                                              const std::vector<std::int64_t>& part) {
  std::map<std::int64_t, std::size_t> counts;
  for (const auto i : part)
    ++counts[domain.samples[static_cast<std::size_t>(i)].label];
  return counts;
}

TEST(Split, IsStratifiedDisjointAndComplete) {
  const Dataset dataset = make_dataset();
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Split split = make_split(dataset, 0.1, seed);
    ASSERT_EQ(split.train.size(), 2U);
    for (std::size_t d = 0; d < 2; ++d) {
      const auto counts = per_class(dataset.domains[d], split.train[d]);
      EXPECT_EQ(counts,
                (std::map<std::int64_t, std::size_t>{{0, 1}, {1, 1}, {2, 1}, {3, 1}, {4, 4}}));
      EXPECT_TRUE(std::is_sorted(split.train[d].begin(), split.train[d].end()));
      EXPECT_TRUE(std::is_sorted(split.test[d].begin(), split.test[d].end()));
      std::set<std::int64_t> all(split.train[d].begin(), split.train[d].end());
      all.insert(split.test[d].begin(), split.test[d].end());
      EXPECT_EQ(all.size(), dataset.domains[d].samples.size());
      EXPECT_EQ(split.train[d].size() + split.test[d].size(), all.size());
    }
  }
}

TEST(Split, RoundsHalfUpAndLeavesSomethingToTest) {
  const Dataset dataset = make_dataset();
  const auto half = per_class(dataset.domains[0], make_split(dataset, 0.5, 1).train[0]);
  EXPECT_EQ(half, (std::map<std::int64_t, std::size_t>{{0, 1}, {1, 1}, {2, 3}, {3, 5}, {4, 20}}));
  const auto most = per_class(dataset.domains[0], make_split(dataset, 0.99, 1).train[0]);
  EXPECT_EQ(most, (std::map<std::int64_t, std::size_t>{{0, 1}, {1, 1}, {2, 4}, {3, 9}, {4, 39}}));
}

TEST(Split, DependsOnTheSeedAndIsTheSameEverywhere) {
  const Dataset dataset = make_dataset();
  const Split first = make_split(dataset, 0.1, 1);
  EXPECT_EQ(make_split(dataset, 0.1, 1).hash, first.hash);
  EXPECT_NE(make_split(dataset, 0.1, 2).hash, first.hash);
  EXPECT_NE(first.train[0], first.train[1]) << "domains have streams of their own";
  EXPECT_EQ(first.name, "stratified-10%-seed1");
  // Golden: these pictures and this hash must never change, or stored results lose their meaning.
  EXPECT_THAT(first.train[0], ElementsAre(0, 2, 7, 8, 30, 37, 42, 45));
  EXPECT_EQ(first.hash, "197ba02b9391ffcb16ca0ca903b626a4310249d1a3168dee33f52d1a30ec67d5");
}

TEST(Split, OfOneDomainDoesNotDependOnTheOthers) {
  const Dataset dataset = make_dataset();
  Dataset alone = dataset;
  alone.domains.erase(alone.domains.begin());
  EXPECT_EQ(make_split(alone, 0.2, 3).train[0], make_split(dataset, 0.2, 3).train[1]);
}

TEST(Split, OfASmallerFractionIsInsideThatOfALarger) {
  const Dataset dataset = make_dataset();
  const auto small = make_split(dataset, 0.1, 4).train[1];
  const auto large = make_split(dataset, 0.2, 4).train[1];
  EXPECT_TRUE(std::includes(large.begin(), large.end(), small.begin(), small.end()));
}

TEST(Split, RefusesFractionsThatLeaveASideEmpty) {
  const Dataset dataset = make_dataset();
  for (const double fraction : {0.0, 1.0, -0.1, 1.5}) {
    EXPECT_THROW((void)make_split(dataset, fraction, 1), base::Error) << fraction;
  }
}

TEST(Split, ValidationIsCarvedFromTrainingOnly) {
  const Dataset dataset = make_dataset();
  const Split split = make_split(dataset, 0.5, 1);
  const Split validation = make_validation_split(dataset, split, 0.2, 1);
  for (std::size_t d = 0; d < 2; ++d) {
    std::set<std::int64_t> both(validation.train[d].begin(), validation.train[d].end());
    both.insert(validation.test[d].begin(), validation.test[d].end());
    EXPECT_EQ(both, std::set<std::int64_t>(split.train[d].begin(), split.train[d].end()));
    const auto kept = per_class(dataset.domains[d], validation.train[d]);
    EXPECT_EQ(kept, (std::map<std::int64_t, std::size_t>{{0, 1}, {1, 1}, {2, 2}, {3, 4}, {4, 16}}));
  }
}

TEST(Split, OfShotsTakesTheSameNumberOfEachClass) {
  const Dataset dataset = make_dataset();
  const Split four = make_shots_split(dataset, 4, 1);
  EXPECT_EQ(four.name, "stratified-4-shot-seed1");
  EXPECT_EQ(per_class(dataset.domains[0], four.train[0]),
            (std::map<std::int64_t, std::size_t>{{0, 1}, {1, 1}, {2, 4}, {3, 4}, {4, 4}}))
      << "one image of two stays for the test";
  const Split eight = make_shots_split(dataset, 8, 1);
  EXPECT_TRUE(std::includes(eight.train[1].begin(), eight.train[1].end(), four.train[1].begin(),
                            four.train[1].end()));
  EXPECT_THROW((void)make_shots_split(dataset, 0, 1), base::Error);
  // Golden, as below.
  EXPECT_EQ(four.hash, "957ad21648387eede7e7988a565431ef67849ed7bb9488ea951e054f20d5a02f");
}

TEST(Split, HoldsValidationPicturesApartFromBothOthers) {
  const Dataset dataset = make_dataset();
  const Split split = make_split(dataset, 0.5, 1);
  const Split three = with_validation(dataset, split, {.shots = 2}, 1);
  EXPECT_EQ(three.test, split.test);
  EXPECT_NE(three.hash, split.hash);
  for (std::size_t d = 0; d < 2; ++d) {
    std::set<std::int64_t> both(three.train[d].begin(), three.train[d].end());
    both.insert(three.validation[d].begin(), three.validation[d].end());
    EXPECT_EQ(both, std::set<std::int64_t>(split.train[d].begin(), split.train[d].end()));
    EXPECT_EQ(per_class(dataset.domains[d], three.validation[d]),
              (std::map<std::int64_t, std::size_t>{{2, 2}, {3, 2}, {4, 2}}));
  }
  const Split tested = tested_on_validation(dataset, three);
  EXPECT_EQ(tested.test, three.validation);
  EXPECT_THAT(error_of([&] { (void)tested_on_validation(dataset, split); }),
              HasSubstr("no validation images in domain 'one'"));
}

SplitChoice with_development(double fraction, std::uint64_t seed = 1) {
  SplitChoice choice;
  choice.train_fraction = 0.2;
  choice.development_fraction = fraction;
  choice.development_seed = seed;
  return choice;
}

TEST(DevelopmentSplit, IsTheSameForEverySeedAndNeverTrainsOrTests) {
  const Dataset dataset = make_dataset();
  const Split first = choose_split(dataset, with_development(0.3), 1);
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Split split = choose_split(dataset, with_development(0.3), seed);
    EXPECT_EQ(split.validation, first.validation);
    for (std::size_t d = 0; d < 2; ++d) {
      std::set<std::int64_t> all;
      for (const auto* part : {&split.train[d], &split.test[d], &split.validation[d]})
        all.insert(part->begin(), part->end());
      EXPECT_EQ(all.size(), dataset.domains[d].samples.size());
      EXPECT_EQ(split.train[d].size() + split.test[d].size() + split.validation[d].size(),
                all.size());
    }
  }
  EXPECT_NE(choose_split(dataset, with_development(0.3, 2), 1).validation, first.validation);
  EXPECT_NE(first.validation[0], first.validation[1]) << "domains have streams of their own";
  EXPECT_EQ(first.name, "stratified-20%-seed1-development-30%-seed1");
  // Golden, as above.
  EXPECT_EQ(first.hash, "ddbb8c55bb74a27320d0ff105215de9d67a4a342df92b9695d25fd6c57cd62f0");
}

TEST(DevelopmentSplit, LeavesEachClassOneImageToTrainAndOneToTest) {
  const Dataset dataset = make_dataset();
  using Counts = std::map<std::int64_t, std::size_t>;
  const auto counts = [&](const std::vector<std::int64_t>& part) {
    return per_class(dataset.domains[0], part);
  };
  const Split third = choose_split(dataset, with_development(0.3), 1);
  EXPECT_EQ(counts(third.validation[0]), (Counts{{2, 2}, {3, 3}, {4, 12}}))
      << "classes of one and two images give none";
  EXPECT_EQ(counts(third.train[0]), (Counts{{0, 1}, {1, 1}, {2, 1}, {3, 2}, {4, 8}}))
      << "a share of all images, as without development images";
  EXPECT_EQ(counts(third.test[0]), (Counts{{1, 1}, {2, 2}, {3, 5}, {4, 20}}));
  const Split most = choose_split(dataset, with_development(0.79), 1);
  EXPECT_EQ(counts(most.validation[0]), (Counts{{2, 3}, {3, 8}, {4, 32}}));
  EXPECT_EQ(counts(most.test[0]), (Counts{{1, 1}, {2, 1}, {3, 1}, {4, 1}}));
  const Split least = choose_split(dataset, with_development(0.01), 1);
  EXPECT_EQ(counts(least.validation[0]), (Counts{{2, 1}, {3, 1}, {4, 1}}));
}

TEST(DevelopmentSplit, TakesTrainingImagesInTheOrderOfTheSplitWithoutIt) {
  const Dataset dataset = make_dataset();
  SplitChoice choice = with_development(0.3);
  choice.kind = SplitChoice::Kind::shots;
  choice.train_shots = 10;
  const Split split = choose_split(dataset, choice, 1);
  EXPECT_EQ(per_class(dataset.domains[1], split.train[1]),
            (std::map<std::int64_t, std::size_t>{{0, 1}, {1, 1}, {2, 2}, {3, 6}, {4, 10}}))
      << "fewer where a class has not one more for the test";
  const auto without = make_shots_split(dataset, 22, 1).train[1];
  for (const std::int64_t sample : split.train[1])
    EXPECT_TRUE(std::binary_search(without.begin(), without.end(), sample)) << sample;
}

TEST(DevelopmentSplit, ComesFromTheTrainingPartOfLists) {
  Dataset dataset = make_dataset();
  for (Domain& domain : dataset.domains)
    for (std::size_t i = 0; i < domain.samples.size(); ++i)
      domain.samples[i].part = i % 4 == 3   ? Part::test
                               : i % 4 == 2 ? Part::validation
                                            : Part::train;
  const Split own = own_split(dataset);
  SplitChoice choice = with_development(0.4);
  choice.own_lists = true;
  const Split split = choose_split(dataset, choice, 1);
  EXPECT_EQ(split.test, own.test);
  for (std::size_t d = 0; d < 2; ++d) {
    EXPECT_FALSE(split.validation[d].empty());
    for (const auto* part : {&split.train[d], &split.validation[d]})
      EXPECT_TRUE(
          std::includes(own.train[d].begin(), own.train[d].end(), part->begin(), part->end()));
    std::set<std::int64_t> both(split.train[d].begin(), split.train[d].end());
    both.insert(split.validation[d].begin(), split.validation[d].end());
    EXPECT_EQ(both.size(), split.train[d].size() + split.validation[d].size());
  }
}

TEST(DevelopmentSplit, IsScoredInThePlaceOfTheTestImages) {
  const Dataset dataset = make_dataset();
  const Split split = choose_split(dataset, with_development(0.3), 3);
  const Split scored = tested_on_validation(dataset, split);
  EXPECT_EQ(scored.train, split.train);
  EXPECT_EQ(scored.test, split.validation);
  EXPECT_NE(scored.hash, split.hash);
  // Without one, nothing is another split than it was.
  EXPECT_EQ(choose_split(dataset, with_development(0), 3).hash, make_split(dataset, 0.2, 3).hash);
}

TEST(DevelopmentSplit, IsRefusedWhereItCannotBe) {
  const Dataset dataset = make_dataset();
  const auto refusal = [&](const SplitChoice& choice, const Dataset& of) {
    return error_of([&] { (void)choose_split(of, choice, 1); });
  };
  EXPECT_THAT(refusal(with_development(0.8), dataset), HasSubstr("less than 100% together"));
  EXPECT_THAT(refusal(with_development(1.5), dataset), HasSubstr("less than 100% together"));
  SplitChoice listed = with_development(0.1);
  listed.kind = SplitChoice::Kind::list;
  EXPECT_THAT(refusal(listed, dataset), HasSubstr("a split by lists has no development images"));
  SplitChoice shots = with_development(1.5);
  shots.kind = SplitChoice::Kind::shots;
  shots.train_shots = 1;
  EXPECT_THAT(refusal(shots, dataset), HasSubstr("expected more than 0 and less than 1"));
  Dataset small = dataset;
  std::erase_if(small.domains[1].samples, [](const Sample& sample) { return sample.label > 1; });
  EXPECT_THAT(refusal(with_development(0.1), small),
              HasSubstr("domain 'two' has no class that is large enough for a development image: "
                        "expected at least 3 images of a class"));
}

class SplitFile : public TemporaryFolder {};

TEST_F(SplitFile, SaysWhenItWasChanged) {
  const Dataset dataset = make_dataset();
  const Split split = with_validation(dataset, make_split(dataset, 0.5, 2), {.fraction = 0.4}, 2);
  const auto file = root() / "split.csv";
  write_split(file, dataset, split);
  const Split read = read_split(file, dataset);
  EXPECT_EQ(read.validation, split.validation);
  EXPECT_EQ(read.hash, split.hash);
  std::string text = text_of(file);
  const auto at = text.find(",train,\n");
  ASSERT_NE(at, std::string::npos);
  text.replace(at, 8, ",test,\n");
  write("split.csv", text);
  EXPECT_THAT(error_of([&] { (void)read_split(file, dataset); }),
              HasSubstr("split.csv was changed since it was written"));
}

TEST_F(SplitFile, ComesBackAsItWasWritten) {
  Dataset dataset = make_dataset();
  dataset.domains[0].samples[3].id = "one/c/with, comma and \"quotes\"";
  const Split split = make_split(dataset, 0.2, 2);
  write_split(root() / "split.csv", dataset, split);
  const Split read = read_split(root() / "split.csv", dataset);
  EXPECT_EQ(read.train, split.train);
  EXPECT_EQ(read.test, split.test);
  EXPECT_EQ(read.hash, split.hash);
  std::ostringstream text;
  print_summary(text, dataset, read);
  EXPECT_THAT(text.str(), HasSubstr("one: 13 train (1 to 8 a class), 45 test"));
}

TEST_F(SplitFile, IsRefusedWithFileAndLine) {
  const Dataset dataset = make_dataset();
  const std::string head = "domain,id,part\none,one/b/100,train\n";
  const auto read = [&](const std::string& text) {
    const auto file = write("s.csv", text);
    return error_of([&] { (void)read_split(file, dataset); });
  };
  EXPECT_THAT(read(head + "three,x,train\n"),
              HasSubstr("s.csv line 3: data set 'made' has no domain 'three'"));
  EXPECT_THAT(read(head + "one,one/b/999,train\n"),
              HasSubstr("line 3: image 'one/b/999' is not in"));
  EXPECT_THAT(read(head + "one,one/b/100,test\n"),
              HasSubstr("line 3: image 'one/b/100' is listed already, in line 2"));
  EXPECT_THAT(read(head + "one,one/b/101,validate\n"), HasSubstr("line 3: part is 'validate'"));
  EXPECT_THAT(read(head), HasSubstr("images too few"));
  EXPECT_THAT(read("domain,id\none,x\n"), HasSubstr("s.csv line 1"));
  EXPECT_THAT(read(head + "one,one/b/101\n"), HasSubstr("s.csv line 3"));
  EXPECT_THAT(error_of([&] { (void)read_split(root() / "none.csv", dataset); }),
              HasSubstr("cannot read"));
}

SplitChoice shots_tested_as(std::int64_t shots, std::int64_t largest) {
  SplitChoice choice;
  choice.kind = SplitChoice::Kind::shots;
  choice.train_shots = shots;
  choice.largest.shots = largest;
  return choice;
}

// Classes of 1, 2, 5, 10 and 40 images. Eight shots leave 0, 1, 1, 2 and 32 of them, whatever
// trains.
TEST(SplitOfSeveralSizes, HasNestedTrainingImagesAndOneTestSet) {
  const Dataset dataset = make_dataset();
  using Counts = std::map<std::int64_t, std::size_t>;
  const Split eight = make_shots_split(dataset, 8, 3);
  Split smaller;
  for (const std::int64_t shots : {1, 2, 4, 8}) {
    const Split split = choose_split(dataset, shots_tested_as(shots, 8), 3);
    EXPECT_EQ(split.test, eight.test) << shots;
    for (std::size_t d = 0; d < 2; ++d) {
      EXPECT_EQ(per_class(dataset.domains[d], split.test[d]),
                (Counts{{1, 1}, {2, 1}, {3, 2}, {4, 32}}));
      if (shots == 4) {
        EXPECT_EQ(per_class(dataset.domains[d], split.train[d]),
                  (Counts{{0, 1}, {1, 1}, {2, 4}, {3, 4}, {4, 4}}));
      }
      if (shots > 1) {
        EXPECT_TRUE(std::includes(split.train[d].begin(), split.train[d].end(),
                                  smaller.train[d].begin(), smaller.train[d].end()));
      }
      std::vector<std::int64_t> both;
      std::set_intersection(split.train[d].begin(), split.train[d].end(), split.test[d].begin(),
                            split.test[d].end(), std::back_inserter(both));
      EXPECT_TRUE(both.empty());
    }
    // What trains is what trains without the others.
    EXPECT_EQ(split.train, make_shots_split(dataset, shots, 3).train);
    smaller = split;
  }
  EXPECT_EQ(smaller.hash, eight.hash) << "the largest is the split as it always was";
  EXPECT_EQ(choose_split(dataset, shots_tested_as(2, 8), 3).name,
            "stratified-2-shot-seed3-tested-as-8-shot");
}

TEST(SplitOfSeveralSizes, IsTheSameForSharesAndBesideDevelopmentImages) {
  const Dataset dataset = make_dataset();
  SplitChoice choice = with_development(0.3);
  const Split large = choose_split(dataset, choice, 2);  // 20 % train
  choice.train_fraction = 0.05;
  choice.largest.fraction = 0.2;
  const Split small = choose_split(dataset, choice, 2);
  EXPECT_EQ(small.test, large.test);
  EXPECT_EQ(small.validation, large.validation);
  EXPECT_EQ(per_class(dataset.domains[0], small.train[0]),
            (std::map<std::int64_t, std::size_t>{{0, 1}, {1, 1}, {2, 1}, {3, 1}, {4, 2}}));
  for (std::size_t d = 0; d < 2; ++d)
    EXPECT_TRUE(std::includes(large.train[d].begin(), large.train[d].end(), small.train[d].begin(),
                              small.train[d].end()));
}

TEST(SplitOfSeveralSizes, RefusesATestSetOfASmallerSize) {
  const Dataset dataset = make_dataset();
  EXPECT_THAT(error_of([&] { (void)choose_split(dataset, shots_tested_as(4, 2), 1); }),
              HasSubstr("the training part of a split is 4-shot, its test images are those of "
                        "2-shot; expected the same or more"));
  SplitChoice mixed = shots_tested_as(4, 0);
  mixed.largest.fraction = 0.5;
  EXPECT_THROW((void)choose_split(dataset, mixed, 1), base::Error);
}

}  // namespace
}  // namespace petlab::datasets
