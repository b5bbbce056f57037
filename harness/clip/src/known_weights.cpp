#include "known_weights.hpp"

#include "petlab/base/error.hpp"

#include <array>

namespace petlab::clip {

namespace {

constexpr std::array<PublishedWeights, 4> kPublished{{
    {"ViT-B/32", "ViT-B-32.pt", "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af"},
    {"ViT-B/16", "ViT-B-16.pt", "5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f"},
    {"ViT-L/14", "ViT-L-14.pt", "b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836"},
    {"ViT-L/14@336px", "ViT-L-14-336px.pt",
     "3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02"},
}};

}  // namespace

std::span<const PublishedWeights> published_weights() {
  return kPublished;
}

const PublishedWeights* find_published(const std::string& sha256) {
  for (const PublishedWeights& one : kPublished)
    if (sha256 == one.sha256) return &one;
  return nullptr;
}

void require_published(const std::filesystem::path& file, const std::string& sha256) {
  if (find_published(sha256) != nullptr) return;
  std::string expected;
  for (const PublishedWeights& one : kPublished)
    if (file.filename() == one.file)
      expected = std::string("the published ") + one.model + " has " + one.sha256;
  if (expected.empty()) {
    expected = "the published ones have";
    for (const PublishedWeights& one : kPublished)
      expected += std::string(expected.ends_with("have") ? " " : ", ") + one.sha256 + " (" +
                  one.model + ")";
  }
  throw base::Error(base::ErrorKind::data,
                    "the weights '" + file.string() + "' have the SHA-256 " + sha256 + ", but " +
                        expected +
                        (file.filename().string().starts_with("RN")
                             ? "; it looks like one of OpenAI's ResNets, "
                               "which petlab does not compute"
                             : "; --allow-unknown-weights reads them all the "
                               "same"));
}

}  // namespace petlab::clip
