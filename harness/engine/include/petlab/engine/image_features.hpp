#pragma once

#include "petlab/clip/backbone.hpp"
#include "petlab/engine/progress.hpp"
#include "petlab/engine/run_spec.hpp"

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace petlab::engine {

/// Where image features stay when a run is over, for the next one.
struct FeatureStorePlace {
  std::filesystem::path folder;  ///< "": nowhere, each run computes them for itself
  /// What makes the features besides what ImageFeatures knows (view, precision, device, processor,
  /// threads): data set, backbone, sources.
  std::string key;
};

/// Features of the pictures of a data set, as the untouched image tower gives them: each computed
/// once for each view, and where there is a feature store only by the first run that needs it.
///
/// The pictures go through the tower in fixed chunks, in the order of the data set. So the bits of
/// a feature do not depend on which pictures are asked for, nor on whether a store is used: it
/// holds features by picture, no labels and no split. Not for several threads at once; several
/// processes fill one store together.
class ImageFeatures {
 public:
  /// `pictures`: uint8 [n, 3, S, S] on the CPU, those of each domain. The backbone must outlive
  /// this object.
  ImageFeatures(const clip::Backbone& backbone, std::vector<at::Tensor> pictures,
                Precision precision, FeatureStorePlace place);
  ~ImageFeatures();
  ImageFeatures(const ImageFeatures&) = delete;
  ImageFeatures& operator=(const ImageFeatures&) = delete;

  /// Features of pictures of a domain, not normalised: [rows, embed_dim] on the backbone's device.
  /// View 0 is the picture, view 1 its mirror image.
  [[nodiscard]] at::Tensor of(std::size_t domain, std::int64_t view,
                              const std::vector<std::int64_t>& rows);

  /// Makes sure of all pictures in view 0.
  void complete(Progress& progress);

  /// Pictures that went through the tower here, a view each.
  [[nodiscard]] std::int64_t computed() const { return computed_; }
  /// Pictures whose features another run had computed, a view each.
  [[nodiscard]] std::int64_t read() const { return read_; }
  /// Why there is no store although one was wanted; "" when all is well.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }

 private:
  struct Chunk {
    std::size_t domain = 0;
    std::int64_t first = 0;  ///< picture of the domain
    std::int64_t count = 0;
  };
  struct View;

  [[nodiscard]] View& view(std::int64_t view);
  void open_store(View& view, std::int64_t index);
  /// Takes a chunk from the store if it is there.
  [[nodiscard]] bool take(View& view, std::size_t chunk);
  void compute(View& view, std::int64_t index, std::size_t chunk);
  /// `tell(count)` after each chunk.
  void make_ready(std::int64_t index, const std::vector<std::size_t>& chunks,
                  const std::function<void(std::int64_t)>& tell);

  const clip::Backbone& backbone_;
  std::vector<at::Tensor> pictures_;
  Precision precision_;
  FeatureStorePlace place_;
  std::int64_t chunk_size_;
  std::vector<Chunk> chunks_;
  std::vector<std::size_t> first_chunk_;  ///< of each domain
  std::vector<std::int64_t> first_row_;   ///< of each domain, over all
  std::vector<std::unique_ptr<View>> views_;
  std::int64_t computed_ = 0;
  std::int64_t read_ = 0;
  std::string trouble_;
};

}  // namespace petlab::engine
