#include "published.hpp"

// PACS (Li et al., 2017): 9,991 pictures.
namespace petlab::datasets {

const PublishedSet& pacs() {
  static const PublishedSet set{
      .name = "pacs",
      .layout =
          "expected a folder that holds art_painting, cartoon, photo and sketch, each with "
          "class folders",
      .domains = {{"art_painting", {"artpainting", "art"}, {2048}},
                  {"cartoon", {"cartoon"}, {2344}},
                  {"photo", {"photo"}, {1670}},
                  {"sketch", {"sketch"}, {3929}}},
      .classes = {"dog", "elephant", "giraffe", "guitar", "horse", "house", "person"},
      .inner = {"images", "kfold", "PACS", "pacs"}};
  return set;
}

}  // namespace petlab::datasets
