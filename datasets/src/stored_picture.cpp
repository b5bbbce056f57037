#include "petlab/datasets/stored_picture.hpp"

#include "parquet_pictures.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/read_file.hpp"
#include "petlab/base/text.hpp"

#include <algorithm>
#include <fstream>
#include <numeric>
#include <tuple>

namespace petlab::datasets {
namespace {

/// Longer ones are no pictures that petlab takes: kMaxPixels uncompressed are shorter.
constexpr std::uint64_t kMaxPictureBytes = std::uint64_t{1} << 30U;

std::vector<std::uint8_t> read_part(const Sample& sample) {
  if (sample.place.size > kMaxPictureBytes)
    base::throw_data_error(picture_name(sample) + " has " + std::to_string(sample.place.size) +
                           " bytes, expected at most " + std::to_string(kMaxPictureBytes));
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(sample.place.size));
  std::ifstream in(sample.file, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(sample.place.at));
  in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!in) base::throw_data_error(picture_name(sample) + " cannot be read any more");
  return bytes;
}

}  // namespace

std::string picture_name(const Sample& sample) {
  const std::string file = base::printable(sample.file);
  switch (sample.place.kind) {
    case Place::Kind::whole_file:
      return file;
    case Place::Kind::bytes:
      return file + ": " + base::escaped(sample.place.name);
    case Place::Kind::row:
      return file + ": row " + std::to_string(sample.place.at);
  }
  return file;
}

std::vector<std::uint8_t> read_picture(const Sample& sample) {
  switch (sample.place.kind) {
    case Place::Kind::whole_file:
      return base::read_file(sample.file, kMaxPictureBytes);
    case Place::Kind::bytes:
      return read_part(sample);
    case Place::Kind::row:
      return read_parquet_picture(sample);
  }
  return {};
}

std::vector<std::uint8_t> read_hashed_picture(const Sample& sample, const base::Digest& expected) {
  std::vector<std::uint8_t> bytes = read_picture(sample);
  base::Sha256 hash;
  hash.update(bytes);
  if (hash.finish() != expected)
    base::throw_data_error(picture_name(sample) +
                           " changed while petlab was at work: it is not the image that was hashed "
                           "a moment ago; start again");
  return bytes;
}

Image decode_picture(const Sample& sample, const base::Digest& expected, View view) {
  return decode_image(read_hashed_picture(sample, expected), picture_name(sample), view);
}

std::vector<const Sample*> samples_of(const Dataset& dataset) {
  std::vector<const Sample*> samples;
  for (const Domain& domain : dataset.domains)
    for (const Sample& sample : domain.samples)
      samples.push_back(&sample);
  return samples;
}

std::vector<std::size_t> storage_order(const std::vector<const Sample*>& samples) {
  std::vector<std::size_t> order(samples.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const bool is_plain = std::all_of(samples.begin(), samples.end(), [](const Sample* sample) {
    return sample->place.kind == Place::Kind::whole_file;
  });
  if (is_plain) return order;
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::tie(samples[a]->file, samples[a]->place.at) <
           std::tie(samples[b]->file, samples[b]->place.at);
  });
  return order;
}

}  // namespace petlab::datasets
