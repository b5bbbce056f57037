#include "published.hpp"

// Office-31 (Saenko et al., 2010): 4,110 pictures of 31 classes. The counts are recalled.
namespace petlab::datasets {

const PublishedSet& office31() {
  static const PublishedSet set{.name = "office31",
                                .layout =
                                    "expected a folder that holds amazon, dslr and webcam, each "
                                    "with class folders, which may "
                                    "lie below images/",
                                .domains = {{"amazon", {"amazon"}, {2817}},
                                            {"dslr", {"dslr"}, {498}},
                                            {"webcam", {"webcam"}, {795}}},
                                .classes = {"back_pack",       "bike",        "bike_helmet",
                                            "bookcase",        "bottle",      "calculator",
                                            "desk_chair",      "desk_lamp",   "desktop_computer",
                                            "file_cabinet",    "headphones",  "keyboard",
                                            "laptop_computer", "letter_tray", "mobile_phone",
                                            "monitor",         "mouse",       "mug",
                                            "paper_notebook",  "pen",         "phone",
                                            "printer",         "projector",   "punchers",
                                            "ring_binder",     "ruler",       "scissors",
                                            "speaker",         "stapler",     "tape_dispenser",
                                            "trash_can"},
                                .inner = {"domain_adaptation_images", "Original_images", "office31",
                                          "office_31", "Office31", "Office-31", "office"}};
  return set;
}

}  // namespace petlab::datasets
