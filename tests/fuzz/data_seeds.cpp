#include "data_seeds.hpp"

#include "petlab/base/private_folder.hpp"
#include "petlab/base/read_file.hpp"
#include "petlab/datasets/image.hpp"
#include "petlab/datasets/split.hpp"
#include "petlab/results/run_store.hpp"
#include "sample_records.hpp"
#include "tar_file.hpp"

namespace petlab::fuzz {
namespace {

namespace fs = std::filesystem;

std::string bytes_of(const std::vector<std::uint8_t>& bytes) {
  return {bytes.begin(), bytes.end()};
}

template <std::size_t N>
std::string literal(const char (&text)[N]) {
  return std::string(text, N - 1);
}

/// A TIFF header with one entry, the orientation.
std::string tiff(bool is_big, int orientation) {
  const auto turned = static_cast<char>(orientation);
  return is_big ? literal("MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0") + turned +
                      literal("\0\0\0\0\0\0")
                : literal("II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0") + turned +
                      literal("\0\0\0\0\0\0\0");
}

datasets::Image pattern(int width, int height) {
  datasets::Image image{.width = width, .height = height, .rgb = {}};
  for (int i = 0; i < 3 * width * height; ++i)
    image.rgb.push_back(static_cast<std::uint8_t>(37 * i));
  return image;
}

}  // namespace

std::vector<std::string> picture_seeds() {
  const std::string jpeg = bytes_of(datasets::encode_jpeg(pattern(16, 9), 80));
  const std::string block = literal("Exif\0\0") + tiff(false, 6);
  const std::string turned = jpeg.substr(0, 2) + literal("\xFF\xE1\0") +
                             static_cast<char>(block.size() + 2) + block + jpeg.substr(2);
  const std::string gif = literal(
      "GIF89a\x01\0\x01\0\x80\0\0\xFF\xFF\xFF\0\0\0!\xF9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02"
      "\x02\x44\x01\0;");
  const std::string webp =
      literal("RIFF\x1A\0\0\0WEBPVP8L\x0D\0\0\0/\0\0\0\x10\x07\x10\x11\x11\x88\x88\xFE\x07\0");
  const std::string bmp =
      literal(
          "BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x02\0\0\0\x02\0\0\0\x01\0\x18\0\0\0\0\0"
          "\x10\0\0\0\x13\x0B\0\0\x13\x0B\0\0\0\0\0\0\0\0\0\0") +
      literal("\x01\x02\x03\x04\x05\x06\0\0\x07\x08\x09\x0A\x0B\x0C\0\0");
  return {bytes_of(datasets::encode_png(pattern(7, 5))), jpeg, turned, gif, webp, bmp};
}

std::vector<std::string> exif_seeds() {
  return {tiff(false, 6), tiff(true, 3)};
}

std::vector<std::string> csv_seeds() {
  return {"path,class\na/1.png,cup\n\"b,2.png\",\"a \"\"cup\"\"\"\n",
          "\xEF\xBB\xBFmore,class,split,path\r\n1,cup,train,\"a\r\nb\"\r\n,,,\r\n", "path,class"};
}

std::vector<std::string> list_seeds() {
  return {"Art/Alarm_Clock/00001.jpg 0\nArt/Bed/00001.jpg 1\nClipart/Bed/00007.jpg 1\n",
          "/any/where/images/Art/Alarm Clock/a b.jpg 1\r\n/any/where/images/Art/Bed/1.jpg 2\r\n"};
}

datasets::Dataset split_dataset() {
  datasets::Dataset dataset;
  dataset.name = "small";
  dataset.classes = dataset.display_names = {"bed", "cup"};
  for (const char* name : {"Art", "Real World"}) {
    datasets::Domain domain{.name = name, .samples = {}, .classes = {0, 1}};
    for (std::int64_t label = 0; label < 2; ++label)
      for (int i = 1; i <= 3; ++i) {
        const std::string id = domain.name + "/" +
                               dataset.classes[static_cast<std::size_t>(label)] + "/" +
                               std::to_string(i);
        domain.samples.push_back({.id = id, .file = id + ".png", .label = label});
      }
    dataset.domains.push_back(std::move(domain));
  }
  return dataset;
}

std::vector<std::string> split_seeds() {
  const datasets::Dataset dataset = split_dataset();
  const base::PrivateFolder folder("petlab-fuzz-seeds");
  const datasets::Split plain = datasets::make_split(dataset, 0.5, 1);
  const datasets::Split parts = datasets::with_validation(dataset, plain, {.shots = 1}, 1);
  datasets::write_split(folder.path() / "a.csv", dataset, plain);
  datasets::write_split(folder.path() / "b.csv", dataset, parts);
  return {base::read_text_file(folder.path() / "a.csv"),
          base::read_text_file(folder.path() / "b.csv")};
}

std::vector<std::string> iconify_seeds() {
  return {R"({"prefix":"x","info":{"name":"X","author":{"name":"A"},"license":{"title":"MIT",)"
          R"("spdx":"MIT"}},"icons":{"cup":{"body":"<path d=\"M0 0\"/>"}}})",
          R"({"prefix":"x","info":{"name":"X","author":{"name":"A","url":"u"},"version":"1",)"
          R"("category":"c","tags":["t"],"palette":true,"license":{"title":"MIT","url":"u"}},)"
          R"("width":24,"height":24,"icons":{"cup":{"body":"<g/>","left":2,"top":1,"hidden":true},)"
          R"("bed":{"body":"<g/>","width":32}},"aliases":{"mug":{"parent":"cup","rotate":1,)"
          R"("hFlip":true},"jar":{"parent":"mug","vFlip":true}},"categories":{"Things":["cup"]}})"};
}

std::vector<std::string> ini_seeds() {
  return {"# a study\n[study]\nname = demo ; no comment\n",
          "\xEF\xBB\xBF[study]\r\nseeds=1,2\r\n[row.a.b]\r\nmethod = \"co \"\"op\"\"\" # why\r\n"
          "option.x = 'it''s'\r\n[empty]\r\n",
          "[dataset]\nroot = /data/set#2\n\n[search]\nspace.learning-rate = log(x0.1,x10)\n"};
}

std::vector<std::string> store_seeds() {
  namespace sample = results::sample;
  const base::PrivateFolder folder("petlab-fuzz-seeds");
  const fs::path file = folder.path() / "seed.sqlite";
  {
    results::RunStore store(file);
    const results::SplitRecord split = sample::split(1);
    const sample::RunChoice run{.sharing = "grouped", .grouping = "gradient"},
        lost{.method = "vpt"};
    store.register_split(split);
    store.set_study(sample::study("demo", {{"coop", {run}}, {"vpt", {lost}}}));
    store.record(sample::done_run(run, split));
    store.record(sample::failed_run(lost, split, "diverged"));
  }
  return {base::read_text_file(file)};
}

std::vector<std::string> tar_seeds() {
  const base::PrivateFolder folder("petlab-fuzz-seeds");
  const fs::path file = folder.path() / "seed.tar";
  datasets::write_tar(
      file, {{"a.png", "picture"}, {"a.cls", "3"}, {"folder/b.png", std::string(600, 'b')}});
  return {base::read_text_file(file)};
}

std::vector<std::string> coop_seeds() {
  return {R"({"train": [["a.png", 0, "cat"], ["b.png", 1, "dog"]], "val": [],)"
          R"( "test": [["c.png", 0, "cat"]]})"};
}

}  // namespace petlab::fuzz
