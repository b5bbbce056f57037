#include "petlab/results/run_store.hpp"
#include "program.hpp"
#include "sample_study.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace petlab::tests {
namespace {

namespace fs = std::filesystem;
using results::OpenMode;
using results::RunStore;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kTransferRows =
    "[row.zero-shot]\nmethod = zero-shot\nsharing = joint\n"
    "[row.coop]\nmethod = coop\nsharing = per-task\n"
    "[row.probe]\nmethod = linear-probe\nsharing = joint\n";

/// NAME.ini, whose [dataset] has the folder `root` and the lines `more`, from line 4 on.
void write_setting(const Workshop& workshop, const std::string& name, const std::string& root,
                   const std::string& more = "train-fraction = 0.5") {
  std::ofstream(workshop.folder() / (name + ".ini"))
      << "[dataset]\nname = folder\nroot = " << root << "\n"
      << more << "\n[train]\nepochs = 9\n";
}

/// Another data set beside the study's: 2 domains of 3 classes, and a setting that names it.
void write_target(const Workshop& workshop, const std::string& root = "clothes") {
  const fs::path from = workshop.folder() / "pictures";
  for (const std::string domain : {"day", "night"})
    for (const auto& [name, of] : {std::pair("hat", "Art/bed"), std::pair("shoe", "Photo/kettle"),
                                   std::pair("tie", "Sketch/mug")}) {
      fs::create_directories(workshop.folder() / root / domain);
      fs::copy(from / of, workshop.folder() / root / domain / name);
    }
  write_setting(workshop, root, root);
}

Output petlab_with_target(const Workshop& workshop, const std::string& command,
                          const std::string& transfer = "clothes.ini") {
  return run_petlab(
      {command, workshop.write_study(kTransferRows), "--store", "a.sqlite", "--cache-dir", "cache",
       "--seeds", "1", "--set", "study.name=small", "--set", "dataset.transfer=" + transfer},
      workshop.folder());
}

TEST(Transfer, TestsFinishedRunsOnTheOtherDataSet) {
  const Workshop workshop;
  write_target(workshop);
  EXPECT_THAT(petlab_with_target(workshop, "plan").out,
              HasSubstr("probe: what it trains belongs to the classes of their domains"));
  const Output output = petlab_with_target(workshop, "run");
  ASSERT_EQ(output.exit_code, 0) << output.out << output.err;
  EXPECT_THAT(output.out,
              AllOf(HasSubstr("zero-shot seed 1  accuracy on clothes"),
                    HasSubstr("coop seed 1  accuracy on clothes with the adapters of Art"),
                    HasSubstr("on clothes"), Not(HasSubstr("probe seed 1  accuracy on clothes"))));
  const RunStore store(workshop.folder() / "a.sqlite", OpenMode::read_only);
  ASSERT_EQ(store.evaluations().size(), 6U);  // zero-shot and CoOp, as each of three tasks
  for (const std::string& identity : store.evaluations()) {
    const auto tested = store.load(identity).value();
    const auto parent = store.load(tested.parent.value()).value();
    EXPECT_NE(tested.dataset_hash, parent.dataset_hash);
    EXPECT_EQ(tested.trained_hash, parent.trained_hash);
    ASSERT_EQ(tested.tasks.size(), 2U);
    EXPECT_EQ(tested.tasks[0].task, "day");
    const auto split = store.split(tested.split_hash).value();
    EXPECT_EQ(split.tasks[0].classes, (std::vector<std::string>{"hat", "shoe", "tie"}));
  }
  const Output again = petlab_with_target(workshop, "run");
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_THAT(again.out, Not(HasSubstr("seed 1  accuracy on clothes")));
}

TEST(Transfer, NamesAFileThatNamesNoDataSet) {
  const Workshop workshop;
  write_target(workshop);
  const auto refused = [&](const std::string& transfer) {
    const Output output = petlab_with_target(workshop, "plan", transfer);
    EXPECT_NE(output.exit_code, 0);
    return output.err;
  };
  EXPECT_THAT(refused("missing.ini"), HasSubstr("missing.ini"));
  std::ofstream(workshop.folder() / "empty.ini") << "[train]\nepochs = 2\n";
  EXPECT_THAT(refused("empty.ini"), HasSubstr("empty.ini: the study names no data set"));
  std::ofstream(workshop.folder() / "both.ini")
      << "[dataset]\nname = folder\nroot = clothes\nvalidation-fraction = 0.1\n"
         "validation-shots = 1\n";
  EXPECT_THAT(refused("both.ini"), HasSubstr("validation images in more than one way"));
  fs::create_directories(workshop.folder() / "more");
  fs::copy(workshop.folder() / "clothes.ini", workshop.folder() / "more" / "clothes.ini");
  EXPECT_THAT(refused("clothes.ini,more/clothes.ini"), HasSubstr("two files 'clothes.ini'"));
  std::ofstream(workshop.folder() / "gone.ini") << "[dataset]\nname = folder\nroot = nowhere\n";
  EXPECT_THAT(refused("gone.ini"), HasSubstr("nowhere does not exist"));
}

TEST(Transfer, RefusesWhatATargetIsNotTestedOn) {
  const Workshop workshop;
  write_target(workshop);
  const auto planned = [&](const std::string& line) {
    write_setting(workshop, "part", "clothes", line);
    return petlab_with_target(workshop, "plan", "part.ini");
  };
  for (const std::string line :
       {"classes = base", "classes = new", "cross-domain = yes", "leave-out = day",
        "transfer = clothes.ini", "validation-fraction = 0.3", "validation-shots = 1",
        "validation = list"}) {
    const Output output = planned(line);
    EXPECT_EQ(output.exit_code, 2) << line << output.out;
    const std::string key = line.substr(0, line.find(' '));
    EXPECT_THAT(output.err,
                AllOf(HasSubstr("part.ini:4: '" + key + "' is '"),
                      HasSubstr(key.starts_with("validation") ? "tested on its test images"
                                                              : "tested as a whole"),
                      HasSubstr("expected no " + key)));
  }
  const Output said = planned("classes = all\ncross-domain = no\nvalidation-fraction = 0");
  EXPECT_EQ(said.exit_code, 0) << said.err;
}

TEST(Transfer, RefusesTheStudysOwnDataSet) {
  const Workshop workshop;
  fs::create_directory_symlink("pictures", workshop.folder() / "link");
  fs::copy(workshop.folder() / "pictures", workshop.folder() / "copy", fs::copy_options::recursive);
  for (const std::string root : {"pictures", "./pictures/../pictures", "link", "copy"}) {
    write_setting(workshop, "own", root, "train-fraction = 0.1");
    const Output output = petlab_with_target(workshop, "plan", "own.ini");
    EXPECT_EQ(output.exit_code, 2) << root << output.out;
    EXPECT_THAT(output.err, AllOf(HasSubstr("data set 'own' of transfer is the study's own"),
                                  HasSubstr("training images"), HasSubstr("expected another")));
  }
}

TEST(Transfer, AFaultOfATargetIsFoundBeforeAnyRun) {
  const Workshop workshop;
  write_target(workshop);
  for (const std::string lines :
       {"split = list", "split = list\nsplit-list = missing.txt",
        "train-fraction = 0.5\nsplit-list = missing.txt", "domains = dusk"})
    for (const char* command : {"plan", "run"}) {
      write_setting(workshop, "faulty", "clothes", lines);
      const Output output = petlab_with_target(workshop, command, "clothes.ini,faulty.ini");
      EXPECT_NE(output.exit_code, 0) << lines;
      EXPECT_THAT(output.err, HasSubstr("data set 'faulty' of transfer: ")) << lines;
      EXPECT_THAT(output.out, Not(HasSubstr("seed 1"))) << lines;
    }
}

TEST(Transfer, ATestThatGoesWrongStopsNoOther) {
  const Workshop workshop;
  write_target(workshop);
  write_target(workshop, "damaged");
  const fs::path image = workshop.folder() / "damaged" / "day" / "hat" / "picture2.jpg";
  fs::resize_file(image, fs::file_size(image) / 2);
  const Output output = petlab_with_target(workshop, "run", "damaged.ini,clothes.ini");
  EXPECT_EQ(output.exit_code, 1) << output.out << output.err;
  EXPECT_THAT(output.err,
              AllOf(HasSubstr("zero-shot seed 1, accuracy on damaged"),
                    HasSubstr("coop seed 1, accuracy on damaged with the adapters of Art: not"),
                    HasSubstr("coop seed 1, accuracy on damaged with the adapters of Sketch: not"),
                    HasSubstr("picture2")));
  EXPECT_THAT(output.out, AllOf(HasSubstr("zero-shot seed 1  accuracy on clothes"),
                                HasSubstr("accuracy on clothes with the adapters of Sketch"),
                                Not(HasSubstr("accuracy on damaged"))));
  const RunStore store(workshop.folder() / "a.sqlite", OpenMode::read_only);
  EXPECT_EQ(store.evaluations().size(), 6U);  // on clothes, as in the first test
}

}  // namespace
}  // namespace petlab::tests
