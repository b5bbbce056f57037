#pragma once

#include "petlab/base/sha256.hpp"
#include "petlab/datasets/dataset.hpp"
#include "petlab/datasets/image.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// A sample's picture, wherever it lies: in a file of its own, in a tar shard, in a Parquet file.
namespace petlab::datasets {

/// What a message calls the picture: "a/1.jpg", "shard-0.tar: a/1.jpg", "train.parquet: row 7".
[[nodiscard]] std::string picture_name(const Sample& sample);

/// Its bytes as they are on disk now. Several threads may read at once; those of a Parquet file are
/// fast in the order of storage_order() alone. Throws base::Error(data) naming the picture when
/// they cannot be read.
[[nodiscard]] std::vector<std::uint8_t> read_picture(const Sample& sample);

/// The bytes of a picture that was hashed before. Throws base::Error(data) as read_picture() does,
/// and when its SHA-256 is not `expected` any more.
[[nodiscard]] std::vector<std::uint8_t> read_hashed_picture(const Sample& sample,
                                                            const base::Digest& expected);

/// Decodes a picture that was hashed before: what is decoded is what was hashed. Throws
/// base::Error(data) as decode_image does, and when its SHA-256 is not `expected` any more.
[[nodiscard]] Image decode_picture(const Sample& sample, const base::Digest& expected,
                                   View view = View::stored);

/// All samples, domain after domain.
[[nodiscard]] std::vector<const Sample*> samples_of(const Dataset& dataset);

/// Indices of `samples` in the order in which they lie in their files; 0, 1, 2 ... where each has a
/// file of its own.
[[nodiscard]] std::vector<std::size_t> storage_order(const std::vector<const Sample*>& samples);

}  // namespace petlab::datasets
