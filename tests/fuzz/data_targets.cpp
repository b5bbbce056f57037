#include "coop_split.hpp"
#include "data_seeds.hpp"
#include "decode.hpp"
#include "ini_file.hpp"
#include "ini_line.hpp"
#include "petlab/base/mapped_file.hpp"
#include "petlab/datasets/csv.hpp"
#include "petlab/datasets/lists.hpp"
#include "petlab/datasets/split.hpp"
#include "petlab/datasets/tools/iconify.hpp"
#include "petlab/results/check.hpp"
#include "petlab/results/run_store.hpp"
#include "rules.hpp"
#include "scratch.hpp"
#include "tar_index.hpp"
#include "targets.hpp"

#include <algorithm>
#include <set>

// Readers that need no LibTorch: of pictures, lists, protocol files and stores.
namespace petlab::fuzz {
namespace {

namespace fs = std::filesystem;

void check_image(const datasets::Image& image) {
  require(image.width >= 1 && image.height >= 1, "a picture has pixels");
  const auto pixels =
      static_cast<std::uint64_t>(image.width) * static_cast<std::uint64_t>(image.height);
  require(pixels <= datasets::kMaxPixels, "a picture is no larger than allowed");
  require(image.rgb.size() == 3 * pixels, "a pixel has three values");
}

bool picture(Bytes bytes) {
  bool is_read = false;
  for (const datasets::View view : {datasets::View::stored, datasets::View::shown})
    is_read =
        expect_value_or_error([&] { check_image(datasets::decode_image(bytes, "x.png", view)); });
  return is_read;
}

bool exif(Bytes bytes) {
  const int orientation = datasets::exif_orientation(bytes);
  require(orientation >= 1 && orientation <= 8, "an orientation is 1 to 8");
  return orientation != 1;
}

bool csv(Bytes bytes) {
  return expect_value_or_error([&] {
    const datasets::CsvColumns columns{
        .required = {"path", "class"}, .optional = {"split"}, .others = true};
    const auto rows = datasets::parse_csv_rows({bytes.begin(), bytes.end()}, "x.csv", columns);
    std::string again = "path,class,split\n";
    for (const datasets::CsvRow& row : rows) {
      require(row.values.size() == 3, "a row has a value for each column that was asked for");
      require(row.line >= 2, "rows stand behind the header");
      for (const std::string& value : row.values)
        again += datasets::csv_field(value) + (&value == &row.values.back() ? "\n" : ",");
    }
    const auto read = datasets::parse_csv_rows({again.begin(), again.end()}, "y.csv", columns);
    require(std::equal(rows.begin(), rows.end(), read.begin(), read.end(),
                       [](const auto& a, const auto& b) { return a.values == b.values; }),
            "what is written is read back");
  });
}

bool list(Bytes bytes) {
  const fs::path file = scratch().write("train_10.txt", bytes);
  return expect_value_or_error([&] {
    for (const datasets::ListRow& row : datasets::read_lists({file}).rows) {
      require(row.part == datasets::Part::train, "the name of a list says its part");
      require(!row.class_name.empty() && !row.file_name.empty(), "a row names class and file");
      require(row.label >= 0, "labels count from 0 or 1");
    }
  });
}

bool split(Bytes bytes) {
  static const datasets::Dataset dataset = split_dataset();
  const fs::path file = scratch().write("split.csv", bytes);
  return expect_value_or_error([&] {
    const datasets::Split read = datasets::read_split(file, dataset);
    require(read.train.size() == dataset.domains.size(), "every domain is split");
    for (std::size_t d = 0; d < read.train.size(); ++d) {
      std::set<std::int64_t> seen;
      for (const auto* part : {&read.train, &read.validation, &read.test}) {
        if (part->empty()) continue;
        for (const std::int64_t i : part->at(d))
          require(i >= 0 && i < static_cast<std::int64_t>(dataset.domains[d].samples.size()) &&
                      seen.insert(i).second,
                  "an image of the data set is in one part");
      }
    }
  });
}

bool iconify(Bytes bytes) {
  fs::create_directories(scratch().folder() / "json");
  scratch().write("json/x.json", bytes);
  return expect_value_or_error([&] {
    const auto set = datasets::tools::IconSet::read(scratch().folder(), "x");
    for (const auto* icons : {&set.icons(), &set.aliases()})
      for (const auto& [name, icon] : *icons) {
        require(icon.width > 0 && icon.height > 0, "a drawing has a size");
        require(!datasets::tools::icon_svg(icon).empty(), "a drawing is a document");
      }
  });
}

bool ini(Bytes bytes) {
  const fs::path file = scratch().write("x.ini", bytes);
  return expect_value_or_error([&] {
    for (const study::Setting& setting : study::read_ini(file).settings) {
      require(!setting.key.empty() && !setting.origin.empty(), "a setting has key and place");
      const auto again = study::parse_ini_line("key = " + study::ini_value(setting.value));
      require(again.line && again.line->value == setting.value, "a value is read back");
    }
  });
}

bool store(Bytes bytes) {
  for (const char* beside : {"x.sqlite-wal", "x.sqlite-shm", "x.sqlite-journal"})
    fs::remove(scratch().folder() / beside);
  const fs::path file = scratch().write("x.sqlite", bytes);
  return expect_value_or_error([&] {
    const results::RunStore store(file, results::OpenMode::read_only);
    (void)store.leases();
    for (const std::string& name : store.studies()) {
      (void)store.study(name);
      for (const results::StudyRun& run : store.runs(name))
        if (const auto record = store.load(run.plan.hash))
          require(record->identity.hash == run.plan.hash, "a run is the one that was asked for");
    }
  });
}

bool tar(Bytes bytes) {
  const fs::path file = scratch().write("x.tar", bytes);
  return expect_value_or_error([&] {
    const base::MappedFile mapped(file);
    std::set<std::string> seen;
    for (const datasets::TarMember& member : datasets::read_tar_index(mapped)) {
      require(member.at <= bytes.size() && member.size <= bytes.size() - member.at,
              "a member lies in its file");
      const fs::path path = member.path;
      require(!path.empty() && path.is_relative() && *path.lexically_normal().begin() != "..",
              "a member stays in its folder");
      require(seen.insert(member.path).second, "a path is there once");
    }
  });
}

bool coop(Bytes bytes) {
  for (const char* name : {"a.png", "b.png", "c.png"})
    scratch().write(name, Bytes());
  const fs::path file = scratch().write("split_zhou_x.json", bytes);
  return expect_value_or_error([&] {
    const datasets::CoopSplit read = datasets::read_coop_split(file, scratch().folder(), "x");
    const std::set<std::string> classes(read.classes.begin(), read.classes.end());
    require(classes.size() == read.classes.size(), "every label has a name of its own");
    for (const datasets::Entry& entry : read.entries)
      require(classes.count(entry.class_name) == 1, "an image has one of the classes");
  });
}

}  // namespace

const std::vector<Target>& data_targets() {
  static const std::vector<Target> all = {{"picture", picture, picture_seeds, 1000},
                                          {"exif", exif, exif_seeds, 3000},
                                          {"csv", csv, csv_seeds, 3000},
                                          {"list", list, list_seeds, 1000},
                                          {"split", split, split_seeds, 1000},
                                          {"iconify", iconify, iconify_seeds, 1000},
                                          {"ini", ini, ini_seeds, 1000},
                                          {"store", store, store_seeds, 500},
                                          {"tar", tar, tar_seeds, 1000},
                                          {"coop", coop, coop_seeds, 1000}};
  return all;
}

}  // namespace petlab::fuzz
