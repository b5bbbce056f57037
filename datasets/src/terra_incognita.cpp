#include "published.hpp"

// TerraIncognita (Beery et al., 2018) as DomainBed selects it: 24,330 pictures of 10 classes from
// four cameras. The four counts are recalled, and add up to that.
namespace petlab::datasets {

const PublishedSet& terra_incognita() {
  static const PublishedSet set{
      .name = "terra-incognita",
      .layout =
          "expected a folder that holds location_38, location_43, location_46 and location_100, "
          "each with class folders",
      .domains = {{"location_38", {"location38", "l38", "38"}, {9736}},
                  {"location_43", {"location43", "l43", "43"}, {3970}},
                  {"location_46", {"location46", "l46", "46"}, {5883}},
                  {"location_100", {"location100", "l100", "100"}, {4741}}},
      .classes = {"bird", "bobcat", "cat", "coyote", "dog", "empty", "opossum", "rabbit", "raccoon",
                  "squirrel"},
      .inner = {"terra_incognita", "TerraIncognita", "terra"}};
  return set;
}

}  // namespace petlab::datasets
