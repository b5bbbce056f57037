#include "coop_sets.hpp"

#include <array>
#include <system_error>

namespace petlab::datasets {

namespace fs = std::filesystem;

std::span<const CoopSet> coop_sets() {
  static constexpr std::array kSets{
      CoopSet{"imagenet", "ImageNet (ILSVRC 2012)", "imagenet", "images", "", "a photo of a {}.",
              1000, 1281167, 0, 50000},
      CoopSet{"caltech101", "Caltech101 without its backgrounds and easy faces", "caltech-101",
              "101_ObjectCategories", "split_zhou_Caltech101.json", "a photo of a {}.", 100, 4128,
              1649, 2465},
      CoopSet{"oxford-pets", "Oxford-IIIT Pet: breeds of cats and dogs", "oxford_pets", "images",
              "split_zhou_OxfordPets.json", "a photo of a {}, a type of pet.", 37, 2944, 736, 3669},
      CoopSet{"stanford-cars", "Stanford Cars: makes, models and years", "stanford_cars", "",
              "split_zhou_StanfordCars.json", "a photo of a {}.", 196, 6509, 1635, 8041},
      CoopSet{"flowers102", "Oxford Flowers: species of flowers", "oxford_flowers", "jpg",
              "split_zhou_OxfordFlowers.json", "a photo of a {}, a type of flower.", 102, 4093,
              1633, 2463},
      CoopSet{"food101", "Food-101: dishes", "food-101", "images", "split_zhou_Food101.json",
              "a photo of {}, a type of food.", 101, 50500, 20200, 30300},
      CoopSet{"fgvc-aircraft", "FGVC-Aircraft: variants of aeroplanes", "fgvc_aircraft", "images",
              "", "a photo of a {}, a type of aircraft.", 100, 3334, 3333, 3333},
      CoopSet{"sun397", "SUN397: scenes", "sun397", "SUN397", "split_zhou_SUN397.json",
              "a photo of a {}.", 397, 15880, 3970, 19850},
      CoopSet{"dtd", "Describable Textures", "dtd", "images", "split_zhou_DescribableTextures.json",
              "{} texture.", 47, 2820, 1128, 1692},
      CoopSet{"eurosat", "EuroSAT: land use seen by satellites", "eurosat", "2750",
              "split_zhou_EuroSAT.json", "a centered satellite photo of {}.", 10, 13500, 5400,
              8100},
      CoopSet{"ucf101", "UCF101: actions, the middle frame of each video", "ucf101",
              "UCF-101-midframes", "split_zhou_UCF101.json", "a photo of a person doing {}.", 101,
              7639, 1898, 3783},
  };
  return kSets;
}

const CoopSet* coop_set_in(const fs::path& root) {
  std::error_code ignored;
  for (const CoopSet& set : coop_sets()) {
    const std::string name = set.name;
    const bool is_there =
        name == "imagenet"        ? fs::is_directory(root / "images" / "train", ignored) &&
                                        fs::is_regular_file(root / "classnames.txt", ignored)
        : name == "fgvc-aircraft" ? fs::is_regular_file(root / "images_variant_train.txt", ignored)
                                  : fs::is_regular_file(root / set.split, ignored);
    if (is_there) return &set;
  }
  return nullptr;
}

}  // namespace petlab::datasets
