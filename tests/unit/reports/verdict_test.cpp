#include "verdict.hpp"

#include "html_summary.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace petlab::reports {
namespace {

using testing::HasSubstr;
using testing::Not;

/// A row of three seeds, so far from the best of the others.
Row row(const std::string& label, double mean, double difference, bool may_be_best) {
  Row made;
  made.label = label;
  made.mean = Estimate{.mean = mean, .half_width = 0.0152, .n = 3};
  made.versus_best = BestComparison{};
  made.versus_best->difference = difference;
  made.versus_best->may_be_best = may_be_best;
  return made;
}

Report report() {
  Report made;
  made.study = "demo";
  made.finished = made.planned = 9;
  made.rows = {row("zero-shot", 0.6795, -0.0546, false), row("mmap", 0.7341, 0.0241, true),
               row("coop", 0.71, -0.0241, true)};
  made.rows[1].versus_best->low = 0.0;
  made.rows[1].versus_best->high = 0.041;
  made.rows[1].place = Place::best;
  made.rows[1].versus_zero_shot = Comparison{};
  made.rows[1].versus_zero_shot->difference = {.mean = 0.0546, .half_width = 0.0169, .n = 3};
  made.best = 1;
  made.zero_shot = 0;
  return made;
}

TEST(Verdict, SaysWhatWinsByHowMuchAndHowSure) {
  EXPECT_EQ(study_verdict(report()),
            "mmap has the highest mean accuracy: 73.41 ± 1.52 %, 2.41 points above coop (95 % "
            "interval 0.00 to 4.10) and 5.46 ± 1.69 points above zero-shot. With 3 seeds 1 of 2 "
            "other rows is significantly below the best; the other may be the best as well "
            "(n.s.).");
}

TEST(Verdict, SaysThatTheFirstPlaceIsOpenOrSure) {
  Report open = report();
  open.rows[0].versus_best->may_be_best = true;
  EXPECT_THAT(study_verdict(open),
              HasSubstr("With 3 seeds any other row may be the best as well, so the first place is "
                        "open."));
  Report sure = report();
  sure.rows[2].versus_best->may_be_best = false;
  EXPECT_THAT(study_verdict(sure),
              HasSubstr("With 3 seeds all other rows are significantly below it."));
}

TEST(Verdict, NamesZeroShotOnceWhereItComesSecond) {
  Report second = report();
  second.rows.pop_back();
  EXPECT_THAT(study_verdict(second), HasSubstr("73.41 ± 1.52 %, 5.46 points above zero-shot (95 % "
                                               "interval 0.00 to 4.10). With 3 seeds all"));
}

TEST(Verdict, OneSeedSaysNothingAboutChance) {
  Report one = report();
  for (Row& each : one.rows) {
    each.mean->half_width.reset();
    each.mean->n = 1;
    each.versus_best.reset();
  }
  one.rows[1].versus_zero_shot->difference = {.mean = 0.0546, .half_width = {}, .n = 1};
  const std::string text = study_verdict(one);
  EXPECT_THAT(text, HasSubstr("73.41 %, 2.41 points above coop and 5.46 points above zero-shot."));
  EXPECT_THAT(text, HasSubstr("One seed says nothing about chance between seeds."));
  EXPECT_THAT(text, Not(HasSubstr("significant")));
}

TEST(Verdict, RowsWithGapsNeitherWinNorCount) {
  Report gaps = report();
  gaps.rows[2].missing_seeds = {3};
  EXPECT_THAT(study_verdict(gaps), HasSubstr("above zero-shot (95 % interval 0.00 to 4.10). With 3 "
                                             "seeds all other rows are significantly below it."));
  EXPECT_THAT(study_verdict(gaps), Not(HasSubstr("coop")));
  gaps.best.reset();
  EXPECT_EQ(study_verdict(gaps),
            "No row has all of its planned runs, so there is no best row yet.");
  EXPECT_EQ(study_verdict(Report{}), "");
}

TEST(Verdict, TheDescriptionIsThatOfTheProtocol) {
  Report described = report();
  EXPECT_EQ(study_description(described), "");
  described.protocol = "[study]\nname = demo\ndescription = Ways to adapt <CLIP>\nseeds = 1\n";
  EXPECT_EQ(study_description(described), "Ways to adapt <CLIP>");
  EXPECT_THAT(verdict_html(described),
              HasSubstr("<p class=\"description\">Ways to adapt &lt;CLIP&gt;</p>"));
}

TEST(Notes, StandByGradeAndFaultsAreNeverFolded) {
  Report noted = report();
  noted.notes = {{"a", NoteGrade::information},
                 {"b", NoteGrade::caution},
                 {"c", NoteGrade::fault},
                 {"d in /srv/data/set", NoteGrade::information}};
  const std::string first = verdict_html(noted);
  EXPECT_THAT(first, HasSubstr("<p class=\"note fault\"><strong>Fault:</strong> c</p>"));
  EXPECT_THAT(first, Not(HasSubstr("Caution")));
  const std::string folded = notes_html(noted);
  EXPECT_THAT(folded, HasSubstr("<summary>Notes: 1 caution, 2 information</summary>"));
  EXPECT_LT(folded.find("Caution:</strong> b"), folded.find("Information:</strong> a"));
  EXPECT_THAT(folded, HasSubstr("d in …/set"));
  EXPECT_THAT(folded, Not(HasSubstr("> c<")));
}

}  // namespace
}  // namespace petlab::reports
