#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
#include "published.hpp"
#include "tree.hpp"

#include <system_error>

// DomainNet (Peng et al., 2019) and the two parts of it that the literature uses.
namespace petlab::datasets {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMiniDomains = "clipart, painting, real and sketch";

const std::vector<std::string>& classes_126() {
  static const std::vector<std::string> names = {"aircraft_carrier",
                                                 "alarm_clock",
                                                 "ant",
                                                 "anvil",
                                                 "asparagus",
                                                 "axe",
                                                 "banana",
                                                 "basket",
                                                 "bathtub",
                                                 "bear",
                                                 "bee",
                                                 "bird",
                                                 "blackberry",
                                                 "blueberry",
                                                 "bottlecap",
                                                 "broccoli",
                                                 "bus",
                                                 "butterfly",
                                                 "cactus",
                                                 "cake",
                                                 "calculator",
                                                 "camel",
                                                 "camera",
                                                 "candle",
                                                 "cannon",
                                                 "canoe",
                                                 "carrot",
                                                 "castle",
                                                 "cat",
                                                 "ceiling_fan",
                                                 "cello",
                                                 "cell_phone",
                                                 "chair",
                                                 "chandelier",
                                                 "coffee_cup",
                                                 "compass",
                                                 "computer",
                                                 "cow",
                                                 "crab",
                                                 "crocodile",
                                                 "cruise_ship",
                                                 "dog",
                                                 "dolphin",
                                                 "dragon",
                                                 "drums",
                                                 "duck",
                                                 "dumbbell",
                                                 "elephant",
                                                 "eyeglasses",
                                                 "feather",
                                                 "fence",
                                                 "fish",
                                                 "flamingo",
                                                 "flower",
                                                 "foot",
                                                 "fork",
                                                 "frog",
                                                 "giraffe",
                                                 "goatee",
                                                 "grapes",
                                                 "guitar",
                                                 "hammer",
                                                 "helicopter",
                                                 "helmet",
                                                 "horse",
                                                 "kangaroo",
                                                 "lantern",
                                                 "laptop",
                                                 "leaf",
                                                 "lion",
                                                 "lipstick",
                                                 "lobster",
                                                 "microphone",
                                                 "monkey",
                                                 "mosquito",
                                                 "mouse",
                                                 "mug",
                                                 "mushroom",
                                                 "onion",
                                                 "panda",
                                                 "peanut",
                                                 "pear",
                                                 "peas",
                                                 "pencil",
                                                 "penguin",
                                                 "pig",
                                                 "pillow",
                                                 "pineapple",
                                                 "potato",
                                                 "power_outlet",
                                                 "purse",
                                                 "rabbit",
                                                 "raccoon",
                                                 "rhinoceros",
                                                 "rifle",
                                                 "saxophone",
                                                 "screwdriver",
                                                 "sea_turtle",
                                                 "see_saw",
                                                 "sheep",
                                                 "shoe",
                                                 "skateboard",
                                                 "snake",
                                                 "speedboat",
                                                 "spider",
                                                 "squirrel",
                                                 "strawberry",
                                                 "streetlight",
                                                 "string_bean",
                                                 "submarine",
                                                 "swan",
                                                 "table",
                                                 "teapot",
                                                 "teddy-bear",
                                                 "television",
                                                 "The_Eiffel_Tower",
                                                 "The_Great_Wall_of_China",
                                                 "tiger",
                                                 "toe",
                                                 "train",
                                                 "truck",
                                                 "umbrella",
                                                 "vase",
                                                 "watermelon",
                                                 "whale",
                                                 "zebra"};
  return names;
}

/// The lists of a data set: in the folder that the user names, or in one of `places` of the root.
/// `name` is a file's name with the domain at '%'. Empty unless all files of one kind are there.
std::vector<fs::path> find_lists(const PublishedSet& set, const fs::path& root,
                                 const LoadOptions& options, const std::vector<fs::path>& places,
                                 const std::vector<std::string>& names) {
  std::vector<fs::path> folders;
  if (options.lists.empty())
    for (const fs::path& place : places)
      folders.push_back(root / place);
  else
    folders.push_back(options.lists);
  for (const fs::path& folder : folders) {
    std::vector<fs::path> files;
    bool all = true;
    for (const PublishedDomain& domain : set.domains)
      for (const std::string& name : names) {
        const auto at = name.find('%');
        files.push_back(folder / (name.substr(0, at) + domain.name + name.substr(at + 1)));
        std::error_code ignored;
        all = all && fs::is_regular_file(files.back(), ignored);
      }
    if (all) return files;
  }
  return {};
}

const std::vector<fs::path>& list_places() {
  static const std::vector<fs::path> places = {
      "", "splits", "txt", "txt/multi", "multi", "data/txt/multi", "image_list", "splits_mini"};
  return places;
}

[[noreturn]] void no_lists(const PublishedSet& set, const fs::path& root,
                           const LoadOptions& options, const std::string& names) {
  throw base::Error(base::ErrorKind::data,
                    "the lists of " + set.name + " (" + names + ") are not in " +
                        base::printable(options.lists.empty() ? root : options.lists) +
                        ": put them there, or name their folder with --lists");
}

}  // namespace

