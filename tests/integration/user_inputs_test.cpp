// The whole program on what users really have.
#include "petlab/results/run_store.hpp"
#include "program.hpp"
#include "sample_study.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace petlab::tests {
namespace {

namespace fs = std::filesystem;
using results::OpenMode;
using results::RunStore;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class UserInputs : public testing::Test {
 protected:
  /// A study of zero-shot on the folder `root`, with more lines in [dataset] and in the row.
  std::string study(const std::string& root, const std::string& dataset = "train-fraction = 0.5",
                    const std::string& row = "", const std::string& seeds = "1") const {
    std::ofstream(workshop_.folder() / "s.ini")
        << "[study]\nname = s\nseeds = " << seeds << "\n[dataset]\nname = folder\nroot = " << root
        << "\n"
        << dataset << "\n[backbone]\ndir = clip\n[train]\nepochs = 1\nwarmup-epochs = 0\n"
        << "[row.zero]\nmethod = zero-shot\nsharing = joint\n"
        << row << "\n";
    return "s.ini";
  }
  Output run(const std::string& file, const std::string& store = "s.sqlite") const {
    return petlab(run_arguments(file, store));
  }
  Output petlab(const std::vector<std::string>& arguments) const {
    return run_petlab(arguments, workshop_.folder());
  }
  [[nodiscard]] fs::path pictures() const { return workshop_.folder() / "pictures"; }
  void copy_pictures(const std::string& to) const {
    fs::copy(pictures(), workshop_.folder() / to, fs::copy_options::recursive);
  }
  [[nodiscard]] std::string last_line(const std::string& text) const {
    const auto end = text.find_last_not_of('\n');
    return text.substr(text.rfind('\n', end) + 1, end);
  }
  [[nodiscard]] std::string template_of(const std::string& store) const {
    const RunStore runs(workshop_.folder() / store, OpenMode::read_only);
    const auto record = runs.load(runs.runs(runs.studies().at(0)).at(0).plan.hash).value();
    for (const auto& [name, value] : record.environment)
      if (name == "text_template") return value;
    return "";
  }
  Workshop workshop_;
};

TEST_F(UserInputs, AFolderWithAHashIsMeasuredNotItsNeighbour) {
  copy_pictures("pictures#2");
  fs::remove_all(workshop_.folder() / "pictures#2/Art/bed");
  ASSERT_EQ(run(study("pictures#2")).exit_code, 0);
  const RunStore store(workshop_.folder() / "s.sqlite", OpenMode::read_only);
  const auto record = store.load(store.runs(store.studies().at(0)).at(0).plan.hash).value();
  EXPECT_EQ(store.split(record.split_hash, record.dataset_hash)->tasks.at(0).classes.size(), 3U);
  const Output protocol = petlab({"plan", "s.ini", "--protocol"});
  EXPECT_THAT(protocol.out, HasSubstr("pictures#2\n"));
}

TEST_F(UserInputs, QuotesAreNoPartOfAPrompt) {
  const std::string split = "train-fraction = 0.5";
  ASSERT_EQ(run(study("pictures", split, "option.template = \"a drawing of a {}.\"")).exit_code, 0);
  EXPECT_EQ(template_of("s.sqlite"), "a drawing of a {}.");
  const Output again =
      run(study("pictures", split, "option.template = a drawing of a {}.  # usual"));
  EXPECT_THAT(again.out, HasSubstr("1 in s.sqlite, 0 to do")) << "the same run";
  const std::string file = study("pictures", split, "option.template = a {}. ; usual");
  std::ifstream lines(workshop_.folder() / file);
  int number = 1;
  for (std::string line; std::getline(lines, line) && !line.starts_with("option.template");)
    ++number;
  const Output comment = run(file);
  EXPECT_EQ(comment.exit_code, 2);
  EXPECT_THAT(comment.err,
              AllOf(HasSubstr("s.ini:" + std::to_string(number) + ":"), HasSubstr("holds a ;")));
  const Output set =
      petlab({"plan", study("pictures"), "--set", "row.zero.option.template=\"a {}\""});
  EXPECT_EQ(set.exit_code, 2);
  EXPECT_THAT(set.err, HasSubstr("stands in quotes"));
}

TEST_F(UserInputs, ARepairedPictureIsAnotherDataSetBesideTheFirst) {
  const std::string file = study("pictures");
  ASSERT_EQ(run(file, "a.sqlite").exit_code, 0);
  fs::copy_file(pictures() / "Art/bed/picture0.jpg", pictures() / "Art/mug/picture0.jpg",
                fs::copy_options::overwrite_existing);
  const Output second = run(file, "a.sqlite");
  ASSERT_EQ(second.exit_code, 0) << second.err;
  ASSERT_EQ(run(file, "b.sqlite").exit_code, 0);
  fs::copy_file(pictures() / "Art/bed/picture2.jpg", pictures() / "Art/mug/picture0.jpg",
                fs::copy_options::overwrite_existing);
  ASSERT_EQ(run(file, "c.sqlite").exit_code, 0);
  const Output merge = petlab({"merge", "--rename", "c.sqlite", "a.sqlite", "b.sqlite"});
  EXPECT_EQ(merge.exit_code, 0) << merge.err;
  EXPECT_EQ(petlab({"report", "--store", "a.sqlite", "--out", "rep"}).exit_code, 0);
}

TEST_F(UserInputs, ClassNamesAreAnotherRunAndStandInTheReport) {
  std::ofstream(workshop_.folder() / "names.csv")
      << "folder,name\nalarm_clock,clock\nbed,bunk\nkettle,pot\nmug,cup\n";
  ASSERT_EQ(run(study("pictures")).exit_code, 0);
  const Output named = run(study("pictures", "train-fraction = 0.5\nclass-names = names.csv"));
  ASSERT_EQ(named.exit_code, 0) << named.err;
  EXPECT_THAT(named.out, HasSubstr("0 in s.sqlite, 1 to do"));
  ASSERT_EQ(petlab({"report", "--store", "s.sqlite", "--out", "rep"}).exit_code, 0);
  std::ifstream in(workshop_.folder() / "rep/report.md");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  EXPECT_THAT(text, HasSubstr("names.csv: clock, bunk, pot, cup"));
  // Names that the folders say as well are no other run.
  std::ofstream(workshop_.folder() / "names.csv")
      << "folder,name\nalarm_clock,alarm clock\nbed,bed\nkettle,kettle\nmug,mug\n";
  EXPECT_THAT(run("s.ini").out, HasSubstr("1 in s.sqlite, 0 to do"));
}

TEST_F(UserInputs, ClassesThatOnlyDifferBehindTheContextAreRefusedBeforeAnyWork) {
  const std::string longer(60, 'q');
  fs::rename(pictures() / "Art/bed", pictures() / ("Art/" + longer + " one"));
  fs::rename(pictures() / "Art/mug", pictures() / ("Art/" + longer + " two"));
  const Output plan = petlab({"plan", study("pictures")});
  EXPECT_EQ(plan.exit_code, 3);
  EXPECT_THAT(plan.err, AllOf(HasSubstr("have the same tokens"), HasSubstr("cut at the 40")));
}

TEST_F(UserInputs, WhatAReaderMustKnowIsSaidByCheckPlanRunAndReport) {
  for (const char* name : {"alarm_clock", "bed", "kettle"})
    fs::remove_all(pictures() / "Photo" / name);
  for (int i = 3; i < 8; ++i)
    for (const char* ending : {".jpg", ".png"})
      fs::remove(pictures() / "Art/mug" / ("picture" + std::to_string(i) + ending));
  const std::string few = "domain 'Art': 1 of 4 classes (mug: 2) has fewer than the 4 training";
  const std::string one = "domain 'Photo' has one class: its accuracy is always 100 %";
  const Output check =
      petlab({"datasets", "check", "pictures", "--split", "shots", "--train-shots", "4"});
  EXPECT_EQ(check.exit_code, 0);
  EXPECT_THAT(last_line(check.out), AllOf(HasSubstr("NOT SOUND"), HasSubstr(few), HasSubstr(one)));
  const std::string file = study("pictures", "split = shots\ntrain-shots = 4");
  EXPECT_THAT(petlab({"plan", file}).out, AllOf(HasSubstr("Note: " + few), HasSubstr(one)));
  const Output ran = run(file);
  EXPECT_THAT(ran.out, AllOf(HasSubstr("Note: " + few), HasSubstr("Note: " + one)));
  EXPECT_THAT(petlab({"report", "--store", "s.sqlite"}).out,
              AllOf(HasSubstr("Data: " + few), HasSubstr("Data: " + one)));
}

TEST_F(UserInputs, ADomainThatIsNeverTestedIsRefusedBeforeAnyWork) {
  for (const char* name : {"alarm_clock", "bed", "kettle", "mug"})
    for (int i = 1; i < 8; ++i)
      fs::remove(pictures() / "Sketch" / name /
                 ("picture" + std::to_string(i) + (i % 2 == 0 ? ".jpg" : ".png")));
  const std::string file = study("pictures");
  const Output check = petlab({"datasets", "check", "pictures"});
  EXPECT_EQ(check.exit_code, 3);
  EXPECT_THAT(last_line(check.out), HasSubstr("domain 'Sketch' has no test images"));
  for (const std::string command : {"plan", "run"}) {
    const Output output = petlab({command, file, "--store", "s.sqlite"});
    EXPECT_EQ(output.exit_code, 3) << command;
    EXPECT_THAT(output.err,
                AllOf(HasSubstr("domain 'Sketch' has no test images"), HasSubstr("--domains")));
  }
  EXPECT_FALSE(fs::exists(workshop_.folder() / "s.sqlite"));
  EXPECT_EQ(petlab({"plan", file, "--domains", "Art,Photo"}).exit_code, 0);
}

TEST_F(UserInputs, FormatsThatAreNotReadAreRefusedUnlessToldOtherwise) {
  std::ofstream(pictures() / "Art/bed/a.heif") << "x";
  std::ofstream(pictures() / "Art/bed/b.tga") << "x";
  const Output check = petlab({"datasets", "check", "pictures"});
  EXPECT_EQ(check.exit_code, 3);
  EXPECT_THAT(check.err, AllOf(HasSubstr("1 .heif, 1 .tga"), HasSubstr("leave-out")));
  EXPECT_EQ(run(study("pictures")).exit_code, 3);
  const Output left = petlab({"datasets", "check", "pictures", "--other-formats", "leave-out"});
  EXPECT_EQ(left.exit_code, 0);
  EXPECT_THAT(left.out, HasSubstr("left out: 2 images in formats"));
  const Output ran = run(study("pictures", "train-fraction = 0.5\nother-formats = leave-out"));
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("Note: left out: 2 images"));
}

TEST_F(UserInputs, ASoundDataSetIsCalledSo) {
  const Output check = petlab({"datasets", "check", "pictures", "--brief"});
  EXPECT_EQ(last_line(check.out), "sound: nothing that would spoil a result\n");
  for (const char* domain : {"Art", "Photo", "Sketch"})
    for (const char* name : {"alarm_clock", "bed", "kettle", "mug"})
      fs::rename(pictures() / domain / name,
                 pictures() / domain / ("00" + std::to_string(name[0] % 10) + "." + name));
  EXPECT_THAT(last_line(petlab({"datasets", "check", "pictures", "--brief"}).out),
              AllOf(HasSubstr("look like identifiers"), HasSubstr("class-names")));
}

}  // namespace
}  // namespace petlab::tests
