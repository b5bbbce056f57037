#include "published.hpp"

// VLCS (Fang et al., 2013) as DomainBed arranges it: 10,729 pictures of the 5 classes that its four
// sources have in common. The counts are recalled.
namespace petlab::datasets {

const PublishedSet& vlcs() {
  static const PublishedSet set{
      .name = "vlcs",
      .layout =
          "expected a folder that holds Caltech101, LabelMe, SUN09 and VOC2007, each with class "
          "folders",
      .domains = {{"Caltech101", {"caltech101", "caltech"}, {1415}},
                  {"LabelMe", {"labelme"}, {2656}},
                  {"SUN09", {"sun09", "sun"}, {3282}},
                  {"VOC2007", {"voc2007", "voc", "pascal"}, {3376}}},
      .classes = {"bird", "car", "chair", "dog", "person"},
      .inner = {"VLCS", "vlcs"}};
  return set;
}

}  // namespace petlab::datasets