const PublishedSet& domainnet() {
  // Two counts: the original and the cleaned edition.
  static const PublishedSet set{
      .name = "domainnet",
      .layout =
          "expected a folder that holds clipart, infograph, painting, quickdraw, real and "
          "sketch, each with class folders",
      .domains = {{"clipart", {"clipart"}, {48837, 48129}},
                  {"infograph", {"infograph"}, {53201, 51605}},
                  {"painting", {"painting"}, {75759, 72266}},
                  {"quickdraw", {"quickdraw"}, {172500}},
                  {"real", {"real"}, {175327, 172947}},
                  {"sketch", {"sketch"}, {70386, 69128}}},
      .classes = {},
      .inner = {"images", "domainnet", "domain_net", "DomainNet"}};
  return set;
}

const PublishedSet& mini_domainnet() {
  // 140,006 pictures in all (published); the four counts are recalled, and add up to that.
  static const PublishedSet set{.name = "mini-domainnet",
                                .layout = std::string("expected DomainNet's folder with ") +
                                          kMiniDomains + ", and its lists in splits_mini/",
                                .domains = {{"clipart", {"clipart"}, {18703}},
                                            {"painting", {"painting"}, {31202}},
                                            {"real", {"real"}, {65609}},
                                            {"sketch", {"sketch"}, {24492}}},
                                .classes = classes_126(),
                                .inner = {"images", "domainnet", "domain_net", "DomainNet"}};
  return set;
}

const PublishedSet& domainnet_126() {
  // Counts of SSDA_MME's lists: 145,145 pictures.
  static const PublishedSet set{
      .name = "domainnet-126",
      .layout = std::string("expected DomainNet's folder with ") + kMiniDomains +
                ", and SSDA_MME's lists",
      .domains = {{"clipart", {"clipart"}, {18703}},
                  {"painting", {"painting"}, {31502}},
                  {"real", {"real"}, {70358}},
                  {"sketch", {"sketch"}, {24582}}},
      .classes = classes_126(),
      .inner = {"images", "multi", "domainnet", "domain_net", "DomainNet"}};
  return set;
}

Dataset load_domainnet(const fs::path& root, const LoadOptions& options) {
  const PublishedSet& set = domainnet();
  const auto lists = find_lists(set, root, options, list_places(), {"%_train.txt", "%_test.txt"});
  if (!lists.empty()) return load_listed(set, find_root(set, root), read_lists(lists), options);
  if (!options.lists.empty())
    no_lists(set, root, options, "clipart_train.txt, clipart_test.txt ...");
  Dataset dataset = load_published(set, root, options);
  dataset.notes.emplace_back("no lists (clipart_train.txt ...) in the root: all images are used");
  return dataset;
}

Dataset load_mini_domainnet(const fs::path& root, const LoadOptions& options) {
  const PublishedSet& set = mini_domainnet();
  const FoundRoot found = find_root(set, root);
  auto lists = find_lists(set, root, options, {"splits_mini"}, {"%_train.txt", "%_test.txt"});
  if (lists.empty())
    lists = find_lists(set, found.root, options, {"splits_mini"}, {"%_train.txt", "%_test.txt"});
  if (lists.empty())
    no_lists(set, root, options, "splits_mini/clipart_train.txt, clipart_test.txt ...");
  return load_listed(set, found, read_lists(lists), options);
}

Dataset load_domainnet_126(const fs::path& root, const LoadOptions& options) {
  const PublishedSet& set = domainnet_126();
  const FoundRoot found = find_root(set, root);
  const std::vector<std::string> names = {"labeled_source_images_%.txt"};
  auto lists = find_lists(set, root, options, list_places(), names);
  if (lists.empty()) lists = find_lists(set, found.root, options, list_places(), names);
  if (lists.empty()) no_lists(set, root, options, "labeled_source_images_clipart.txt ...");
  return load_listed(set, found, read_lists(lists), options);
}

}  // namespace petlab::datasets
