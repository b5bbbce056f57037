#include "published.hpp"

// Office-Home (Venkateswara et al., 2017). Counts: the lists of MRN and of SSDA_MME hold the same
// 15,588 pictures.
namespace petlab::datasets {

const PublishedSet& office_home() {
  static const PublishedSet set{
      .name = "office-home",
      .layout =
          "expected a folder that holds Art, Clipart, Product and Real World (also Real_World, "
          "RealWorld, Real), each with class folders",
      .domains = {{"Art", {"art"}, {2427}},
                  {"Clipart", {"clipart"}, {4365}},
                  {"Product", {"product"}, {4439}},
                  {"Real World", {"realworld", "real"}, {4357}}},
      .classes = {"Alarm_Clock",  "Backpack",    "Batteries",  "Bed",          "Bike",
                  "Bottle",       "Bucket",      "Calculator", "Calendar",     "Candles",
                  "Chair",        "Clipboards",  "Computer",   "Couch",        "Curtains",
                  "Desk_Lamp",    "Drill",       "Eraser",     "Exit_Sign",    "Fan",
                  "File_Cabinet", "Flipflops",   "Flowers",    "Folder",       "Fork",
                  "Glasses",      "Hammer",      "Helmet",     "Kettle",       "Keyboard",
                  "Knives",       "Lamp_Shade",  "Laptop",     "Marker",       "Monitor",
                  "Mop",          "Mouse",       "Mug",        "Notebook",     "Oven",
                  "Pan",          "Paper_Clip",  "Pen",        "Pencil",       "Postit_Notes",
                  "Printer",      "Push_Pin",    "Radio",      "Refrigerator", "Ruler",
                  "Scissors",     "Screwdriver", "Shelf",      "Sink",         "Sneakers",
                  "Soda",         "Speaker",     "Spoon",      "Table",        "Telephone",
                  "ToothBrush",   "Toys",        "Trash_Can",  "TV",           "Webcam"},
      .inner = {"OfficeHomeDataset_10072016", "office_home", "office_home_dg", "OfficeHome",
                "images"}};
  return set;
}

}  // namespace petlab::datasets
