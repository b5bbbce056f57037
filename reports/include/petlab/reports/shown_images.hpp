#pragma once

#include "petlab/reports/compare.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

/// Test images that the page shows. A store has the answers to an image and its name, no pixels:
/// those come from whoever has the data set, and only where somebody asks for them.
namespace petlab::reports {

struct Report;

/// A test image that the best row (a) and another row (b) answered differently at least once.
struct ShownImage : Disagreement {
  std::string png;  // the bytes of a PNG file: a thumbnail
};

/// A row beside the best one, over the seeds that both have.
struct RowImages {
  std::size_t row = 0;         // index in Report::rows
  std::int64_t tested = 0;     // images that both were tested on
  std::int64_t different = 0;  // of them, answered differently with at least one seed
  std::int64_t only_best = 0;  // answers, over all seeds, where only the best row was right
  std::int64_t only_row = 0;   // where only this row was
  std::vector<ShownImage> images = {};  // the first that differ, in the order of compare()
};

/// The thumbnail of a test image of the study as a PNG file; throws where it is not to be had.
using Thumbnail = std::function<std::string(const std::string& task, const std::string& sample_id)>;

/// Fills in Report::shown_images: for each row that the charts show, but for the best one, up to
/// `most` images on which it and the best row disagree. An image is asked for once. There is
/// nothing to show without Report::best.
void show_images(Report& report, std::size_t most, const Thumbnail& thumbnail);

}  // namespace petlab::reports
